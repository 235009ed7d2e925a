import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { OpenByteSink } from '../../../src/services/providers/image-provider.ts';
import { createOpenAiImages } from '../../../src/services/providers/openai-images.ts';
import { createCall } from './call-fixture.ts';

const callCount = 20;
const imageSizeBytes = 6_000_000;
/** All images together are 120 MB, and 160 MB as they are sent. */
const growthBytesMax = 80_000_000;

/** Where the bytes of an image go that nobody keeps, at the pace of a slow disk. */
type Sinks = { readonly openByteSink: OpenByteSink; writtenBytes: number; writingMax: number; rssMax: number };

function createSlowSinks(): Sinks {
  let writing = 0;
  const end = async (): Promise<void> => {
    writing -= 1;
  };
  const sinks: Sinks = {
    writtenBytes: 0,
    writingMax: 0,
    rssMax: 0,
    async openByteSink() {
      writing += 1;
      sinks.writingMax = Math.max(sinks.writingMax, writing);
      return {
        async write(bytes) {
          sinks.writtenBytes += bytes.length;
          sinks.rssMax = Math.max(sinks.rssMax, process.memoryUsage.rss());
          await wait(5);
        },
        close: end,
        discard: end,
      };
    },
  };
  return sinks;
}

const kinds = [
  { name: 'that arrive at once', imagesPerCall: 1, withPreviews: false },
  { name: 'that arrive at once in streams, each behind two previews', imagesPerCall: 3, withPreviews: true },
];
for (const { name, imagesPerCall, withPreviews } of kinds) {
  test(`twenty images of 6 MB ${name}, faster than they are written, are not held in memory`, async (context) => {
    const server = fork(join(import.meta.dirname, 'large-answer-server.ts'), [String(imageSizeBytes)]);
    context.after(() => server.kill());
    const [port] = await once(server, 'message');
    const provider = createOpenAiImages({
      apiKey: 'sk-test',
      baseUrl: `http://127.0.0.1:${port}/v1`,
      timeoutMs: 60_000,
      resultOrigins: [],
    });
    const make = async ({ openByteSink }: Sinks): Promise<unknown> => {
      const previews = { count: 2, openByteSink, arrived: () => {}, failed: assert.ifError };
      return provider.makeImages(createCall(), openByteSink, withPreviews ? previews : undefined);
    };
    await make(createSlowSinks());
    const rssBefore = process.memoryUsage.rss();
    const sinks = createSlowSinks();
    await Promise.all(Array.from({ length: callCount }, async () => make(sinks)));
    assert.equal(sinks.writtenBytes, callCount * imagesPerCall * imageSizeBytes);
    assert.ok(sinks.writingMax > 1, 'Several images must have come in at the same time.');
    const growthBytes = sinks.rssMax - rssBefore;
    context.diagnostic(`RSS grew by ${Math.round(growthBytes / 1e6)} MB`);
    assert.ok(growthBytes < growthBytesMax, `RSS grew by ${growthBytes} bytes.`);
  });
}
