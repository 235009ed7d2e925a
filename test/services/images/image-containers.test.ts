import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { jpegSegments, pngChunks, withoutMetadata } from '../../../src/services/images/image-containers.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../../src/services/images/image-preparation.ts';
import { decode, photograph, pngChunk, quadrants } from '../../fixtures/pictures.ts';

const SIZE = { width: 64, height: 48 };
/** A part of a few bytes, this many times: a few megabytes, and more parts than any picture has. */
const REPETITIONS = 500_000;
/** The largest file that is taken in, and the parts that the usual encoder of PNG makes of it. */
const FILE_BYTES_MAX = 50 * 1024 * 1024;
const USUAL_CHUNK_BYTES = 8 * 1024;

function repeat(part: Buffer): Buffer {
  return Buffer.alloc(part.length * REPETITIONS, part);
}

function insert(bytes: Buffer, at: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

async function pngWith(...parts: readonly Buffer[]): Promise<Buffer> {
  const headerEnd = 8 + 25;
  return insert(await quadrants(SIZE).png().toBuffer(), headerEnd, Buffer.concat(parts));
}

/** @param where ahead of everything, or in the middle of the compressed pixels, where they end. */
async function jpegWith(part: readonly number[], where: 'head' | 'scan'): Promise<Buffer> {
  const jpeg = await quadrants(SIZE).jpeg().toBuffer();
  return insert(jpeg, where === 'head' ? 2 : jpeg.length - 2, repeat(Buffer.from(part)));
}

function count(parts: Iterable<unknown>): number {
  let total = 0;
  for (const _ of parts) total += 1;
  return total;
}

describe('a file that was made to hold up the event loop', () => {
  it('is walked for a while only, whatever it repeats', async () => {
    const chunk = pngChunk('teSt', Buffer.alloc(0));
    assert.ok(count(pngChunks(await pngWith(repeat(chunk)))) <= 10_000);
    assert.ok(count(jpegSegments(await jpegWith([0xff, 0xdb, 0, 2], 'head'))) <= 10_000);
    // A scan of one row each, as far as the file's outside tells.
    assert.ok(count(jpegSegments(await jpegWith([0xff, 0xda, 0, 2, 0], 'head'))) <= 20_000);
  });

  it('is left to a decoder, which finds the same pixels in it', async () => {
    const preparation = createImagePreparation({ concurrency: 1, waitingMax: 1, limits: STANDARD_IMAGE_LIMITS });
    const files = {
      emptyChunks: await pngWith(repeat(pngChunk('teSt', Buffer.alloc(0)))),
      emptyTables: await jpegWith([0xff, 0xdb, 0, 2], 'head'),
      emptyComments: await jpegWith([0xff, 0xfe, 0, 2], 'head'),
      stuffedBytes: await jpegWith([0xff, 0], 'scan'),
      restartMarkers: await jpegWith([0xff, 0xd0], 'scan'),
    };
    for (const [name, bytes] of Object.entries(files)) {
      const prepared = await preparation.prepareImage(bytes);
      assert.equal(prepared.kind, 'prepared-image', name);
      assert.equal(prepared.hasSourcePixels, false, name);
      assert.ok(prepared.bytes.length < 10_000, `${name}: ${prepared.bytes.length} bytes`);
      if (prepared.format === 'png') {
        assert.deepEqual(await decode(prepared.bytes), await decode(await quadrants(SIZE).png().toBuffer()));
      }
    }
  });

  it('has as many stuffed bytes in one scan as in all of them together', async () => {
    const stuffed = Buffer.alloc(2 * 1000, Buffer.from([0xff, 0]));
    const scan = Buffer.concat([Buffer.from([0xff, 0xda, 0, 2]), stuffed]);
    const bytes = insert(await quadrants(SIZE).jpeg().toBuffer(), 2, Buffer.alloc(scan.length * 500, scan));
    assert.ok((await withoutMetadata('jpeg', bytes)) === undefined);
  });
});

describe('a picture as large as any', () => {
  it('keeps its chunks as they are', async () => {
    const pixels = pngChunk('IDAT', Buffer.alloc(USUAL_CHUNK_BYTES));
    const chunks = Buffer.alloc(Math.floor(FILE_BYTES_MAX / pixels.length) * pixels.length, pixels);
    const bare = await withoutMetadata('png', await pngWith(chunks));
    assert.ok(bare?.isProvenWhole);
    // Nothing is left to leave out, so that nothing is copied.
    assert.ok((await withoutMetadata('png', bare.bytes))?.bytes === bare.bytes);

    const comment = pngChunk('tEXt', Buffer.from('Comment\0Telltale'));
    const large = await pngWith(comment, chunks, comment);
    let turns = 0;
    const others = setInterval(() => (turns += 1));
    const plain = await withoutMetadata('png', large);
    clearInterval(others);
    assert.ok(plain?.bytes.equals(bare.bytes));
    assert.ok(turns >= 10, `others had ${turns} turns meanwhile`);
  });

  it('keeps its entropy-coded pixels as they are', async () => {
    const size = { width: 2000, height: 1500 };
    const whole = await photograph(size).jpeg({ quality: 95 }).toBuffer();
    const plain = await withoutMetadata('jpeg', Buffer.concat([whole, Buffer.from('Telltale')]));
    assert.ok(plain?.isProvenWhole && plain.bytes.equals(whole));
  });
});
