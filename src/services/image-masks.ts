/**
 * Masks as people have them, made into the one form that providers take: a PNG of the picture's own size whose
 * alpha is 0 where the picture may change and 255 where it must not, and nothing in between.
 *
 * In between stands the kept area: one byte for each pixel, row by row, 255 = kept, 0 = editable.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Sharp as Pipeline } from 'sharp';

import {
  hasSameShape,
  hasSameSize,
  inspectImage,
  openImage,
  type ImageLimits,
  type ImageRefusal,
} from './image-intake.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageSize } from './providers/image-provider.ts';

/** What made a pixel editable: transparency, white, or a named region. */
export type MaskMeaning = 'alpha' | 'black-and-white' | 'region';

export type PreparedMask = ImageSize & {
  readonly kind: 'prepared-mask';
  /** PNG, RGBA. */
  readonly bytes: Buffer;
  readonly contentType: 'image/png';
  readonly meaning: MaskMeaning;
  /** The editable share of the picture, between 0 and 1, both excluded. */
  readonly coveredShare: number;
};

/** Why a mask cannot be used. Kinds of `ImageRefusal` are about the mask's own file here. */
export type MaskRefusal =
  | ImageRefusal
  | { readonly kind: 'shapes-differ'; readonly mask: ImageSize; readonly image: ImageSize }
  | { readonly kind: 'nothing-to-edit' }
  | { readonly kind: 'everything-to-edit' }
  /** Neither transparent anywhere nor black and white. */
  | { readonly kind: 'not-a-mask' };

/** Ready-made masks: what is named is what may change. `centre` is the middle half of both edges. */
export const MASK_REGIONS = ['left', 'right', 'top', 'bottom', 'centre', 'surroundings'] as const;
export type MaskRegion = (typeof MASK_REGIONS)[number];

/** The rectangle that each region is about, as shares of the edges: left, top, right, bottom. */
const REGION_EDGES: { readonly [Region in MaskRegion]: readonly [number, number, number, number] } = {
  left: [0, 0, 0.5, 1],
  right: [0.5, 0, 1, 1],
  top: [0, 0, 1, 0.5],
  bottom: [0, 0.5, 1, 1],
  centre: [0.25, 0.25, 0.75, 0.75],
  // The same rectangle, only that everything around it may change.
  surroundings: [0.25, 0.25, 0.75, 0.75],
};

/** Halfway between the two meanings a pixel can have; also undoes what JPEG and soft brushes add. */
const HALFWAY = 128;

/** The samples' longest edge: enough to tell a mask from a photograph, few enough to be looked at in a millisecond. */
const SAMPLE_EDGE_PX = 256;
/** Channels further apart than this are a colour; JPEG's noise around black-and-white edges stays below. */
const COLORFUL_SPREAD_MIN = 48;
/** Stray colour (a cursor, a logo) that is still no picture. */
const COLORFUL_SHARE_MAX = 0.02;
/** Greys further from both ends than this are neither black nor white. */
const MIDDLE_GRAY_MARGIN = 64;
/** Soft brushes leave some grey; a grey photograph is mostly grey. */
const MIDDLE_GRAY_SHARE_MAX = 0.25;

/** How much is counted between two turns of the event loop: well under a millisecond. */
const COUNT_SLICE_BYTES = 256 * 1024;

/**
 * Reads a mask for a prepared picture. Where any pixel is transparent, alpha decides (transparent = edit); otherwise
 * brightness does (white = edit).
 */
export async function prepareMask(
  sharp: Sharp,
  bytes: Buffer,
  image: ImageSize,
  limits: ImageLimits,
): Promise<PreparedMask | MaskRefusal> {
  const source = await inspectImage(sharp, bytes, limits);
  if (source.kind !== 'inspected') return source;
  if (!hasSameShape(source, image)) {
    const { width, height } = source;
    return { kind: 'shapes-differ', mask: { width, height }, image: { width: image.width, height: image.height } };
  }

  try {
    if (source.hasAlpha) {
      const kept = await keptByAlpha(sharp, bytes, source, image, limits);
      if (kept.includes(0)) return await finishMask(sharp, kept, image, 'alpha');
    }
    if (!(await isBlackAndWhite(sharp, bytes, limits))) return { kind: 'not-a-mask' };
    const kept = await keptByBrightness(sharp, bytes, source, image, limits);
    return await finishMask(sharp, kept, image, 'black-and-white');
  } catch {
    // The library tells damage in the pixels only by throwing.
    return { kind: 'unreadable', found: source.source };
  }
}

/** The prepared picture's own transparency as its mask. */
export async function maskFromAlpha(
  sharp: Sharp,
  image: ImageSize & { readonly bytes: Buffer; readonly hasAlpha: boolean },
  limits: ImageLimits,
): Promise<PreparedMask | MaskRefusal> {
  if (!image.hasAlpha) return { kind: 'nothing-to-edit' };
  const kept = await keptByAlpha(sharp, image.bytes, image, image, limits);
  return await finishMask(sharp, kept, image, 'alpha');
}

