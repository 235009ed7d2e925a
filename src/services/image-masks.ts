/**
 * Masks as people have them, made into the one form that providers take: a PNG of the picture's own size whose
 * alpha is 0 where the picture may change and 255 where it must not, and nothing in between.
 *
 * In between stands the kept area: one byte for each pixel, row by row, 255 = kept, 0 = editable.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Sharp as Pipeline } from 'sharp';

import { hasSameSize, inspectImage, openImage, type ImageLimits, type ImageRefusal } from './image-intake.ts';
import { alignMask, type AlignedMask, type MaskedImage } from './image-mask-alignment.ts';
import { HALFWAY, sampleInk } from './image-mask-ink.ts';
import { isFramedBy, judgePolarity, type MaskMarks } from './image-mask-polarity.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageSize } from './providers/image-provider.ts';

/** What made a part of the picture editable: transparency, a colour, a named region, or the picture's own transparency. */
export type MaskSource = 'alpha' | 'white' | 'black' | 'region' | 'own-transparency';

export type PreparedMask = ImageSize & {
  readonly kind: 'prepared-mask';
  /** PNG, RGBA. */
  readonly bytes: Buffer;
  readonly contentType: 'image/png';
  readonly source: MaskSource;
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

/** The mask could be meant either way. The share of the picture that is white, between 0 and 1. */
export type AmbiguousMask = { readonly kind: 'ambiguous-mask'; readonly whiteShare: number };

/** The picture has no transparent part that could stand for a mask. */
export type NoMask = { readonly kind: 'no-mask' };

/** Ready-made masks: what is named is what may change. `centre` is the middle half of both edges. */
export const MASK_REGIONS = ['left', 'right', 'top', 'bottom', 'centre', 'surroundings'] as const;
export type MaskRegion = (typeof MASK_REGIONS)[number];

/** Stands among the regions for no mask at all, whatever the picture itself would suggest. */
export const WHOLE_REGION = 'whole';

export function isMaskRegion(name: string): name is MaskRegion {
  return (MASK_REGIONS as readonly string[]).includes(name);
}

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

/** Rounded corners are no hole: transparency counts as one only where some of it is outside of these, ... */
const CORNER_SHARE = 0.25;
/** ... and where it is more than a few stray pixels. Both are shares: of the shorter edge, and of the picture. */
const HOLE_SHARE_MIN = 0.001;

/** How much is counted between two turns of the event loop: well under a millisecond. */
const COUNT_SLICE_BYTES = 256 * 1024;

/**
 * Reads a mask for a prepared picture. Where any pixel is transparent, alpha decides (transparent = edit); otherwise
 * black and white do, as `image-mask-polarity.ts` says.
 * @param marks What marks the part that may change, where whoever drew the mask has said so; it decides, then.
 */
export async function prepareMask(
  sharp: Sharp,
  bytes: Buffer,
  image: MaskedImage,
  marks: MaskMarks | undefined,
  limits: ImageLimits,
): Promise<PreparedMask | MaskRefusal | AmbiguousMask> {
  const source = await inspectImage(sharp, bytes, limits);
  if (source.kind !== 'inspected') return source;
  try {
    const mask = await alignMask(sharp, bytes, source, image, limits);
    if (mask === undefined) {
      const { width, height } = source;
      return { kind: 'shapes-differ', mask: { width, height }, image: { width: image.width, height: image.height } };
    }
    const byAlpha = source.hasAlpha && marks === undefined ? await readAlpha(sharp, mask, image, limits) : undefined;
    return byAlpha ?? (await readColours(sharp, mask, image, marks, limits));
  } catch {
    // The library tells damage in the pixels only by throwing.
    return { kind: 'unreadable', found: source.source };
  }
}

/** Undefined where no pixel is transparent. */
async function readAlpha(
  sharp: Sharp,
  mask: AlignedMask,
  image: ImageSize,
  limits: ImageLimits,
): Promise<PreparedMask | MaskRefusal | AmbiguousMask | undefined> {
  const kept = await keptByAlpha(sharp, mask.bytes, mask, image, limits);
  if (!kept.includes(0)) return undefined;
  // Strokes of one colour on an empty layer: some mean the strokes by that, and others what is left around them.
  if (isFramedBy(0, kept, image)) {
    const { only } = await sampleInk(sharp, mask.bytes, limits);
    const emptyShare = (await countZeros(kept)) / kept.length;
    if (only) return { kind: 'ambiguous-mask', whiteShare: only === 'white' ? 1 - emptyShare : emptyShare };
  }
  return finishMask(sharp, kept, image, 'alpha');
}

async function readColours(
  sharp: Sharp,
  mask: AlignedMask,
  image: ImageSize,
  marks: MaskMarks | undefined,
  limits: ImageLimits,
): Promise<PreparedMask | MaskRefusal | AmbiguousMask> {
  const ink = await sampleInk(sharp, mask.bytes, limits);
  if (!ink.isBlackAndWhite) return { kind: 'not-a-mask' };
  // What is transparent is the sheet under the drawing, and not what was drawn.
  const background = (ink.only ?? marks) === 'black' ? 'white' : 'black';
  const gray = openImage(sharp, mask.bytes, limits).flatten({ background }).greyscale();
  const white = await harden(sharp, scalePlane(gray, mask, image), image);
  const whiteShare = 1 - (await countZeros(white)) / white.length;
  const meant = marks ?? judgePolarity(white, image, whiteShare);
  if (meant === undefined) return { kind: 'ambiguous-mask', whiteShare };
  return finishMask(sharp, meant === 'white' ? await negate(sharp, white, image) : white, image, meant);
}

/**
 * The prepared picture's own transparency as its mask: what was erased may change. No mask where nothing was erased,
 * and none where all of it was, because then the whole picture may change anyway.
 */
export async function maskFromOwnTransparency(
  sharp: Sharp,
  image: ImageSize & { readonly bytes: Buffer; readonly hasAlpha: boolean },
  limits: ImageLimits,
): Promise<PreparedMask | NoMask> {
  if (!image.hasAlpha) return { kind: 'no-mask' };
  const kept = await keptByAlpha(sharp, image.bytes, image, image, limits);
  if (!(await hasHole(kept, image))) return { kind: 'no-mask' };
  const mask = await finishMask(sharp, kept, image, 'own-transparency');
  return mask.kind === 'prepared-mask' ? mask : { kind: 'no-mask' };
}

async function hasHole(kept: Buffer, { width, height }: ImageSize): Promise<boolean> {
  const edge = Math.floor(Math.min(width, height) * CORNER_SHARE);
  const withoutCorners = Buffer.from(kept);
  for (let row = 0; row < edge; row += 1) {
    for (const y of [row, height - 1 - row]) {
      withoutCorners.fill(255, y * width, y * width + edge);
      withoutCorners.fill(255, (y + 1) * width - edge, (y + 1) * width);
    }
  }
  return (await countZeros(withoutCorners)) >= kept.length * HOLE_SHARE_MIN;
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

async function negate(sharp: Sharp, plane: Buffer, { width, height }: ImageSize): Promise<Buffer> {
  return await sharp(plane, { raw: { width, height, channels: 1 } })
    .negate()
    .toColourspace('b-w')
    .raw()
    .toBuffer();
}

async function finishMask(
  sharp: Sharp,
  kept: Buffer,
  { width, height }: ImageSize,
  source: MaskSource,
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
    source,
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
