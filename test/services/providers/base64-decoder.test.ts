import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  Base64Decoder,
  createDecoderPool,
  InvalidBase64Error,
} from '../../../src/services/providers/base64-decoder.ts';
import { assertSameImages } from './assert-same-images.ts';

function decode(decoder: Base64Decoder, text: string, runLength = text.length): Buffer {
  const pieces: Buffer[] = [];
  const bytes = Buffer.from(text, 'latin1');
  for (let start = 0; start < bytes.length; start += runLength) {
    for (const piece of decoder.push(bytes.subarray(start, start + runLength))) {
      pieces.push(Buffer.from(piece));
    }
  }
  for (const piece of decoder.finish()) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

test('images of every length modulo three come out whole, whatever the runs', () => {
  const decoder = new Base64Decoder();
  for (const sizeBytes of [0, 1, 2, 3, 4, 100, 24_575, 24_576, 24_577, 500_000, 500_001, 500_002]) {
    const image = randomBytes(sizeBytes);
    for (const runLength of [1000, 4099, 65_536, 1_000_000]) {
      assertSameImages([decode(decoder, image.toString('base64'), runLength)], [image]);
    }
  }
  const image = randomBytes(70_000);
  assertSameImages([decode(decoder, image.toString('base64'), 1)], [image]);
});

test('runs of every kind, one after another, come out whole and lie where there was room', () => {
  const decoder = new Base64Decoder();
  const image = randomBytes(1_200_001);
  const text = Buffer.from(image.toString('base64'));
  const memory = Buffer.alloc(1_000_000);
  let length = 0;
  const findRoom = (sizeBytes: number): Buffer | undefined =>
    memory.length - length >= sizeBytes ? memory.subarray(length) : undefined;
  const beyond: Buffer[] = [];
  const take = (pieces: Iterable<Uint8Array>): void => {
    for (const piece of pieces) {
      if (piece.buffer !== memory.buffer) beyond.push(Buffer.from(piece));
      else length += piece.length;
    }
  };
  const runLengths = [1, 2_047, 65_536, 3, 40_001, 5_000, 70_002, 2_050];
  for (let start = 0, count = 0; start < text.length; count += 1) {
    const end = start + (runLengths[count % runLengths.length] ?? 1);
    take(decoder.push(text.subarray(start, end), findRoom));
    start = end;
  }
  take(decoder.finish(findRoom));
  assert.ok(length > 700_000);
  assertSameImages([Buffer.concat([memory.subarray(0, length), ...beyond])], [image]);
});

test('what turns out not to be purely base64 in the middle of a long run is read all the same', () => {
  const decoder = new Base64Decoder();
  const image = randomBytes(300_000);
  const text = image.toString('base64');
  for (const place of [150_000, 150_001, 32 * 1024, text.length - 1]) {
    const broken = `${text.slice(0, place)}\n${text.slice(place)}`;
    for (const runLength of [65_536, 1_000_000]) assertSameImages([decode(decoder, broken, runLength)], [image]);
  }
});

test('the URL-safe alphabet, missing padding and broken lines are understood', () => {
  const decoder = new Base64Decoder();
  const image = randomBytes(100_001);
  const text = image.toString('base64');
  assertSameImages([decode(decoder, image.toString('base64url'))], [image]);
  assertSameImages([decode(decoder, text.replaceAll('=', ''))], [image]);
  assertSameImages([decode(decoder, `${text}====`)], [image]);
  const lines = text.replaceAll(/.{76}/g, '$&\r\n');
  assertSameImages([decode(decoder, ` \t${lines}\n`, 333)], [image]);
});

test('the head of a data URL is dropped, also where it arrives in pieces', () => {
  const decoder = new Base64Decoder();
  const image = randomBytes(90_000);
  const text = image.toString('base64');
  assertSameImages([decode(decoder, `data:image/png;base64,${text}`, 7)], [image]);
  assertSameImages([decode(decoder, ` data:image/svg+xml;charset=utf-8;BASE64,${text}`)], [image]);
});

test('what is not base64 is refused and leaves the decoder usable', () => {
  const decoder = new Base64Decoder();
  const long = 'A'.repeat(40_000);
  // So long that the padding is the last thing to be decoded with it.
  const padded = `${'A'.repeat(32 * 1024 - 2)}==`;
  for (const text of [
    'A',
    'AAAAA',
    'AA!A',
    'QQ==QUJD',
    `${long}\0${long}`,
    `${long}==${long}`,
    `${padded}AAAA`,
    'data:image/png,abcd',
  ]) {
    assert.throws(() => decode(decoder, text), InvalidBase64Error, JSON.stringify(text.slice(0, 20)));
    decoder.reset();
    assert.equal(decode(decoder, 'SGVsbG8=').toString(), 'Hello');
  }
});

test('a pool gives a decoder that was left in the middle of an image back as a fresh one', () => {
  const pool = createDecoderPool();
  const decoder = pool.take();
  assert.deepEqual([...decoder.push(Buffer.from('QUJDR'))], []);
  pool.giveBack(decoder);
  assert.equal(pool.take(), decoder);
  assert.notEqual(pool.take(), decoder);
  assert.equal(decode(decoder, 'SGVsbG8=').toString(), 'Hello');
});
