/**
 * Masks as people have them, made into the one form that providers take: a PNG of the picture's own size whose
 * alpha is 0 where the picture may change and 255 where it must not, and nothing in between.
 *
 * Whatever a mask looks like, it is read into the area that it keeps (`image-mask-area.ts`). One that has the form
 * already goes out as it came, without its metadata; for all others a file is written. At a megapixel reading takes
 * 7 ms of CPU, and writing 5.
 */

import type { Sharp as Pipeline } from 'sharp';

import { HeldBuffers } from './held-buffers.ts';
import { withoutMetadata } from './image-containers.ts';
import type { ImageLimits, ImageRefusal, InspectedImage, UnreadableImage } from './image-intake.ts';
import { hasSameSize, inspectImage, openImage } from './image-intake.ts';
import type { AlignedMask, MaskedImage } from './image-mask-alignment.ts';
import { alignMask } from './image-mask-alignment.ts';
import type { MaskArea } from './image-mask-area.ts';
import { harden, invert, toPixels } from './image-mask-area.ts';
import { sampleInk } from './image-mask-ink.ts';
import type { MaskMarks } from './image-mask-polarity.ts';
import { isFramedBy, judgePolarity } from './image-mask-polarity.ts';
import type { ReadableKind } from './image-recognition.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageSize } from '../providers/image-provider.ts';

/**
 * What made a part of the picture editable: transparency, a colour, a mask that was painted on it, a named region, or the
 * picture's own transparency.
 */
export const MASK_SOURCES = ['alpha', 'white', 'black', 'painted', 'region', 'own-transparency'] as const;
export type MaskSource = (typeof MASK_SOURCES)[number];

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

/** What providers take as a mask. */
const MASK_BYTES_MAX = 4_000_000;
/** Masks are flat areas: beyond this, time buys no size. */
const COMPRESSION_LEVEL = 2;

/**
 * Reads a mask for a prepared picture. Where any pixel is transparent, alpha decides (transparent = edit); otherwise
 * black and white do, as `image-mask-polarity.ts` says.
 * @param marks what marks the part that may change, where whoever drew the mask has said so; it decides, then.
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
    const byAlpha =
      source.hasAlpha && marks === undefined ? await readAlpha(sharp, mask, source, image, limits) : undefined;
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
  source: InspectedImage,
  image: ImageSize,
  limits: ImageLimits,
): Promise<PreparedMask | MaskRefusal | AmbiguousMask | undefined> {
  const kept = await keptByAlpha(sharp, mask, image, limits);
  const { plane, editableCount, wasHard } = kept;
  if (editableCount === 0) return undefined;
  // Strokes of one colour on an empty layer: some mean the strokes by that, and others what is left around them.
  if (isFramedBy(0, plane, image)) {
    const { only } = await sampleInk(sharp, mask.bytes, limits);
    const emptyShare = editableCount / plane.length;
    if (only) return { kind: 'ambiguous-mask', whiteShare: only === 'white' ? 1 - emptyShare : emptyShare };
  }
  const isReady = wasHard && source.source === 'png' && mask.isPlain && hasSameSize(mask, image);
  return finishMask(sharp, kept, image, 'alpha', isReady ? await readyFile(mask.bytes) : undefined);
}

/** The file that somebody made, where it is one that providers take; its colours say nothing, and do no harm. */
async function readyFile(bytes: Buffer): Promise<Buffer | undefined> {
  const plain = await withoutMetadata('png', bytes);
  return plain?.isProvenWhole && plain.bytes.length <= MASK_BYTES_MAX ? plain.bytes : undefined;
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
  const white = await harden(await readPlane(scalePlane(gray, mask, image).toColourspace('b-w')));
  const whiteShare = 1 - white.editableCount / white.plane.length;
  const meant = marks ?? judgePolarity(white.plane, image, whiteShare);
  if (meant === undefined) return { kind: 'ambiguous-mask', whiteShare };
  return finishMask(sharp, meant === 'white' ? await invert(white) : white, image, meant);
}

/**
 * The prepared picture's own transparency as its mask: what was erased may change. No mask where nothing was erased,
 * and none where all of it was, because then the whole picture may change anyway. The pixels of the picture may be
 * decoded here for the first time, so this is also where damage can show.
 */
