/**
 * Puts the original's pixels back around an edit: models follow a mask only loosely, and what was outside it must
 * come back unchanged.
 *
 * Outside the mask the original is taken whole, so it comes back exactly. The change from one to the other happens
 * inside the mask alone, over a few pixels, so that no seam shows. Where the output has another size than the
 * prepared original, "exactly" means equal to the original scaled to that size.
 */

import type { Sharp as Pipeline } from 'sharp';

import { HeldBuffers } from './held-buffers.ts';
import { featherInwards } from './image-feather.ts';
import {
  describeImage,
  hasSameShape,
  hasSameSize,
  openImage,
  loadBytes,
  type ByteSource,
  type DescribedImage,
  type ImageLimits,
} from './image-intake.ts';
import { keptByAlpha } from './image-masks.ts';
import { JPEG_QUALITY_NEAR_LOSSLESS } from './image-normalization.ts';
import type { Sharp } from './image-workshop.ts';
import type { ImageFormat, ImageSize } from './providers/image-provider.ts';

export type KeepOutsideRequest = {
  /** The prepared picture that the provider was given. */
  readonly original: ByteSource;
  /** The prepared mask of the same size: alpha 0 = edited, 255 = kept. */
  readonly mask: ByteSource;
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

/** What every step shares: the library, the output's size, and whether transparency is laid on white. */
type Canvas = {
  readonly sharp: Sharp;
  readonly size: ImageSize;
  readonly isOnWhite: boolean;
  readonly limits: ImageLimits;
};

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

  // JPEG has no transparency, so there both pictures are laid on white.
  const canvas: Canvas = { sharp, size, isOnWhite: request.format === 'jpeg', limits };
  using held = new HeldBuffers();
  const kept = await keptByAlpha(sharp, { ...mask, isPlain: true }, size, limits);
  const weights = held.hold(await featherInwards(sharp, held.hold(kept.plane), size));
  const overlay = await weightedColors(canvas, original, weights).catch(() => undefined);
  if (overlay === undefined) return { kind: 'unreadable-original' };
  held.hold(overlay);
  const hasAlpha = !canvas.isOnWhite && (original.hasAlpha || result.hasAlpha);
  const originalAlpha = hasAlpha ? await alphaPlane(canvas, original) : undefined;

  // From here on only the provider's bytes can be at fault, and the library tells that only by throwing.
  try {
    const colors = openColors(canvas, result)
      .composite([{ input: overlay, raw: { ...size, channels: 4 } }])
      .removeAlpha();
    const blended =
      originalAlpha === undefined ? colors : await withBlendedAlpha(canvas, colors, originalAlpha, result, weights);
    return { kind: 'outside-kept', ...size, format: request.format, bytes: await encode(blended, request.format) };
  } catch {
    return { kind: 'unreadable-result' };
  }
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

function openColors({ sharp, size, isOnWhite, limits }: Canvas, layer: Layer): Pipeline {
  const opened = openImage(sharp, layer.bytes, limits);
  return scaleTo(isOnWhite ? opened.flatten({ background: 'white' }) : opened, layer, size).toColourspace('srgb');
}

/** A layer's colours with the weights in the place of its alpha. */
async function weightedColors(canvas: Canvas, layer: Layer, weights: Buffer): Promise<Buffer> {
  const { sharp, size, isOnWhite } = canvas;
  const colors = openColors(canvas, layer);
  // An alpha channel has to be gone before the weights come, which takes a pass of its own.
  const opaque =
    layer.hasAlpha && !isOnWhite
      ? sharp(await colors.removeAlpha().raw().toBuffer(), { raw: { ...size, channels: 3 } })
      : colors;
  return await opaque
    .joinChannel(weights, { raw: { ...size, channels: 1 } })
    .raw()
    .toBuffer();
}

async function alphaPlane({ sharp, size, limits }: Canvas, layer: Layer): Promise<Buffer> {
  if (!layer.hasAlpha) return Buffer.alloc(size.width * size.height, 255);
  const alpha = openImage(sharp, layer.bytes, limits).toColourspace('srgb').extractChannel('alpha');
  return await scaleTo(alpha, layer, size).toColourspace('b-w').raw({ depth: 'uchar' }).toBuffer();
}

/** Mixes the transparency of both pictures by the same weights, and gives it to the mixed colours. */
async function withBlendedAlpha(
  canvas: Canvas,
  colors: Pipeline,
  originalAlpha: Buffer,
  result: Layer,
  weights: Buffer,
): Promise<Pipeline> {
  const { sharp, size } = canvas;
  const plane = { raw: { ...size, channels: 1 } } as const;
  const overlay = await sharp(originalAlpha, plane).joinChannel(weights, plane).raw().toBuffer();
  const alpha = await sharp(await alphaPlane(canvas, result), plane)
    .composite([{ input: overlay, raw: { ...size, channels: 2 } }])
    .extractChannel(0)
    .raw()
    .toBuffer();
  const pixels = await colors.raw().toBuffer();
  return sharp(pixels, { raw: { ...size, channels: 3 } }).joinChannel(alpha, plane);
}

function scaleTo(pipeline: Pipeline, from: ImageSize, to: ImageSize): Pipeline {
  return hasSameSize(from, to) ? pipeline : pipeline.resize(to.width, to.height, { fit: 'fill' });
}

async function encode(pipeline: Pipeline, format: ImageFormat): Promise<Buffer> {
  const encodings = {
    png: () => pipeline.png(),
    // `exact` keeps the colours of transparent pixels too.
    webp: () => pipeline.webp({ lossless: true, exact: true, effort: WEBP_LOSSLESS_EFFORT }),
    jpeg: () => pipeline.jpeg({ quality: JPEG_QUALITY_NEAR_LOSSLESS, chromaSubsampling: '4:4:4' }),
  } as const;
  return await encodings[format]().toBuffer();
}
