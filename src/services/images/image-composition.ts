/**
 * Puts the original's pixels back around an edit: models follow a mask only loosely, and what was outside it must
 * come back unchanged.
 *
 * Outside the mask the original is taken whole, transparent pixels too, so it comes back exactly. The change from one to
 * the other happens inside the mask alone, over a few pixels, so that no seam shows. Where the output has another size than the
 * prepared original, "exactly" means equal to the original scaled to that size.
 *
 * Where the original's own transparency is the mask, what is half transparent is the edge of what was erased. There the
 * original lies over the result, because the rim of a soft eraser would stay see-through otherwise.
 */

import { HeldBuffers } from './held-buffers.ts';
import { featherInwards } from './image-feather.ts';
import type { ByteSource, DescribedImage, ImageLimits } from './image-intake.ts';
import { describeImage, hasSameSize, openImage, loadBytes } from './image-intake.ts';
import { layOver, PIXEL_BYTES } from './image-layering.ts';
import { keptByAlpha } from './image-masks.ts';
import { JPEG_QUALITY_NEAR_LOSSLESS } from './image-normalization.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageFormat, ImageSize } from '../providers/image-provider.ts';
import { hasSameShape } from '../providers/image-sizes.ts';

export type KeepOutsideRequest = {
  /** The prepared picture that the provider was given. */
  readonly original: ByteSource;
  /** The prepared mask of the same size: alpha 0 = edited, 255 = kept. */
  readonly mask: ByteSource;
  /** Whether the mask is what was transparent in the original itself. */
  readonly isMaskOwnTransparency: boolean;
  /** What the provider answered. */
  readonly result: ByteSource;
  /** PNG and WebP are written without loss; JPEG cannot be, and comes close. */
  readonly format: ImageFormat;
};

export type KeepOutsideOutcome =
  | (ImageSize & { readonly kind: 'outside-kept'; readonly bytes: Buffer; readonly format: ImageFormat })
  /** The result has another shape, so that its pixels have no counterpart in the original. */
  | { readonly kind: 'shapes-differ'; readonly original: ImageSize; readonly result: ImageSize }
  | { readonly kind: 'unreadable-result' }
  /** Damage within the original's pixels, which its outside had not shown. */
  | { readonly kind: 'unreadable-original' };

/** How long a lossless WebP is worked on, 0 to 6: beyond 0 the time doubles and an eighth of the size is saved. */
const WEBP_LOSSLESS_EFFORT = 0;

type Layer = DescribedImage & { readonly bytes: Buffer };

/** @throws When the original or the mask, which are ours, are no pictures any more; and whatever the loading throws. */
export async function keepOutside(
  sharp: Sharp,
  request: KeepOutsideRequest,
  limits: ImageLimits,
): Promise<KeepOutsideOutcome> {
  const result = await describeLayer(sharp, await loadBytes(request.result));
  if (result === undefined || result.width * result.height > limits.sourcePixelCountMax) {
    return { kind: 'unreadable-result' };
  }
  const size: ImageSize = { width: result.width, height: result.height };
  const original = await describeOurs(sharp, await loadBytes(request.original));
  if (!hasSameShape(original, size)) {
    return { kind: 'shapes-differ', original: { width: original.width, height: original.height }, result: size };
  }
  const mask = await describeOurs(sharp, await loadBytes(request.mask));

  using held = new HeldBuffers();
  const { plane: kept } = await keptByAlpha(sharp, { ...mask, isPlain: true }, size, limits);
  held.hold(kept);
  const weights = held.hold(await featherInwards(sharp, kept, size));
  // The library tells damage in the pixels only by throwing.
  const originalPixels = await decodePixels(sharp, original, size, limits).catch(() => undefined);
  if (originalPixels === undefined) return { kind: 'unreadable-original' };
  held.hold(originalPixels);
  const pixels = await decodePixels(sharp, result, size, limits).catch(() => undefined);
  if (pixels === undefined) return { kind: 'unreadable-result' };
  held.hold(pixels);

  const isOwn = request.isMaskOwnTransparency;
  await layOver(originalPixels, pixels, { weights, kept: isOwn ? undefined : kept });
  const hasAlpha = result.hasAlpha || (original.hasAlpha && !isOwn);
  const bytes = await encode(sharp, pixels, { ...size, hasAlpha }, request.format);
  return { kind: 'outside-kept', ...size, format: request.format, bytes };
}

async function describeLayer(sharp: Sharp, bytes: Buffer): Promise<Layer | undefined> {
  const described = await describeImage(sharp, bytes);
  return described === undefined ? undefined : { ...described, bytes };
}

async function describeOurs(sharp: Sharp, bytes: Buffer): Promise<Layer> {
  const layer = await describeLayer(sharp, bytes);
  if (layer === undefined) throw new Error('A picture that was prepared earlier can no longer be read.');
  return layer;
}

/** A layer's pixels at the output's size, in sRGB with alpha. */
async function decodePixels(sharp: Sharp, layer: Layer, size: ImageSize, limits: ImageLimits): Promise<Buffer> {
  const opened = openImage(sharp, layer.bytes, limits);
  const scaled = hasSameSize(layer, size) ? opened : opened.resize(size.width, size.height, { fit: 'fill' });
  return await scaled.toColourspace('srgb').ensureAlpha().raw({ depth: 'uchar' }).toBuffer();
}

/** @param picture.hasAlpha whether any pixel can be transparent. */
async function encode(
  sharp: Sharp,
  pixels: Buffer,
  { width, height, hasAlpha }: ImageSize & { readonly hasAlpha: boolean },
  format: ImageFormat,
): Promise<Buffer> {
  const all = sharp(pixels, { raw: { width, height, channels: PIXEL_BYTES } });
  const seen = hasAlpha ? all : all.removeAlpha();
  const encodings = {
    png: () => seen.png(),
    // `exact` keeps the colours of transparent pixels too.
    webp: () => seen.webp({ lossless: true, exact: true, effort: WEBP_LOSSLESS_EFFORT }),
    // JPEG has no transparency, so there it is laid on white.
    jpeg: () =>
      seen.flatten({ background: 'white' }).jpeg({ quality: JPEG_QUALITY_NEAR_LOSSLESS, chromaSubsampling: '4:4:4' }),
  } as const;
  return await encodings[format]().toBuffer();
}
