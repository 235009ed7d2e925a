/** What somebody drew a mask with, told by samples of its file: enough to tell a mask from a photograph. */

import type { ImageLimits } from './image-intake.ts';
import { openImage } from './image-intake.ts';
import { HALFWAY } from './image-mask-area.ts';
import type { Sharp } from './image-workshop.ts';

export type MaskInk = {
  /** Hardly any colour, and few greys far from both black and white, wherever there is something to be seen. */
  readonly isBlackAndWhite: boolean;
  /** The one colour of everything that can be seen; undefined where there are both, or others. */
  readonly only: 'white' | 'black' | undefined;
};

/** The samples' longest edge: few enough to be looked at in a millisecond. */
const SAMPLE_EDGE_PX = 256;
/** Channels further apart than this are a colour; JPEG's noise around black-and-white edges stays below. */
const COLORFUL_SPREAD_MIN = 48;
/** Stray colour (a cursor, a logo) that is still no picture. */
const COLORFUL_SHARE_MAX = 0.02;
/** Greys further from both ends than this are neither black nor white. */
const MIDDLE_GRAY_MARGIN = 64;
/** Soft brushes leave some grey; a grey photograph is mostly grey. */
const MIDDLE_GRAY_SHARE_MAX = 0.25;
/** Specks of the other colour, such as the edge of a brush, leave it one colour. */
const ONE_COLOUR_SHARE_MIN = 0.98;

export async function sampleInk(sharp: Sharp, bytes: Buffer, limits: ImageLimits): Promise<MaskInk> {
  const samples = await openImage(sharp, bytes, limits)
    .resize(SAMPLE_EDGE_PX, SAMPLE_EDGE_PX, { fit: 'inside', kernel: 'nearest', fastShrinkOnLoad: false })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer();
  let seen = 0;
  let colorful = 0;
  let middleGray = 0;
  let bright = 0;
  for (let offset = 0; offset < samples.length; offset += 4) {
    if (samples.readUInt8(offset + 3) < HALFWAY) continue;
    const red = samples.readUInt8(offset);
    const green = samples.readUInt8(offset + 1);
    const blue = samples.readUInt8(offset + 2);
    const highest = Math.max(red, green, blue);
    seen += 1;
    if (highest - Math.min(red, green, blue) >= COLORFUL_SPREAD_MIN) colorful += 1;
    if (green >= MIDDLE_GRAY_MARGIN && green < 256 - MIDDLE_GRAY_MARGIN) middleGray += 1;
    if (green >= HALFWAY) bright += 1;
  }
  const isBlackAndWhite = colorful <= seen * COLORFUL_SHARE_MAX && middleGray <= seen * MIDDLE_GRAY_SHARE_MAX;
  return { isBlackAndWhite, only: isBlackAndWhite ? onlyColour(bright, seen) : undefined };
}

function onlyColour(bright: number, seen: number): MaskInk['only'] {
  if (seen === 0) return undefined;
  if (bright >= seen * ONE_COLOUR_SHARE_MIN) return 'white';
  return seen - bright >= seen * ONE_COLOUR_SHARE_MIN ? 'black' : undefined;
}
