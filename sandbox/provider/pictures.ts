/** Makes the pictures of an answer with sharp, off the event loop. */
import type { Sharp } from 'sharp';
import sharp from 'sharp';
import type { InputPictures } from './input-pictures.ts';
import type { ImageSize } from './model-catalogue.ts';
import type { OutputFormat } from './parameters.ts';
import { paintScene } from './scene.ts';

export type PictureRequest = {
  readonly prompt: string;
  /** Which picture of the call, from 0. */
  readonly index: number;
  readonly seed: string;
  readonly size: ImageSize;
  readonly format: OutputFormat;
  /** 0 to 100: the quality of jpeg and webp. */
  readonly compression: number;
  readonly background: 'opaque' | 'transparent';
  /** The files of an edit; undefined for a generation. */
  readonly inputs: InputPictures | undefined;
};

/** Pixels with alpha, on their way from one step to the next. */
type Pixels = { readonly data: Buffer; readonly size: ImageSize };

const rgba = 4;
/** Flat scenes compress well at any level; this one is quick. */
const pngLevel = 3;
/** A quality of 0 would be a blur; encoders accept 1 and up. */
const lossyQualityMin = 1;

function fromPixels({ data, size }: Pixels): Sharp {
  return sharp(data, { raw: { ...size, channels: rgba } });
}

function encode(picture: Sharp, request: Pick<PictureRequest, 'format' | 'compression' | 'background'>): Sharp {
  const opaque = request.background === 'opaque' ? picture.flatten({ background: '#ffffff' }) : picture;
  const quality = Math.max(lossyQualityMin, request.compression);
  switch (request.format) {
    case 'png':
      return opaque.png({ compressionLevel: pngLevel });
    case 'jpeg':
      return opaque.jpeg({ quality });
    case 'webp':
      return opaque.webp({ quality, effort: 0 });
  }
}

/** The renderer's time grows faster than the area: larger scenes are drawn at this many pixels and enlarged. */
const drawnPixelsMax = 1536 * 1024;

/** The scene of the prompt at the output's size. */
async function scenePixels(request: PictureRequest, isSubjectOnly: boolean): Promise<Pixels> {
  const { prompt, index, seed, size } = request;
  const scale = Math.min(1, Math.sqrt(drawnPixelsMax / (size.width * size.height)));
  const drawnSize = { width: Math.round(size.width * scale), height: Math.round(size.height * scale) };
  const scene = Buffer.from(paintScene({ prompt, index, seed, size: drawnSize, isSubjectOnly }));
  const data = await sharp(scene).ensureAlpha().raw().toBuffer();
  if (scale === 1) return { data, size };
  const enlarged = fromPixels({ data, size: drawnSize }).resize(size.width, size.height, {
    fit: 'fill',
    kernel: 'cubic',
  });
  return { data: await enlarged.raw().toBuffer(), size };
}

/** How far the picture slides, in pixels, as it passes through the model. */
const driftPixels = 2;
/** Colour drift a channel: red, green, blue, alpha. No colour is left as it was by all three. */
const driftFactors = [0.97, 0.97, 0.97, 1];
const driftOffsets = [3, 5, 1, 0];

/**
 * The first input at the output's size, slightly shifted in place and colour, as real models give back even what they
 * were told to leave alone.
 */
async function driftedOriginal(bytes: Buffer, size: ImageSize): Promise<Buffer> {
  const { width, height } = size;
  // Two passes, because sharp changes colours before it adds an alpha channel, whatever the order of the calls.
  const data = await sharp(bytes, { autoOrient: true })
    .toColourspace('srgb')
    .resize(width + driftPixels, height + driftPixels, { fit: 'fill' })
    .extract({ left: driftPixels, top: driftPixels, width, height })
    .ensureAlpha()
    .raw()
    .toBuffer();
  return fromPixels({ data, size }).linear(driftFactors, driftOffsets).raw().toBuffer();
}

/** The inverse of the mask's alpha at the output's size: what is laid over the original shows where the mask is clear. */
async function maskedAlpha(mask: Buffer, { width, height }: ImageSize): Promise<Buffer> {
  return sharp(mask).extractChannel('alpha').resize(width, height, { fit: 'fill' }).negate().raw().toBuffer();
}

/** How much of the scene shows in a picture restyled as a whole, of 255. */
const restyleAlpha = 110;

/** The scene that is laid over the original: inside the mask, or as a veil over everything. */
async function overlayOf(request: PictureRequest, mask: Buffer | undefined): Promise<Pixels> {
  const { width, height } = request.size;
  const veil = Buffer.alloc(width * height, restyleAlpha);
  const [{ data, size }, alpha] = await Promise.all([
    scenePixels(request, false),
    mask === undefined ? veil : maskedAlpha(mask, request.size),
  ]);
  for (let pixel = 0; pixel < alpha.length; pixel += 1) data[pixel * rgba + (rgba - 1)] = alpha[pixel] ?? 0;
  return { data, size };
}

/** Cuts everything outside an ellipse away, which is this model's idea of a subject. */
function subjectCutout({ width, height }: ImageSize): Buffer {
  const ellipse = `<ellipse cx="${width / 2}" cy="${height / 2}" rx="${width * 0.45}" ry="${height * 0.45}"/>`;
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${ellipse}</svg>`);
}

async function editedPicture(request: PictureRequest, inputs: InputPictures): Promise<Buffer> {
  const [first] = inputs.images;
  if (first === undefined) throw new TypeError('An edit needs a picture.');
  const [original, overlay] = await Promise.all([
    driftedOriginal(first.bytes, request.size),
    overlayOf(request, inputs.mask?.bytes),
  ]);
  const layers = [{ input: overlay.data, raw: { ...overlay.size, channels: rgba } } as const];
  const merged = await fromPixels({ data: original, size: request.size }).composite(layers).raw().toBuffer();
  // A pass of its own, because sharp flattens before it composes, whatever the order of the calls.
  const picture = fromPixels({ data: merged, size: request.size });
  if (request.background === 'opaque') return encode(picture, request).toBuffer();
  const cutout = picture.composite([{ input: subjectCutout(request.size), blend: 'dest-in' }]);
  return encode(cutout, request).toBuffer();
}

/** One finished picture. The same request gives the same bytes. */
export async function makePicture(request: PictureRequest): Promise<Buffer> {
  if (request.inputs !== undefined) return editedPicture(request, request.inputs);
  const isSubjectOnly = request.background === 'transparent';
  return encode(fromPixels(await scenePixels(request, isSubjectOnly)), request).toBuffer();
}

/** Side of the coarsest partial image relative to the finished one; each further one doubles it. */
const coarsestScale = 1 / 64;

/** A coarse version of a finished picture, finer with every index (from 0). */
export async function makePartialPicture(finished: Buffer, index: number, request: PictureRequest): Promise<Buffer> {
  const { width, height } = request.size;
  const scale = coarsestScale * 2 ** index;
  const coarse = await sharp(finished)
    .resize(Math.ceil(width * scale), Math.ceil(height * scale), { fit: 'fill' })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const size = { width: coarse.info.width, height: coarse.info.height };
  return encode(fromPixels({ data: coarse.data, size }).resize(width, height, { fit: 'fill' }), request).toBuffer();
}
