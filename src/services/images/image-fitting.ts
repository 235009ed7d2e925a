/** Makes a result small enough for where it is to be posted, at the least loss that does it. */

import type { ByteSource, DescribedImage, ImageLimits } from './image-intake.ts';
import { describeImage, inspectImage, loadBytes, openImage } from './image-intake.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageSize } from '../providers/image-provider.ts';

export type FitOutcome =
  | (ImageSize & {
      readonly kind: 'fits';
      readonly bytes: Buffer;
      readonly format: DescribedImage['format'];
      /** What had to be done; the first of these that was enough. */
      readonly step: 'unchanged' | 'lossless-webp' | 'webp' | 'jpeg' | 'scaled-down';
    })
  | { readonly kind: 'does-not-fit' }
  | { readonly kind: 'unreadable-result' };

/** How long a lossless WebP is worked on, 0 to 6: up to here time buys size, and beyond it only takes longer. */
const WEBP_LOSSLESS_EFFORT = 4;
/** A quality that nobody sees in a chat, for the first two steps. */
const WEBP_QUALITY_FULL_SIZE = 90;
const JPEG_QUALITY_FULL_SIZE = 85;
/** Once pixels are given up anyway, a little more loss keeps more of them. */
const WEBP_QUALITY_SCALED = 80;
const SCALE_ATTEMPTS_MAX = 4;
/** Bytes for each pixel grow as a picture shrinks, so each attempt aims below the limit. */
const SCALE_MARGIN = 0.9;
/** Smaller than this, a picture is no longer worth posting. */
const EDGE_PX_MIN = 64;

/**
 * @param sizeBytesMax the largest file that can be posted, in bytes.
 * @throws Whatever the loading throws.
 */
export async function fitToBytes(
  sharp: Sharp,
  source: ByteSource,
  sizeBytesMax: number,
  limits: ImageLimits,
): Promise<FitOutcome> {
  const bytes = await loadBytes(source);
  const image = await describeImage(sharp, bytes);
  if (image === undefined) return { kind: 'unreadable-result' };
  const { width, height } = image;
  if (bytes.length <= sizeBytesMax)
    return { kind: 'fits', bytes, format: image.format, width, height, step: 'unchanged' };

  try {
    const webp = await openImage(sharp, bytes, limits).webp({ quality: WEBP_QUALITY_FULL_SIZE }).toBuffer();
    if (webp.length <= sizeBytesMax) return { kind: 'fits', bytes: webp, format: 'webp', width, height, step: 'webp' };

    if (await isOpaque(sharp, bytes, image, limits)) {
      const jpeg = await openImage(sharp, bytes, limits).jpeg({ quality: JPEG_QUALITY_FULL_SIZE }).toBuffer();
      if (jpeg.length <= sizeBytesMax)
        return { kind: 'fits', bytes: jpeg, format: 'jpeg', width, height, step: 'jpeg' };
    }
    return await scaleDown(sharp, bytes, image, webp.length, sizeBytesMax, limits);
  } catch {
    // The library tells damage in the pixels only by throwing.
    return { kind: 'unreadable-result' };
  }
}

/**
 * Makes a result small enough without touching a pixel: as it is, or as lossless WebP.
 * @throws Whatever the loading throws.
 */
export async function fitLosslessly(
  sharp: Sharp,
  source: ByteSource,
  sizeBytesMax: number,
  limits: ImageLimits,
): Promise<FitOutcome> {
  const bytes = await loadBytes(source);
  const image = await describeImage(sharp, bytes);
  if (image === undefined) return { kind: 'unreadable-result' };
  const { width, height, format } = image;
  if (bytes.length <= sizeBytesMax) return { kind: 'fits', bytes, format, width, height, step: 'unchanged' };
  const inspected = await inspectImage(sharp, bytes, limits);
  // WebP has 8 bits a channel, and an embedded profile would be converted: such pixels would not be the same. Of several
  // frames only the first would be left.
  if (inspected.kind !== 'inspected' || !inspected.isPlain || inspected.hasSeveralFrames)
    return { kind: 'does-not-fit' };
  try {
    // `exact` keeps the colours of transparent pixels too.
    const lossless = { lossless: true, exact: true, effort: WEBP_LOSSLESS_EFFORT } as const;
    const webp = await openImage(sharp, bytes, limits).webp(lossless).toBuffer();
    return webp.length <= sizeBytesMax
      ? { kind: 'fits', bytes: webp, format: 'webp', width, height, step: 'lossless-webp' }
      : { kind: 'does-not-fit' };
  } catch {
    // The library tells damage in the pixels only by throwing.
    return { kind: 'unreadable-result' };
  }
}

/** An alpha channel that hides nothing does not stand in the way of JPEG. */
async function isOpaque(sharp: Sharp, bytes: Buffer, image: DescribedImage, limits: ImageLimits): Promise<boolean> {
  if (!image.hasAlpha) return true;
  const { isOpaque: hidesNothing } = await openImage(sharp, bytes, limits).stats();
  return hidesNothing;
}

async function scaleDown(
  sharp: Sharp,
  bytes: Buffer,
  image: ImageSize,
  fullSizeBytes: number,
  sizeBytesMax: number,
  limits: ImageLimits,
): Promise<FitOutcome> {
  let scale = 1;
  let sizeBytes = fullSizeBytes;
  for (let attempt = 0; attempt < SCALE_ATTEMPTS_MAX; attempt += 1) {
    // The number of bytes follows the area, so the edges follow its square root; no attempt grows again.
    scale *= Math.min(1, Math.sqrt(sizeBytesMax / sizeBytes)) * SCALE_MARGIN;
    const width = Math.round(image.width * scale);
    const height = Math.round(image.height * scale);
    if (Math.min(width, height) < EDGE_PX_MIN) break;
    const scaled = await openImage(sharp, bytes, limits)
      .resize(width, height, { fit: 'fill' })
      .webp({ quality: WEBP_QUALITY_SCALED })
      .toBuffer();
    if (scaled.length <= sizeBytesMax) {
      return { kind: 'fits', bytes: scaled, format: 'webp', width, height, step: 'scaled-down' };
    }
    sizeBytes = scaled.length;
  }
  return { kind: 'does-not-fit' };
}
