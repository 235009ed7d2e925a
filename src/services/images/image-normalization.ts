/**
 * One kind of picture out of many: upright, 8 bits a channel, sRGB, one frame, no metadata, no larger than the
 * provider can use.
 *
 * Two rules decide the encoding. A file that already is all of this keeps its compressed pixels as they are and only
 * loses its metadata: nothing is lost and almost nothing is spent. Anything else is decoded, and then written
 * without loss (PNG), except photographs that came as JPEG: those are written as JPEG at a quality where the second
 * generation is not visible, because a lossless photograph would be many times larger than what the member sent.
 */

import { withoutMetadata } from './image-containers.ts';
import type { ImageLimits, ImageRefusal, InspectedImage } from './image-intake.ts';
import { hasSameSize, inspectImage, openImage } from './image-intake.ts';
import type { ReadableKind } from './image-recognition.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageFormat, ImageSize } from '../providers/image-provider.ts';

/** A picture as the provider gets it, and the reference for everything that is later kept of it. */
export type PreparedImage = ImageSize & {
  readonly kind: 'prepared-image';
  readonly bytes: Buffer;
  readonly format: ImageFormat;
  readonly contentType: `image/${ImageFormat}`;
  readonly hasAlpha: boolean;
  /** What the member sent, by its bytes. */
  readonly source: ReadableKind;
  /** How the source asked to be turned, from 1 to 8 (EXIF); here it is upright. */
  readonly orientation: number;
  /** The source was animated or had several pages; only the first is here. */
  readonly firstFrameOnly: boolean;
  /** Whether its pixels are those of the source to the last bit, only without what the file carried besides. */
  readonly hasSourcePixels: boolean;
  /** The upright size before scaling down; undefined where nothing was scaled. */
  readonly scaledDownFrom: ImageSize | undefined;
};

/** JPEG quality at which a photograph's second generation cannot be told from its first. */
export const JPEG_QUALITY_NEAR_LOSSLESS = 95;

/** The format that a file can keep, because the provider takes it; the others become PNG. */
const FORMATS_TO_KEEP: { readonly [Kind in ReadableKind]: ImageFormat | undefined } = {
  png: 'png',
  jpeg: 'jpeg',
  mpo: 'jpeg',
  webp: 'webp',
  gif: undefined,
  avif: undefined,
  tiff: undefined,
};

/** @returns the prepared picture, or why there is none. Damage in the pixels counts as a refusal, not as an error. */
export async function prepareImage(
  sharp: Sharp,
  bytes: Buffer,
  limits: ImageLimits,
): Promise<PreparedImage | ImageRefusal> {
  const source = await inspectImage(sharp, bytes, limits);
  if (source.kind !== 'inspected') return source;

  const size = fitWithin(source, limits);
  if (Math.min(size.width, size.height) < limits.edgePxMin) {
    return { kind: 'too-small', width: source.width, height: source.height, edgePxMin: limits.edgePxMin };
  }
  // The library tells damage in the pixels only by throwing.
  const encoded = await cleanOrEncode(sharp, bytes, source, size, limits).catch(() => undefined);
  if (encoded === undefined) return { kind: 'unreadable', found: source.source };
  return {
    kind: 'prepared-image',
    ...encoded,
    contentType: `image/${encoded.format}`,
    ...size,
    hasAlpha: source.hasAlpha,
    source: source.source,
    orientation: source.orientation,
    firstFrameOnly: source.hasSeveralFrames,
    scaledDownFrom: hasSameSize(source, size) ? undefined : { width: source.width, height: source.height },
  };
}

/** The largest size of the same shape within the limits; never larger than the source. */
function fitWithin(source: ImageSize, limits: ImageLimits): ImageSize {
  const scale = Math.min(
    1,
    limits.edgePxMax / Math.max(source.width, source.height),
    Math.sqrt(limits.pixelCountMax / (source.width * source.height)),
  );
  // Rounding down keeps both limits; rounding up could pass the pixel limit by a row.
  return { width: Math.floor(source.width * scale), height: Math.floor(source.height * scale) };
}

async function cleanOrEncode(
  sharp: Sharp,
  bytes: Buffer,
  source: InspectedImage,
  size: ImageSize,
  limits: ImageLimits,
): Promise<Pick<PreparedImage, 'bytes' | 'format' | 'hasSourcePixels'>> {
  const format = FORMATS_TO_KEEP[source.source];
  if (format !== undefined && source.isPlain && hasSameSize(source, size)) {
    const plain = await withoutMetadata(format, bytes);
    if (plain !== undefined) {
      if (!plain.isProvenWhole) await decodeToTheEnd(sharp, plain.bytes, size, limits);
      return { bytes: plain.bytes, format, hasSourcePixels: true };
    }
  }

  const upright = openImage(sharp, bytes, limits);
  const scaled = hasSameSize(source, size) ? upright : upright.resize(size.width, size.height, { fit: 'fill' });
  const normalized = scaled.toColourspace('srgb');
  const encoded = {
    jpeg: () => normalized.jpeg({ quality: JPEG_QUALITY_NEAR_LOSSLESS, chromaSubsampling: '4:4:4' }),
    png: () => normalized.png(),
  } as const;
  const target = format === 'jpeg' ? 'jpeg' : 'png';
  return { bytes: await encoded[target]().toBuffer(), format: target, hasSourcePixels: false };
}

/**
 * Decodes every row and keeps one pixel: a file whose compressed pixels stay as they are must still be known to be
 * whole before money is held for it, and the outside of this one does not tell. For a megapixel that is 25 ms of CPU.
 */
async function decodeToTheEnd(sharp: Sharp, bytes: Buffer, size: ImageSize, limits: ImageLimits): Promise<void> {
  await openImage(sharp, bytes, limits)
    .extract({ left: size.width - 1, top: size.height - 1, width: 1, height: 1 })
    .raw()
    .toBuffer();
}
