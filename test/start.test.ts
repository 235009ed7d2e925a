import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const APP = fileURLToPath(new URL('../src/app.ts', import.meta.url));

/** What of Node.js itself is loaded, and which packages are, once everything is loaded that a start waits for. */
const PROGRAM = `
  const { registerHooks } = await import('node:module');
  const urls = [];
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
  await import(process.argv[1]);
  console.log(JSON.stringify({ builtins: process.moduleLoadList, urls }));
`;

test('a start loads neither a second undici, nor the SDK, nor what only metrics and the painter need', async () => {
  const args = ['--no-warnings', '--input-type=module', '--eval', PROGRAM, APP];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 8 * 1024 * 1024 });
  const loaded: { builtins: string[]; urls: string[] } = JSON.parse(stdout);
  assert.deepEqual(
    loaded.builtins.filter((name) => name.includes('deps/undici')),
    [],
    'an import of node:http, or a look at a global like FormData or Response, loads the undici that Node.js has in itself',
  );
  assert.ok(loaded.urls.some((url) => url.includes('/node_modules/discord.js/')));
  for (const name of ['openai', 'prom-client', 'hono', '@hono/node-server', 'sharp']) {
    assert.ok(!loaded.urls.some((url) => url.includes(`/node_modules/${name}/`)), `${name} is loaded at the start`);
  }
});
