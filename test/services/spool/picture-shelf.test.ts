import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { impatiently } from '../../../src/services/spool/durable-file.ts';
import type { PictureShelf } from '../../../src/services/spool/picture-shelf.ts';
import { createPictureShelf, SHELVED_BYTES_MAX } from '../../../src/services/spool/picture-shelf.ts';
import { openResultSink } from '../../../src/services/spool/result-sink.ts';
import { createDirectory } from '../job-fixture.ts';

const PIECE_BYTES = 100_000;
/** Takes every byte, and cannot be flushed. */
const NOTHING_DURABLE = '/dev/null';

/** Writes a picture of which every piece has another content, each from the same lent buffer. */
async function bring(path: string, shelf: PictureShelf, sizeBytes: number): Promise<Buffer> {
  const sink = openResultSink(path, shelf, impatiently);
  const lent = Buffer.alloc(PIECE_BYTES);
  const pieces: Buffer[] = [];
  for (let from = 0; from < sizeBytes; from += PIECE_BYTES) {
    const piece = lent.fill(pieces.length + 1).subarray(0, Math.min(PIECE_BYTES, sizeBytes - from));
    pieces.push(Buffer.from(piece));
    await sink.write(piece);
  }
  lent.fill(0);
  await sink.close();
  return Buffer.concat(pieces);
}

async function shelfWith(context: TestContext, buffersMax: number) {
  const directory = await createDirectory(context);
  return { shelf: createPictureShelf(buffersMax), pathOf: (name: string) => join(directory, name) };
}

describe('a result', () => {
  it('is on disk and on the shelf, until its folder is let go', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 1);
    const picture = await bring(pathOf('image-0'), shelf, 250_000);
    assert.deepEqual(await readFile(pathOf('image-0')), picture);
    assert.deepEqual(shelf.find(pathOf('image-0')), picture);
    shelf.clear(pathOf(''));
    assert.equal(shelf.find(pathOf('image-0')), undefined);
  });

  it('that is put where the shelf has room is there, on disk and on the shelf, also after a piece from elsewhere', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 1);
    const sink = openResultSink(pathOf('image-0'), shelf, impatiently);
    await sink.write(Buffer.alloc(PIECE_BYTES, 1));
    const room = sink.findRoom?.(PIECE_BYTES);
    assert.ok(room);
    await sink.write(room.fill(2, 0, PIECE_BYTES).subarray(0, PIECE_BYTES));
    assert.equal(sink.findRoom?.(SHELVED_BYTES_MAX), undefined);
    await sink.write(Buffer.alloc(PIECE_BYTES, 3));
    await sink.close();
    const picture = Buffer.concat([1, 2, 3].map((content) => Buffer.alloc(PIECE_BYTES, content)));
    assert.deepEqual(shelf.find(pathOf('image-0')), picture);
    assert.deepEqual(await readFile(pathOf('image-0')), picture);
  });

  it('that is larger than a buffer is on disk alone, and gives the buffer back', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 1);
    const picture = await bring(pathOf('image-0'), shelf, SHELVED_BYTES_MAX + 1);
    assert.ok((await readFile(pathOf('image-0'))).equals(picture));
    assert.equal(shelf.find(pathOf('image-0')), undefined);
    assert.ok(shelf.lend());
  });

  it('that cannot be made durable is closed once, and never the file that has its number then', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 1);
    const sink = openResultSink(NOTHING_DURABLE, shelf, impatiently);
    await sink.write(Buffer.from('pixels'));
    await assert.rejects(sink.close(), { code: 'EINVAL' });
    const next = openSync(pathOf('of-somebody-else'), 'w');
    await sink.discard();
    assert.ok(fstatSync(next).isFile());
    closeSync(next);
  });

  it('that finds no buffer is on disk alone', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 1);
    const first = await bring(pathOf('image-0'), shelf, 150_000);
    const second = await bring(pathOf('image-1'), shelf, 250_000);
    assert.deepEqual(shelf.find(pathOf('image-0')), first);
    assert.equal(shelf.find(pathOf('image-1')), undefined);
    assert.deepEqual(await readFile(pathOf('image-1')), second);
  });

  it('that was let go leaves its buffer to the next one, which is shorter and has nothing of it', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 1);
    await bring(pathOf('image-0'), shelf, 350_000);
    shelf.clear(pathOf('image-0'));
    const next = await bring(pathOf('image-1'), shelf, 120_000);
    assert.deepEqual(shelf.find(pathOf('image-1')), next);
    assert.deepEqual(await readFile(pathOf('image-1')), next);
  });

  it('that does not come to its end leaves nothing lent', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 1);
    for (const sizeBytes of [1, SHELVED_BYTES_MAX + 1]) {
      const sink = openResultSink(pathOf('image-0'), shelf, impatiently);
      await sink.write(Buffer.alloc(sizeBytes));
      await sink.discard();
    }
    assert.equal(shelf.find(pathOf('image-0')), undefined);
    assert.ok(shelf.lend());
  });

  it('that comes again takes the place of the one before, whose buffer is free', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 2);
    await bring(pathOf('image-0'), shelf, 250_000);
    const again = await bring(pathOf('image-0'), shelf, 120_000);
    assert.deepEqual(shelf.find(pathOf('image-0')), again);
    assert.ok(shelf.lend());
  });

  it('that has no bytes is an empty file', async (context) => {
    const { shelf, pathOf } = await shelfWith(context, 1);
    await bring(pathOf('image-0'), shelf, 0);
    assert.equal((await readFile(pathOf('image-0'))).length, 0);
  });
});
