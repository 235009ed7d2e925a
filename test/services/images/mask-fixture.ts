import assert from 'node:assert/strict';
import sharp from 'sharp';
import type { MaskMarks, PreparedImage, PreparedMask } from '../../../src/services/images/image-preparation.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../../src/services/images/image-preparation.ts';
import type { Size } from '../../fixtures/pictures.ts';
import { photograph } from '../../fixtures/pictures.ts';

export const SIZE = { width: 120, height: 80 };
export const HOLE = { left: 30, top: 20, width: 60, height: 40 };
/** 60 × 40 of 120 × 80. */
export const HOLE_SHARE = 0.25;
export const preparation = createImagePreparation({ concurrency: 2, waitingMax: 32, limits: STANDARD_IMAGE_LIMITS });

export async function prepareImage(bytes: Buffer): Promise<PreparedImage> {
  const prepared = await preparation.prepareImage(bytes);
  assert.equal(prepared.kind, 'prepared-image', JSON.stringify(prepared));
  return prepared;
}

export async function imageOf(size: Size): Promise<PreparedImage> {
  return await prepareImage(await photograph(size).png().toBuffer());
}

export async function prepareMask(bytes: Buffer, image: PreparedImage, marks?: MaskMarks): Promise<PreparedMask> {
  const prepared = await preparation.prepareMask(bytes, image, marks);
  assert.equal(prepared.kind, 'prepared-mask', JSON.stringify(prepared));
  return prepared;
}

export async function refusalOf(bytes: Buffer, image: PreparedImage): Promise<string> {
  return (await preparation.prepareMask(bytes, image)).kind;
}

/** The alpha of a prepared mask, after asserting that it is in the form that providers take. */
export async function alphaOf(mask: PreparedMask, image: Size): Promise<Buffer> {
  const header = await sharp(mask.bytes).metadata();
  assert.deepEqual([header.format, header.channels, header.depth], ['png', 4, 'uchar']);
  assert.deepEqual([header.width, header.height], [image.width, image.height]);
  assert.deepEqual([mask.width, mask.height], [image.width, image.height]);
  const alpha = await sharp(mask.bytes).extractChannel('alpha').raw().toBuffer();
  let editableCount = 0;
  for (const value of alpha) {
    assert.ok(value === 0 || value === 255, `alpha ${value} is neither kept nor editable`);
    if (value === 0) editableCount += 1;
  }
  assert.equal(mask.coveredShare, editableCount / alpha.length);
  return alpha;
}

/** A file of one colour. */
export async function plainSheet(background: string): Promise<Buffer> {
  return sharp({ create: { ...SIZE, channels: 4, background } })
    .png()
    .toBuffer();
}
