/**
 * Lays the original over the result, both as pixels of four channels: red, green, blue and alpha, 8 bits each.
 *
 * Transparency is part of how much a pixel covers, so what is transparent in the original covers nothing, and the colour
 * that stands under it shows nowhere. This runs on the event loop, in slices like all that is done to masks: 4 ms of CPU
 * for a megapixel, where the library takes four times as long.
 */

import { inSlices } from './image-mask-area.ts';

export const PIXEL_BYTES = 4;
const ALPHA_OFFSET = 3;
const OPAQUE = 255;

/** Where the original goes; both have one byte for each pixel. */
export type Cover = {
  /** How much of the original each pixel takes, from 0 to 255. */
  readonly weights: Buffer;
  /**
   * 255 where the pixel is the original's whatever that is, transparent ones too, and else 0. Undefined where there are
   * none of these, and the result shows through whatever is transparent in the original.
   */
  readonly kept: Buffer | undefined;
};

/**
 * Changes the result in place.
 * @param original begins at a multiple of four in its memory, as the result does and all buffers that are nobody's part.
 */
export async function layOver(original: Buffer, result: Buffer, cover: Cover): Promise<void> {
  let start = 0;
  await inSlices(cover.weights, ({ length }) => {
    laySlice(original, result, cover, start, start + length);
    start += length;
  });
}

function laySlice(original: Buffer, result: Buffer, { weights, kept }: Cover, start: number, end: number): void {
  const from = new Uint32Array(original.buffer, original.byteOffset, weights.length);
  const onto = new Uint32Array(result.buffer, result.byteOffset, weights.length);
  for (let pixel = start; pixel < end; pixel += 1) {
    const isWhole = kept === undefined ? isHidden(original, weights, pixel) : kept[pixel] !== 0;
    if (isWhole) onto[pixel] = from[pixel] ?? 0;
    else if (weights[pixel] !== 0) layPixelOver(original, result, pixel * PIXEL_BYTES, weights[pixel] ?? 0);
  }
}

/** Whether nothing of the result can be seen, so that there is nothing to mix. */
function isHidden(original: Buffer, weights: Buffer, pixel: number): boolean {
  return weights[pixel] === OPAQUE && original[pixel * PIXEL_BYTES + ALPHA_OFFSET] === OPAQUE;
}

/** "Over", as Porter and Duff define it, with alphas that are no part of the colours. */
function layPixelOver(original: Buffer, result: Buffer, at: number, weight: number): void {
  const covering = ((original[at + ALPHA_OFFSET] ?? 0) * weight) / OPAQUE;
  if (covering === 0) return;
  const showing = ((result[at + ALPHA_OFFSET] ?? 0) * (OPAQUE - covering)) / OPAQUE;
  const alpha = covering + showing;
  for (let channel = at; channel < at + ALPHA_OFFSET; channel += 1) {
    const mixed = ((original[channel] ?? 0) * covering + (result[channel] ?? 0) * showing) / alpha;
    result[channel] = Math.round(mixed);
  }
  result[at + ALPHA_OFFSET] = Math.round(alpha);
}
