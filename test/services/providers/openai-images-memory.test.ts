import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createOpenAiImages } from '../../../src/services/providers/openai-images.ts';
import { createCall } from './call-fixture.ts';

const callCount = 20;
const imageSizeBytes = 6_000_000;
/** All images together are 120 MB, and 160 MB as they are sent. */
const growthBytesMax = 80_000_000;

test('twenty images of 6 MB that arrive at once, faster than they are written, are not held in memory', async (context) => {
  const server = fork(join(import.meta.dirname, 'large-answer-server.ts'), [String(imageSizeBytes)]);
  context.after(() => server.kill());
  const [port] = await once(server, 'message');
  const provider = createOpenAiImages({
    apiKey: 'sk-test',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    timeoutMs: 30_000,
    resultOrigins: [],
  });
  let writtenBytes = 0;
  let writing = 0;
  let writingMax = 0;
  let rssMax = 0;
  const make = (): Promise<unknown> =>
    provider.makeImages(
      createCall(),
      async () => {
        writing += 1;
        writingMax = Math.max(writingMax, writing);
        return {
          async write(bytes) {
            writtenBytes += bytes.length;
            rssMax = Math.max(rssMax, process.memoryUsage.rss());
            await wait(5);
          },
          async close() {
            writing -= 1;
          },
          async discard() {
            writing -= 1;
          },
        };
      },
      new AbortController().signal,
    );
  await make();
  const rssBefore = process.memoryUsage.rss();
  writtenBytes = 0;
  await Promise.all(Array.from({ length: callCount }, make));
  assert.equal(writtenBytes, callCount * imageSizeBytes);
  assert.ok(writingMax > 1, 'Several images must have come in at the same time.');
  const growthBytes = rssMax - rssBefore;
  context.diagnostic(`RSS grew by ${Math.round(growthBytes / 1e6)} MB`);
  assert.ok(growthBytes < growthBytesMax, `RSS grew by ${growthBytes} bytes.`);
});