export async function maskFromOwnTransparency(
  sharp: Sharp,
  image: ImageSize & { readonly bytes: Buffer; readonly hasAlpha: boolean; readonly source: ReadableKind },
  limits: ImageLimits,
): Promise<PreparedMask | NoMask | UnreadableImage> {
  if (!image.hasAlpha) return { kind: 'no-mask' };
  const kept = await keptByAlpha(sharp, { ...image, isPlain: true }, image, limits).catch(() => undefined);
  if (kept === undefined) return { kind: 'unreadable', found: image.source };
  if (!(await hasHole(kept, image))) return { kind: 'no-mask' };
  const mask = await finishMask(sharp, kept, image, 'own-transparency');
  return mask.kind === 'prepared-mask' ? mask : { kind: 'no-mask' };
}

async function hasHole({ plane }: MaskArea, { width, height }: ImageSize): Promise<boolean> {
  const edge = Math.floor(Math.min(width, height) * CORNER_SHARE);
  const withoutCorners = Buffer.from(plane);
  for (let row = 0; row < edge; row += 1) {
    for (const y of [row, height - 1 - row]) {
      withoutCorners.fill(255, y * width, y * width + edge);
      withoutCorners.fill(255, (y + 1) * width - edge, (y + 1) * width);
    }
  }
  return (await harden(withoutCorners)).editableCount >= plane.length * HOLE_SHARE_MIN;
}

/** A ready-made mask for a picture of at least 4 × 4 pixels. */
export async function maskFromRegion(
  sharp: Sharp,
  region: MaskRegion,
  image: ImageSize,
): Promise<PreparedMask | MaskRefusal> {
  const isInverted = region === 'surroundings';
  const plane = Buffer.alloc(image.width * image.height, isInverted ? 0 : 255);
  const [left, top, right, bottom] = REGION_EDGES[region];
  for (let y = Math.round(top * image.height); y < Math.round(bottom * image.height); y += 1) {
    const row = y * image.width;
    plane.fill(isInverted ? 255 : 0, row + Math.round(left * image.width), row + Math.round(right * image.width));
  }
  return await finishMask(sharp, await harden(plane), image, 'region');
}

/**
 * The kept area that a picture's alpha describes, at the wanted size.
 * @param from.isPlain whether it has 8 bits a channel and is in sRGB.
 */
export async function keptByAlpha(
  sharp: Sharp,
  from: ImageSize & { readonly bytes: Buffer; readonly isPlain: boolean },
  to: ImageSize,
  limits: ImageLimits,
): Promise<MaskArea & { readonly wasHard: boolean }> {
  const opened = openImage(sharp, from.bytes, limits);
  // Deep alpha has to be brought to 8 bits before and after; where there is none, that would be 25 ms for nothing.
  const alpha = from.isPlain
    ? scalePlane(opened.extractChannel('alpha'), from, to)
    : scalePlane(opened.toColourspace('srgb').extractChannel('alpha'), from, to).toColourspace('b-w');
  return await harden(await readPlane(alpha));
}

/** Enlarging repeats pixels, so that edges stay where they were painted; shrinking averages the pixels that meet. */
function scalePlane(plane: Pipeline, from: ImageSize, to: ImageSize): Pipeline {
  if (hasSameSize(from, to)) return plane;
  const kernel = to.width > from.width ? 'nearest' : 'linear';
  return plane.resize(to.width, to.height, { fit: 'fill', kernel });
}

async function readPlane(plane: Pipeline): Promise<Buffer> {
  return await plane.raw({ depth: 'uchar' }).toBuffer();
}

/**
 * Uses the area up.
 * @param ready the mask's file, where there is one that needs no change.
 */
async function finishMask(
  sharp: Sharp,
  kept: MaskArea,
  { width, height }: ImageSize,
  source: MaskSource,
  ready?: Buffer,
): Promise<PreparedMask | MaskRefusal> {
  using held = new HeldBuffers();
  const { plane, editableCount } = kept;
  held.hold(plane);
  if (editableCount === 0) return { kind: 'nothing-to-edit' };
  if (editableCount === plane.length) return { kind: 'everything-to-edit' };
  const bytes = ready ?? (await writeMask(sharp, kept, { width, height }));
  return {
    kind: 'prepared-mask',
    bytes,
    contentType: 'image/png',
    width,
    height,
    source,
    coveredShare: editableCount / plane.length,
  };
}

/** Deflate brings the worst case, noise at the largest prepared size, to about 3 MB, which is less than providers take. */
async function writeMask(sharp: Sharp, kept: MaskArea, { width, height }: ImageSize): Promise<Buffer> {
  return await sharp(await toPixels(kept), { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: COMPRESSION_LEVEL })
    .toBuffer();
}
