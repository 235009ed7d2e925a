import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { hasEnd, isAnimatedPng, recognizeImage } from '../../../src/services/images/image-recognition.ts';
import {
  animatedPng,
  animation,
  brandedFile,
  multiPictureJpeg,
  phoneJpeg,
  pngOfClaimedSize,
  quadrants,
} from '../../fixtures/pictures.ts';

const SIZE = { width: 32, height: 24 };

describe('recognizeImage', () => {
  it('knows each kind by its first bytes', async () => {
    const picture = quadrants(SIZE);
    const made = {
      png: await picture.clone().png().toBuffer(),
      jpeg: await picture.clone().jpeg().toBuffer(),
      webp: await picture.clone().webp().toBuffer(),
      gif: await picture.clone().gif().toBuffer(),
      avif: await picture.clone().avif({ effort: 0 }).toBuffer(),
      tiff: await picture.clone().tiff().toBuffer(),
      mpo: await multiPictureJpeg(SIZE),
    };
    for (const [kind, bytes] of Object.entries(made)) assert.equal(recognizeImage(bytes), kind);
  });

  it('does not take a JPEG with metadata for several pictures', async () => {
    assert.equal(recognizeImage(await phoneJpeg(SIZE)), 'jpeg');
  });

  it('tells AVIF and HEIC apart by all of their brands', () => {
    assert.equal(recognizeImage(brandedFile('heic', 'mif1', 'heic')), 'heic');
    assert.equal(recognizeImage(brandedFile('mif1', 'heic')), 'heic');
    assert.equal(recognizeImage(brandedFile('msf1', 'hevc')), 'heic');
    assert.equal(recognizeImage(brandedFile('mif1', 'avif', 'miaf')), 'avif');
    assert.equal(recognizeImage(brandedFile('avis', 'msf1')), 'avif');
    assert.equal(recognizeImage(brandedFile('isom', 'mp42')), 'unknown');
  });

  it('knows what it will not open', () => {
    const bitmap = Buffer.alloc(64);
    bitmap.write('BM', 'latin1');
    bitmap.writeUInt32LE(40, 14);
    assert.equal(recognizeImage(bitmap), 'bmp');
    assert.equal(recognizeImage(Buffer.from('%PDF-1.7\n')), 'pdf');
    assert.equal(recognizeImage(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')), 'svg');
    assert.equal(recognizeImage(Buffer.from('\uFEFF <?xml version="1.0"?><!-- hi --><SVG/>')), 'svg');
    assert.equal(recognizeImage(Buffer.from([0xff, 0x0a, 0x00])), 'jxl');
  });

  it('calls everything else unknown, however short', () => {
    const others = [
      '',
      'B',
      'BM I like it, said the text',
      'GIF',
      '<html><svg/></html>',
      'RIFF1234WAVE',
      '\0\0\0\0ftyp',
    ];
    for (const text of others)
      assert.equal(recognizeImage(Buffer.from(text, 'latin1')), 'unknown', JSON.stringify(text));
  });
});

describe('isAnimatedPng', () => {
  it('sees the announcement ahead of the pixels', async () => {
    assert.equal(isAnimatedPng(await animatedPng(SIZE)), true);
    assert.equal(isAnimatedPng(await quadrants(SIZE).png().toBuffer()), false);
    assert.equal(isAnimatedPng(pngOfClaimedSize(SIZE).subarray(0, 20)), false);
  });

  it('is about PNG alone', async () => {
    assert.equal(isAnimatedPng(await animation('webp', SIZE)), false);
  });
});

describe('hasEnd', () => {
  const EDGE_BYTES = 4_096;
  const isWhole = (bytes: Buffer): boolean =>
    hasEnd(recognizeImage(bytes), {
      head: bytes.subarray(0, EDGE_BYTES),
      tail: bytes.subarray(Math.max(0, bytes.length - EDGE_BYTES)),
      sizeBytes: bytes.length,
    });

  it('knows a whole picture from one that lacks its end, in each format that is asked for', async () => {
    const picture = quadrants({ width: 640, height: 480 });
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const bytes = await picture.clone().toFormat(format).toBuffer();
      assert.ok(isWhole(bytes), format);
      assert.ok(isWhole(Buffer.concat([bytes, Buffer.alloc(1_000)])), `${format}, padded`);
      for (const missingBytes of [2, 10, 100, Math.ceil(bytes.length / 2)]) {
        assert.ok(!isWhole(bytes.subarray(0, -missingBytes)), `${format} without ${missingBytes} bytes`);
      }
    }
  });

  it('believes what evens a WebP out to be of no matter', async () => {
    const odd = Buffer.concat([Buffer.from('RIFF\x0d\0\0\0WEBPVP8L', 'latin1'), Buffer.alloc(5)]);
    assert.ok(isWhole(odd));
    odd.writeUInt32LE(14, 4);
    assert.ok(isWhole(odd));
    odd.writeUInt32LE(15, 4);
    assert.ok(!isWhole(odd));
  });

  it('believes a picture of any other kind', async () => {
    const bytes = await quadrants(SIZE).gif().toBuffer();
    assert.ok(isWhole(bytes.subarray(0, -1)));
  });
});
