/**
 * The door for pictures from outside: recognised by their bytes, measured by their header, and only then opened.
 */

import type { Metadata, Sharp as Pipeline } from 'sharp';

import type { ReadableKind, UnreadableKind } from './image-recognition.ts';
import { isAnimatedPng, isReadable, recognizeImage } from './image-recognition.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageSize } from '../providers/image-provider.ts';

/** What pictures may cost. All edges and counts are in pixels. */
export type ImageLimits = {
  /** The largest picture that is decoded at all. */
  readonly sourcePixelCountMax: number;
  /** The largest AVIF that is decoded: it takes several times the memory for each pixel. */
  readonly avifPixelCountMax: number;
  /** The shortest edge that a prepared picture may have. */
  readonly edgePxMin: number;
  /** The longest edge that a prepared picture may have; larger pictures are scaled down. */
  readonly edgePxMax: number;
  /**
   * The largest prepared picture; larger ones are scaled down. Four bytes for each pixel must fit into one upload,
   * so that no prepared picture can be too large for the provider whatever it shows.
   */
  readonly pixelCountMax: number;
  /** How long one pass over a picture may take, in seconds. */
  readonly passSecondsMax: number;
};

/** The header or the pixels are damaged or cut short, or decoding took too long. */
export type UnreadableImage = { readonly kind: 'unreadable'; readonly found: ReadableKind };

/** Why a picture cannot be used. Words for people are made from these elsewhere. */
export type ImageRefusal =
  | { readonly kind: 'empty' }
  | { readonly kind: 'not-an-image'; readonly found: 'pdf' | 'unknown' }
  | { readonly kind: 'heic' }
  | { readonly kind: 'unsupported'; readonly found: Exclude<UnreadableKind, 'heic'> }
  | UnreadableImage
  | {
      readonly kind: 'too-many-pixels';
      readonly width: number;
      readonly height: number;
      readonly pixelCountMax: number;
    }
  /** Too small, or so narrow that it would be too small once its longer edge fits. */
  | { readonly kind: 'too-small'; readonly width: number; readonly height: number; readonly edgePxMin: number };

/** What the header says. Width and height are those that people see, after the camera's rotation. */
export type InspectedImage = ImageSize & {
  readonly kind: 'inspected';
  readonly source: ReadableKind;
  readonly hasAlpha: boolean;
  readonly hasSeveralFrames: boolean;
  /** How the file asks to be turned, from 1 to 8 (EXIF); 1 where it does not. */
  readonly orientation: number;
  /** Already upright, 8 bits a channel, sRGB: the pixels can stay as they are. */
  readonly isPlain: boolean;
};

/** Looks at the header only: no pixel is decoded, however large the picture says it is. */
export async function inspectImage(
  sharp: Sharp,
  bytes: Buffer,
  limits: ImageLimits,
): Promise<InspectedImage | ImageRefusal> {
  if (bytes.length === 0) return { kind: 'empty' };
  const source = recognizeImage(bytes);
  if (source === 'heic') return { kind: 'heic' };
  if (source === 'pdf' || source === 'unknown') return { kind: 'not-an-image', found: source };
  if (!isReadable(source)) return { kind: 'unsupported', found: source };

  const header = await readHeader(sharp, bytes);
  if (header === undefined) return { kind: 'unreadable', found: source };
  const { width, height } = header.autoOrient;
  const orientation = header.orientation ?? 1;
  const pixelCountMax = source === 'avif' ? limits.avifPixelCountMax : limits.sourcePixelCountMax;
  if (width * height > pixelCountMax) return { kind: 'too-many-pixels', width, height, pixelCountMax };
  return {
    kind: 'inspected',
    source,
    width,
    height,
    hasAlpha: header.hasAlpha,
    // The further pictures of an MPO are other views of the same one, not frames.
    hasSeveralFrames: source !== 'mpo' && ((header.pages ?? 1) > 1 || (source === 'png' && isAnimatedPng(bytes))),
    orientation,
    isPlain:
      header.space === 'srgb' &&
      header.depth === 'uchar' &&
      header.channels >= 3 &&
      header.icc === undefined &&
      orientation === 1,
  };
}

/** A file's bytes, or the way to them: what waits in line with only the way holds no memory. */
export type ByteSource = Buffer | (() => Promise<Buffer>);

/** @throws Whatever the loading throws. */
export async function loadBytes(source: ByteSource): Promise<Buffer> {
  return typeof source === 'function' ? await source() : source;
}

/** A picture's header, whoever made it. */
export type DescribedImage = ImageSize & {
  readonly format: Exclude<ReadableKind, 'mpo'>;
  readonly hasAlpha: boolean;
};

/** Says what a received picture really is, from its header alone; undefined where it is no picture that can be read. */
export async function describeImage(sharp: Sharp, bytes: Buffer): Promise<DescribedImage | undefined> {
  const kind = recognizeImage(bytes);
  if (!isReadable(kind)) return undefined;
  const header = await readHeader(sharp, bytes);
  if (header === undefined) return undefined;
  const { width, height } = header.autoOrient;
  return { format: kind === 'mpo' ? 'jpeg' : kind, width, height, hasAlpha: header.hasAlpha };
}

async function readHeader(sharp: Sharp, bytes: Buffer): Promise<Metadata | undefined> {
  try {
    // The limit would hide the size that a refusal has to name, and a header alone costs nothing.
    return await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch {
    return undefined;
  }
}

/** Opens the first frame for decoding: upright, bounded in pixels and time, failing on damage instead of greying it. */
export function openImage(sharp: Sharp, bytes: Buffer, limits: ImageLimits): Pipeline {
  return sharp(bytes, {
    autoOrient: true,
    // Warnings are left out: cameras in the field write files that every viewer opens and strict readers grumble at.
    failOn: 'error',
    limitInputPixels: limits.sourcePixelCountMax,
  }).timeout({ seconds: limits.passSecondsMax });
}

/** Whether both edges are equal, so that nothing has to be scaled at all. */
export function hasSameSize(one: ImageSize, other: ImageSize): boolean {
  return one.width === other.width && one.height === other.height;
}
