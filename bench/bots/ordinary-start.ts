import { registerHooks } from 'node:module';

/**
 * The ordinary bot runs on what discord.js asks for. Here npm lays down another undici for it, Easel's, with which its
 * uploads would fail: whoever has only discord.js and openai installed has one undici, of version 6.
 */
registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'undici' ? 'undici-of-discord.js' : specifier, context),
});
await import('./ordinary.ts');
