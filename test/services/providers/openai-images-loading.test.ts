import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { it } from 'node:test';
import { createOpenAiImages } from '../../../src/services/providers/openai-images.ts';

it('loads the SDK with the next call where it could not be loaded with the one before', async () => {
  const provider = createOpenAiImages({
    apiKey: 'sk-test',
    baseUrl: 'http://127.0.0.1:1/v1',
    timeoutMs: 1_000,
    resultOrigins: [],
  });
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === 'openai') throw new Error('it is being installed anew');
      return nextResolve(specifier, context);
    },
  });
  await assert.rejects(provider.load(), { message: 'it is being installed anew' });
  hooks.deregister();
  await provider.load();
});
