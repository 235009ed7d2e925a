/** The work of one call: pictures and what they cost in tokens. */
import type { InputPictures } from './input-pictures.ts';
import type { ImageSize, Quality } from './model-catalogue.ts';
import { fixedSizes } from './model-catalogue.ts';
import type { NoisePngSource } from './noise-png.ts';
import type { Parameters } from './parameters.ts';
import type { PictureRequest } from './pictures.ts';
import { makePartialPicture, makePicture } from './pictures.ts';
import type { Usage } from './token-tables.ts';
import { usageOf } from './token-tables.ts';

/** What was made for one call. */
export type FinishedWork = {
  readonly parameters: Parameters;
  readonly size: ImageSize;
  readonly quality: Quality;
  /** Encoded files in the output format. */
  readonly pictures: readonly Buffer[];
  readonly partialPictures: readonly Buffer[];
  readonly usage: Usage & Readonly<Record<string, unknown>>;
};

export type WorkOptions = {
  readonly seed: string;
  /** Where set, PNG answers are noise of a fixed weight and not scenes. */
  readonly noise: NoisePngSource | undefined;
  /** Fields that `usage` carries beside the known ones. */
  readonly usageExtras: Readonly<Record<string, unknown>>;
};

/** What `quality: "auto"` means here: the provider chooses, and not in the client's favour. */
const automaticQuality: Quality = 'high';

function sizeOf(text: string): ImageSize {
  const [width, height] = text.split('x').map(Number);
  return { width: width ?? 0, height: height ?? 0 };
}

/** What `size: "auto"` means here: the standard size nearest in shape to the first input, else the square. */
function automaticSize(inputs: InputPictures | undefined): ImageSize {
  const first = inputs?.images[0]?.size ?? { width: 1, height: 1 };
  const ratio = Math.log(first.width / first.height);
  const distance = (size: ImageSize): number => Math.abs(Math.log(size.width / size.height) - ratio);
  return fixedSizes.map(sizeOf).reduce((best, size) => (distance(size) < distance(best) ? size : best));
}

/** Coarse versions of the first picture; none where there is no picture. */
async function makePartials(count: number, request?: PictureRequest, picture?: Buffer): Promise<Buffer[]> {
  if (request === undefined || picture === undefined) return [];
  return Promise.all(Array.from({ length: count }, (_, index) => makePartialPicture(picture, index, request)));
}

/** Makes fewer than were asked for where these are smaller. */
type WorkLimits = { readonly imageCountMax: number; readonly partialImagesMax: number };

/** Makes the pictures of a call. */
export async function doImageWork(
  parameters: Parameters,
  inputs: InputPictures | undefined,
  { imageCountMax, partialImagesMax }: WorkLimits,
  options: WorkOptions,
): Promise<FinishedWork> {
  const size = parameters.size ?? automaticSize(inputs);
  const quality = parameters.quality ?? automaticQuality;
  const imageCount = Math.min(parameters.count, imageCountMax);
  const { prompt, format, compression, background } = parameters;
  const requests = Array.from({ length: imageCount }, (_, index): PictureRequest => ({
    prompt,
    index,
    seed: options.seed,
    size,
    format,
    compression,
    background,
    inputs,
  }));
  const noise = format === 'png' ? options.noise : undefined;
  const pictures = await Promise.all(
    requests.map((request) => (noise === undefined ? makePicture(request) : noise.make(size))),
  );
  const partialCount = Math.min(parameters.partialImages, partialImagesMax);
  const partialPictures = await makePartials(partialCount, requests[0], pictures[0]);
  const usage = usageOf({
    generation: parameters.model.generation,
    prompt,
    size,
    quality,
    imageCount,
    partialImageCount: partialPictures.length,
    inputSizes: inputs?.images.map((image) => image.size) ?? [],
    fidelity: parameters.fidelity,
  });
  return { parameters, size, quality, pictures, partialPictures, usage: { ...options.usageExtras, ...usage } };
}
