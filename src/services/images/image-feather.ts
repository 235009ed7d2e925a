/** The seam between what is kept and what was edited. */

import type { Sharp } from './image-workshop.ts';
import type { ImageSize } from '../providers/image-provider.ts';

/** How far into the mask the original can still be seen, at most. */
export const FEATHER_PX = 4;
/** The library cuts a Gaussian off at this share of its height. */
const BLUR_CUT = 0.2;
/** The width of a Gaussian that ends after `FEATHER_PX` pixels. */
const FEATHER_SIGMA = FEATHER_PX / Math.sqrt(-2 * Math.log(BLUR_CUT));
/** Steep enough that a thin brush stroke still shows the result in its middle. */
const FEATHER_SLOPE = 3;

/**
 * How much of the original each pixel takes: 255 in the whole kept area, falling to 0 within `FEATHER_PX` outside it.
 *
 * A blurred straight edge is at half its height on the edge itself. The slope is laid through full height there, and
 * the kept area is put back over it bit by bit, so that none of its corners is softened.
 */
export async function featherInwards(sharp: Sharp, kept: Buffer, size: ImageSize): Promise<Buffer> {
  const plane = { raw: { ...size, channels: 1 } } as const;
  const halfHeight = 255 / 2;
  return await sharp(kept, plane)
    .blur({ sigma: FEATHER_SIGMA, minAmplitude: BLUR_CUT })
    .linear(FEATHER_SLOPE, 255 - FEATHER_SLOPE * halfHeight)
    .boolean(kept, 'or', plane)
    .toColourspace('b-w')
    .raw()
    .toBuffer();
}
