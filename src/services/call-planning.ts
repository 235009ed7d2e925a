import { estimateCeiling } from '../billing/estimate.ts';
import { timeOfSnowflake } from '../billing/period.ts';
import type { PriceBook } from '../billing/prices.ts';
import type { ImageRequest } from './image-request.ts';
import type { CallPlan } from './call-plan.ts';
import type { JobRefusal } from './job-outcome.ts';
import { BACKGROUNDS, IMAGE_FORMATS, INPUT_FIDELITIES, QUALITIES } from './providers/image-provider.ts';
import { parseSize } from './providers/image-sizes.ts';
import type { ImageModel, ModelOptions } from './providers/models.ts';
import { defaultQuality, findUnsupportedOptions, losesTransparency, resolveAutoSize } from './providers/models.ts';
import { maxInputTokens, maxOutputTokens } from './providers/token-rules.ts';

/** The pictures of a call, prepared and on disk. */
export type PlannedPictures = Pick<CallPlan, 'images' | 'mask' | 'masked' | 'keptFrom' | 'firstFrameOnly'>;

/** How many unfinished pictures are shown on the way to an image, where a server wants them. */
export const PREVIEWS_PER_IMAGE = 2;

/** The model for a request: the one that is asked for, else the first that is available. */
export function chooseModel(request: ImageRequest, models: readonly ImageModel[]): ImageModel | JobRefusal {
  const model = request.model === undefined ? models[0] : models.find(({ id }) => id === request.model);
  if (model) return model;
  return { reason: 'model-unavailable', model: request.model, available: models.map(({ id }) => id) };
}

/** Refuses by name what the model does not have, before anything is downloaded or held. */
export function checkOptions(
  request: ImageRequest,
  model: ImageModel,
  models: readonly ImageModel[],
): JobRefusal | undefined {
  const options = readOptions(request, model);
  if ('reason' in options) return options;
  const [unsupported] = findUnsupportedOptions(model, options, models);
  if (unsupported) {
    const { option, value, modelsWithIt } = unsupported;
    return { reason: 'option-unsupported', option, value, model: model.id, supportedBy: modelsWithIt };
  }
  if (losesTransparency(options.background ?? 'auto', options.format ?? 'png')) return { reason: 'transparency-lost' };
  return undefined;
}

/**
 * Makes every choice concrete and finds the ceiling of its cost. `auto` has no price, so it ends here.
 * The options must have been checked against the model.
 */
export function planCall(
  request: ImageRequest,
  model: ImageModel,
  pictures: PlannedPictures,
  prices: PriceBook,
  { previews = false }: { readonly previews?: boolean } = {},
): CallPlan | JobRefusal {
  const options = readOptions(request, model);
  if ('reason' in options) return options;
  const [source] = pictures.images;
  const size = options.size ?? resolveAutoSize(model, source);
  const partialImages = previews ? partialImagesOf(request, model) : 0;
  const call = {
    model: model.id,
    ...size,
    quality: options.quality ?? defaultQuality,
    background: options.background ?? 'auto',
    format: options.format ?? 'png',
    ...(options.fidelity ? { fidelity: options.fidelity } : {}),
    ...(partialImages > 0 ? { partialImages } : {}),
    ...pictures,
  };
  const price = prices.priceOf(model.id, timeOfSnowflake(request.id));
  // Whether masks are billed is not published, so they count as pictures.
  const goingUp = [...pictures.images, ...(pictures.mask ? [pictures.mask] : [])];
  const estimate =
    price &&
    estimateCeiling(price.tariff, {
      count: request.count,
      promptUtf8Bytes: Buffer.byteLength(request.prompt),
      imageInputTokensMax: maxInputTokens(model.tokens, goingUp, call.fidelity === 'high'),
      outputTokensMax: maxOutputTokens(model.tokens, call.quality, size),
      partialImages,
    });
  return estimate === undefined ? { reason: 'model-unpriced', model: model.id } : { ...call, estimate };
}

/** What a stream of several images looks like is not published, so previews are for one. */
function partialImagesOf({ count }: ImageRequest, model: ImageModel): number {
  return count === 1 ? Math.min(PREVIEWS_PER_IMAGE, model.partialImagesMax) : 0;
}

/** Reads the words of a request as options. A word that no model knows is refused like one that this model lacks. */
function readOptions(request: ImageRequest, model: ImageModel): ModelOptions | JobRefusal {
  const unknown = (option: string, value: string): JobRefusal => ({
    reason: 'option-unsupported',
    option,
    value,
    model: model.id,
    supportedBy: [],
  });
  const size = isAuto(request.size) ? undefined : parseSize(request.size);
  const quality = isAuto(request.quality) ? undefined : oneOf(QUALITIES, request.quality);
  const background = oneOf(BACKGROUNDS, request.background);
  const format = oneOf(IMAGE_FORMATS, request.format);
  const fidelity = oneOf(INPUT_FIDELITIES, request.fidelity);
  if (!isAuto(request.size) && !size) return unknown('size', request.size);
  if (!isAuto(request.quality) && !quality) return unknown('quality', request.quality);
  if (request.background !== undefined && !background) return unknown('background', request.background);
  if (request.format !== undefined && !format) return unknown('format', request.format);
  if (request.fidelity !== undefined && !fidelity) return unknown('fidelity', request.fidelity);
  return {
    ...(size ? { size } : {}),
    ...(quality ? { quality } : {}),
    ...(background ? { background } : {}),
    ...(format ? { format } : {}),
    ...(fidelity ? { fidelity } : {}),
  };
}

function isAuto(value: string | undefined): value is undefined | 'auto' {
  return value === undefined || value === 'auto';
}

function oneOf<Value extends string>(values: readonly Value[], text: string | undefined): Value | undefined {
  return values.find((value) => value === text);
}
