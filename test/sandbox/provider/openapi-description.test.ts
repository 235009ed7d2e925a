import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { readOpenApiDescription } from '../../../sandbox/provider/openapi-description.ts';
import { plain, pngUpload, post, errorOf, startProvider } from './start-provider.ts';

/** Where OpenAI's description of its Images API lies, as YAML. It is not part of the project. */
const openApiPath = process.env['OPENAI_OPENAPI'];
const skip = openApiPath === undefined ? 'OPENAI_OPENAPI names no file' : false;
const call = { model: 'gpt-image-2.5-flare', prompt: 'a fox', quality: 'max', size: '1008x1008' } as const;

test("requests and answers fit OpenAI's own description", { skip }, async (t) => {
  assert.ok(openApiPath !== undefined);
  const description = readOpenApiDescription(openApiPath);
  const { client, provider } = await startProvider(t, { openApiPath });
  const response = await post(provider, '/images/generations', { ...call, n: 2 });
  const answer = z.looseObject({}).parse(await response.json());
  assert.deepEqual(description.answerFaults(answer), []);
  assert.notDeepEqual(description.answerFaults({ ...answer, created: 'today' }), []);
  const events = await client.images.generate({ ...call, stream: true, partial_images: 1 });
  for await (const event of events) assert.deepEqual(description.eventFaults('generations', event), []);
  const picture = await plain(64, 64).png().toBuffer();
  const image = [await pngUpload(picture), await pngUpload(picture)];
  const edits = await client.images.edit({ ...call, image, stream: true, partial_images: 1 });
  for await (const event of edits) assert.deepEqual(description.eventFaults('edits', event), []);
  assert.notDeepEqual(description.eventFaults('edits', { type: 'image_edit.completed' }), []);
});

test("OpenAI's description refuses what it does not know", { skip }, async (t) => {
  assert.ok(openApiPath !== undefined);
  const description = readOpenApiDescription(openApiPath);
  assert.throws(() => description.judgeRequest('generations', { ...call, quality: 'best' }, []));
  assert.throws(() => description.judgeRequest('generations', { ...call, sizes: 1 }, []));
  assert.throws(() => description.judgeRequest('edits', call, ['mask']));
  description.judgeRequest('edits', call, ['image[]', 'mask']);
  const { provider } = await startProvider(t, { openApiPath });
  const response = await post(provider, '/images/generations', { ...call, user: null });
  assert.equal((await errorOf(response)).code, 'invalid_request');
});
