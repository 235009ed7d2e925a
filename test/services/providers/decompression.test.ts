import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decompress } from '../../../src/services/providers/decompression.ts';
import { IncomingBody } from '../../../src/services/providers/incoming-body.ts';
import { createIntakeGate } from '../../../src/services/providers/intake-gate.ts';

const TEXT = Buffer.from('a picture, as text '.repeat(1_000));

/** What arrives of a body that says that it was compressed in some way. */
async function read(bytes: Buffer, contentEncoding: string | undefined): Promise<Buffer> {
  const body = new IncomingBody(createIntakeGate({ concurrency: 1, pauseMsMax: 10 }, () => 0));
  body.begin({ pause: () => undefined, resume: () => undefined, abort: (reason) => body.fail(reason) });
  const pieces: Buffer[] = [];
  const reading = decompress(
    body,
    contentEncoding,
  )((piece) => {
    pieces.push(Buffer.from(piece));
    return 'more';
  });
  body.push(bytes.subarray(0, 10));
  body.push(bytes.subarray(10));
  body.finish();
  await reading;
  return Buffer.concat(pieces);
}

/** A body whose reader has enough once it has all of the text, and whose connection brings no more and does not end. */
function openLastingBody(bytes: Buffer) {
  const body = new IncomingBody(createIntakeGate({ concurrency: 1, pauseMsMax: 10 }, () => 0));
  const aborts: unknown[] = [];
  body.begin({ pause: () => undefined, resume: () => undefined, abort: (reason) => void aborts.push(reason) });
  let takenBytes = 0;
  const reading = decompress(
    body,
    'gzip',
  )((piece) => {
    takenBytes += piece.length;
    return takenBytes === TEXT.length ? 'enough' : 'more';
  });
  body.push(bytes);
  return { body, aborts, reading };
}

describe('a body', () => {
  it('of which the reader has all that they want is not waited for, and its connection is closed', async () => {
    const { reading, aborts } = openLastingBody(gzipSync(TEXT));
    await reading;
    await nextTurn();
    await nextTurn();
    assert.equal(aborts.length, 1);
  });

  it('is whole although its connection breaks behind what the reader wants', async () => {
    const { body, reading } = openLastingBody(gzipSync(TEXT));
    setImmediate(() => body.fail(new Error('the connection broke')));
    await reading;
  });

  it('whose connection breaks before that is not', async () => {
    const { body, reading } = openLastingBody(gzipSync(TEXT).subarray(0, 30));
    setImmediate(() => body.fail(new Error('the connection broke')));
    await assert.rejects(reading, { message: 'the connection broke' });
  });

  it('is unpacked by whichever name its packing has', async () => {
    const packings: readonly (readonly [string | undefined, Buffer])[] = [
      [undefined, TEXT],
      ['identity', TEXT],
      ['gzip', gzipSync(TEXT)],
      ['X-GZip', gzipSync(TEXT)],
      ['deflate', deflateSync(TEXT)],
      ['br', brotliCompressSync(TEXT)],
      ['zstd', zstdCompressSync(TEXT)],
    ];
    for (const [name, bytes] of packings) assert.ok((await read(bytes, name)).equals(TEXT), name);
  });

  it('that is not what it says fails', async () => {
    await assert.rejects(read(TEXT, 'gzip'), /incorrect header check/);
  });
});
