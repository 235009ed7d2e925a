/**
 * Lays a mask over its picture.
 *
 * Cameras store pictures lying, with a note (EXIF) of how to turn them. Programs that draw masks pass that note on, or
 * turn the pixels, or overlook it, or do both and turn them twice. What people see comes first; where that has another
 * shape than the picture, the mask is taken as it is stored, and then turned as the picture is, if that makes it fit.
 *
 * A mask is drawn on the picture that somebody has, and that may have been scaled down since. Where that is narrow, whole
 * pixels change its shape, so the shape of before fits as well.
 */

import type { ImageLimits, InspectedImage } from './image-intake.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageSize } from '../providers/image-provider.ts';
import { hasSameShape } from '../providers/image-sizes.ts';

/** A picture that a mask belongs to. */
export type MaskedImage = ImageSize & {
  /** How its file asks to be turned, from 1 to 8 (EXIF): 1 where not at all, from 5 on to the other side. */
  readonly orientation: number;
  /** Its upright size before it was scaled down; undefined where nothing was scaled. */
  readonly scaledDownFrom: ImageSize | undefined;
};

/** A mask's file, and its size as it lies over the picture. */
export type AlignedMask = ImageSize & {
  readonly bytes: Buffer;
  /** Whether its pixels are stored as they lie over the picture, with 8 bits a channel and in sRGB. */
  readonly isPlain: boolean;
};

const UPRIGHT = 1;
const FIRST_ON_ITS_SIDE = 5;

/** Undefined where the shapes differ however it is turned. What the library throws on damage comes through. */
export async function alignMask(
  sharp: Sharp,
  bytes: Buffer,
  mask: InspectedImage,
  image: MaskedImage,
  limits: ImageLimits,
): Promise<AlignedMask | undefined> {
  if (fits(mask, image)) return { bytes, width: mask.width, height: mask.height, isPlain: mask.isPlain };
  const stored = turnSize(mask, mask.orientation);
  for (const orientation of [UPRIGHT, image.orientation]) {
    const size = turnSize(stored, orientation);
    if (fits(size, image)) {
      return { ...size, bytes: await noteOrientation(sharp, bytes, orientation, limits), isPlain: false };
    }
  }
  return undefined;
}

function fits(mask: ImageSize, image: MaskedImage): boolean {
  const { scaledDownFrom = image } = image;
  return hasSameShape(mask, image) || hasSameShape(mask, scaledDownFrom);
}

function turnSize({ width, height }: ImageSize, orientation: number): ImageSize {
  return orientation >= FIRST_ON_ITS_SIDE ? { width: height, height: width } : { width, height };
}

/** The pixels as they are stored, with another note of how to turn them. */
async function noteOrientation(sharp: Sharp, bytes: Buffer, orientation: number, limits: ImageLimits): Promise<Buffer> {
  return sharp(bytes, { failOn: 'error', limitInputPixels: limits.sourcePixelCountMax })
    .timeout({ seconds: limits.passSecondsMax })
    .withMetadata({ orientation })
    .png()
    .toBuffer();
}
