import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import sharp from 'sharp';

import type { FitOutcome } from '../../../src/services/images/image-preparation.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../../src/services/images/image-preparation.ts';
import { animation, decode, photograph, plane } from '../../fixtures/pictures.ts';

const SIZE = { width: 640, height: 400 };
const preparation = createImagePreparation({ concurrency: 2, waitingMax: 32, limits: STANDARD_IMAGE_LIMITS });

async function fit(bytes: Buffer, sizeBytesMax: number): Promise<Extract<FitOutcome, { kind: 'fits' }>> {
  const outcome = await preparation.fitToBytes(bytes, sizeBytesMax);
  assert.equal(outcome.kind, 'fits', JSON.stringify(outcome));
  assert.ok(outcome.bytes.length <= sizeBytesMax);
  const header = await sharp(outcome.bytes).metadata();
  assert.deepEqual([header.format, header.width, header.height], [outcome.format, outcome.width, outcome.height]);
  return outcome;
}

describe('fitToBytes', () => {
  it('leaves alone what fits, to the last byte', async () => {
    const png = await photograph(SIZE).png().toBuffer();
    const outcome = await fit(png, png.length);
    assert.equal(outcome.step, 'unchanged');
    assert.equal(outcome.bytes, png);
  });

  it('takes WebP first, at full size', async () => {
    const png = await photograph(SIZE).png().toBuffer();
    const outcome = await fit(png, png.length - 1);
    assert.deepEqual([outcome.step, outcome.format, outcome.width, outcome.height], ['webp', 'webp', 640, 400]);
  });

  it('takes JPEG where WebP is not enough and nothing shows through', async () => {
    const grain = photograph(SIZE);
    const png = await grain.clone().ensureAlpha(1).png().toBuffer();
    const [webp, jpeg] = await Promise.all([
      grain.clone().webp({ quality: 90 }).toBuffer(),
      grain.clone().jpeg({ quality: 85 }).toBuffer(),
    ]);
    assert.ok(jpeg.length < webp.length, 'this grain is smaller as JPEG');
    const outcome = await fit(png, webp.length - 1);
    assert.deepEqual([outcome.step, outcome.format, outcome.width], ['jpeg', 'jpeg', 640]);
  });

  it('scales down in the end, keeping transparency and shape', async () => {
    const seeThrough = await photograph(SIZE).ensureAlpha(0.5).png().toBuffer();
    const outcome = await fit(seeThrough, 20_000);
    assert.equal(outcome.step, 'scaled-down');
    assert.ok(outcome.width < 640 && outcome.width > 160, String(outcome.width));
    assert.ok(Math.abs(outcome.width / outcome.height - 1.6) < 0.02);
    assert.equal((await sharp(outcome.bytes).metadata()).hasAlpha, true);
  });

  it('gives up rather than posting a stamp', async () => {
    const png = await photograph(SIZE).png().toBuffer();
    assert.deepEqual(await preparation.fitToBytes(async () => png, 200), { kind: 'does-not-fit' });
  });

  it('says when there is no picture', async () => {
    const png = await photograph(SIZE).png().toBuffer();
    assert.deepEqual(await preparation.fitToBytes(async () => Buffer.from('{}'), 10), { kind: 'unreadable-result' });
    assert.deepEqual(await preparation.fitToBytes(async () => png.subarray(0, 9000), 5000), {
      kind: 'unreadable-result',
    });
  });
});

describe('fitLosslessly', () => {
  /** Small beside its pixels, and smaller still as WebP. */
  const smooth = photograph(SIZE).blur(2);

  it('leaves alone what fits', async () => {
    const png = await smooth.clone().png().toBuffer();
    const outcome = await preparation.fitLosslessly(png, png.length);
    assert.ok(outcome.kind === 'fits' && outcome.step === 'unchanged');
    assert.equal(outcome.bytes, png);
  });

  it('takes lossless WebP, in which every pixel is as it was, transparent ones too', async () => {
    const hole = { left: 100, top: 100, width: 300, height: 200 };
    const seeThrough = smooth.clone().joinChannel(plane(SIZE, 255, hole, 0), { raw: { ...SIZE, channels: 1 } });
    for (const picture of [smooth, seeThrough]) {
      const png = await picture.clone().png().toBuffer();
      const outcome = await preparation.fitLosslessly(async () => png, png.length - 1);
      assert.ok(outcome.kind === 'fits' && outcome.step === 'lossless-webp', outcome.kind);
      assert.ok(outcome.bytes.length < png.length);
      assert.equal((await sharp(outcome.bytes).metadata()).format, 'webp');
      assert.ok((await decode(outcome.bytes)).data.equals((await decode(png)).data));
    }
  });

  it('does not fit rather than losing anything', async () => {
    const png = await smooth.clone().png().toBuffer();
    const deep = await smooth.clone().toColourspace('rgb16').png().toBuffer();
    const moving = await animation('gif', SIZE);
    const wide = await smooth.clone().withIccProfile('p3').png().toBuffer();
    for (const [bytes, sizeBytesMax] of [
      [png, 10_000],
      [deep, deep.length - 1],
      [wide, wide.length - 1],
      [moving, moving.length - 1],
    ] as const) {
      assert.deepEqual(await preparation.fitLosslessly(bytes, sizeBytesMax), { kind: 'does-not-fit' });
    }
  });

  it('says when there is no picture', async () => {
    const png = await smooth.clone().png().toBuffer();
    for (const bytes of [Buffer.from('{}'), png.subarray(0, png.length / 2)]) {
      assert.deepEqual(await preparation.fitLosslessly(bytes, 1), { kind: 'unreadable-result' });
    }
  });
});
