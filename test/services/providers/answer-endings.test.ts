import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { ImageResult, OpenByteSink } from '../../../src/services/providers/image-provider.ts';
import { createOpenAiImages } from '../../../src/services/providers/openai-images.ts';
import { createCall } from './call-fixture.ts';
import { portOf } from './local-server.ts';
import { createMemorySinks } from './memory-sinks.ts';

/** How an answer comes to its end once its picture and its usage are there. */
type Ending = (socket: Socket, json: Buffer) => void;

const USAGE = { input_tokens: 20, output_tokens: 1_056, total_tokens: 1_076 };
/** Longer than a loopback connection takes to close. */
const DISK_MS = 30;

/** A disk that is slower than the other side's goodbye. */
function createSlowSinks() {
  const sinks = createMemorySinks();
  const openByteSink: OpenByteSink = async (index) => {
    const sink = await sinks.openByteSink(index);
    return {
      ...sink,
      async close() {
        await sleep(DISK_MS);
        await sink.close();
      },
    };
  };
  return { ...sinks, openByteSink };
}

/** Asks a provider that ends its answers in some way of its own. */
async function make(t: TestContext, ending: Ending, picture: Buffer) {
  const json = Buffer.from(JSON.stringify({ data: [{ b64_json: picture.toString('base64') }], usage: USAGE }));
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => ending(socket, json));
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const provider = createOpenAiImages({
    apiKey: 'key',
    baseUrl: `http://127.0.0.1:${portOf(server)}/v1`,
    timeoutMs: 5_000,
    resultOrigins: [],
  });
  const sinks = createSlowSinks();
  const result = await provider.makeImages(createCall(), sinks.openByteSink);
  return { result, pictures: sinks.closedImages() };
}

const head = (...lines: readonly string[]): string =>
  `${['HTTP/1.1 200 OK', 'content-type: application/json', ...lines].join('\r\n')}\r\n\r\n`;
const chunk = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

/** Python's own server is one that says nothing of closing, and closes. */
const ENDINGS: Readonly<Record<string, Ending>> = {
  'is followed by an end that nobody announced'(socket, json) {
    socket.write(head(`content-length: ${json.length}`));
    socket.end(json);
  },
  'is followed by such an end, and is compressed'(socket, json) {
    const compressed = gzipSync(json);
    socket.write(head(`content-length: ${compressed.length}`, 'content-encoding: gzip'));
    socket.end(compressed);
  },
  'is followed by an end instead of its last chunk'(socket, json) {
    socket.write(head('transfer-encoding: chunked'));
    socket.end(chunk(json));
  },
  'was said to be longer than it is'(socket, json) {
    socket.write(head(`content-length: ${json.length + 10}`));
    socket.end(json);
  },
  'never ends'(socket, json) {
    socket.write(head('transfer-encoding: chunked'));
    socket.write(chunk(json));
  },
};

describe('an answer that is whole', { timeout: 20_000 }, () => {
  for (const [name, ending] of Object.entries(ENDINGS)) {
    it(`is taken although it ${name}`, async (t) => {
      for (const picture of [randomBytes(1_800), randomBytes(9_000), randomBytes(3_000_000)]) {
        const { result, pictures } = await make(t, ending, picture);
        const wanted: ImageResult = { imageCount: 1, madeCount: 1, usage: USAGE, requestId: undefined };
        assert.deepEqual(result, wanted);
        assert.equal(pictures.length, 1);
        assert.ok(pictures[0]?.equals(picture));
      }
    });
  }
});