/** A ready-made mask for a picture of at least 4 × 4 pixels. */
export async function maskFromRegion(
  sharp: Sharp,
  region: MaskRegion,
  image: ImageSize,
): Promise<PreparedMask | MaskRefusal> {
  const isInverted = region === 'surroundings';
  const kept = Buffer.alloc(image.width * image.height, isInverted ? 0 : 255);
  const [left, top, right, bottom] = REGION_EDGES[region];
  for (let y = Math.round(top * image.height); y < Math.round(bottom * image.height); y += 1) {
    const row = y * image.width;
    kept.fill(isInverted ? 255 : 0, row + Math.round(left * image.width), row + Math.round(right * image.width));
  }
  return await finishMask(sharp, kept, image, 'region');
}

/** The kept area that a picture's alpha describes, at the wanted size. */
export async function keptByAlpha(
  sharp: Sharp,
  bytes: Buffer,
  from: ImageSize,
  to: ImageSize,
  limits: ImageLimits,
): Promise<Buffer> {
  const alpha = openImage(sharp, bytes, limits).toColourspace('srgb').extractChannel('alpha');
  return await harden(sharp, scalePlane(alpha, from, to), to);
}

async function keptByBrightness(
  sharp: Sharp,
  bytes: Buffer,
  from: ImageSize,
  to: ImageSize,
  limits: ImageLimits,
): Promise<Buffer> {
  // White is what may change, so the kept area is the negative.
  const darkness = openImage(sharp, bytes, limits).removeAlpha().greyscale().negate();
  return await harden(sharp, scalePlane(darkness, from, to), to);
}

/** Enlarging repeats pixels, so that edges stay where they were painted; shrinking averages the pixels that meet. */
function scalePlane(plane: Pipeline, from: ImageSize, to: ImageSize): Pipeline {
  if (hasSameSize(from, to)) return plane;
  const kernel = to.width > from.width ? 'nearest' : 'linear';
  return plane.resize(to.width, to.height, { fit: 'fill', kernel });
}

/** Brings one channel to 0 and 255 alone. */
async function harden(sharp: Sharp, plane: Pipeline, { width, height }: ImageSize): Promise<Buffer> {
  // Two passes: in one, 16-bit sources would meet the threshold before they are brought to 8 bits.
  const soft = await plane.toColourspace('b-w').raw({ depth: 'uchar' }).toBuffer();
  return await sharp(soft, { raw: { width, height, channels: 1 } })
    .threshold(HALFWAY)
    .toColourspace('b-w')
    .raw()
    .toBuffer();
}

/** Looks at samples: hardly any colour, and few greys far from both black and white. */
async function isBlackAndWhite(sharp: Sharp, bytes: Buffer, limits: ImageLimits): Promise<boolean> {
  const samples = await openImage(sharp, bytes, limits)
    .resize(SAMPLE_EDGE_PX, SAMPLE_EDGE_PX, { fit: 'inside', kernel: 'nearest', fastShrinkOnLoad: false })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  let colorful = 0;
  let middleGray = 0;
  for (let offset = 0; offset < samples.length; offset += 3) {
    const red = samples.readUInt8(offset);
    const green = samples.readUInt8(offset + 1);
    const blue = samples.readUInt8(offset + 2);
    const highest = Math.max(red, green, blue);
    if (highest - Math.min(red, green, blue) >= COLORFUL_SPREAD_MIN) colorful += 1;
    if (green >= MIDDLE_GRAY_MARGIN && green < 256 - MIDDLE_GRAY_MARGIN) middleGray += 1;
  }
  const sampleCount = samples.length / 3;
  return colorful <= sampleCount * COLORFUL_SHARE_MAX && middleGray <= sampleCount * MIDDLE_GRAY_SHARE_MAX;
}

async function finishMask(
  sharp: Sharp,
  kept: Buffer,
  { width, height }: ImageSize,
  meaning: MaskMeaning,
): Promise<PreparedMask | MaskRefusal> {
  const editableCount = await countZeros(kept);
  if (editableCount === 0) return { kind: 'nothing-to-edit' };
  if (editableCount === kept.length) return { kind: 'everything-to-edit' };
  // Deflate brings the worst case, noise at the largest prepared size, to about 2 MB: half of what providers take.
  const bytes = await sharp({ create: { width, height, channels: 3, background: 'black' } })
    .joinChannel(kept, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  return {
    kind: 'prepared-mask',
    bytes,
    contentType: 'image/png',
    width,
    height,
    meaning,
    coveredShare: editableCount / kept.length,
  };
}

/** Counts in slices, so that commands are acknowledged between them. */
async function countZeros(bytes: Buffer): Promise<number> {
  let count = 0;
  for (let start = 0; start < bytes.length; start += COUNT_SLICE_BYTES) {
    for (const value of bytes.subarray(start, start + COUNT_SLICE_BYTES)) if (value === 0) count += 1;
    await nextTurn();
  }
  return count;
}
