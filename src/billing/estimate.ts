import type { NanoUsd } from './money.ts';
import { requireNanoUsd, roundUpToMicroUsd } from './money.ts';
import type { Tariff, TokenRates } from './prices.ts';
import { withoutSnapshotDate } from './prices.ts';

/** What a call will ask for, as far as its price depends on it. Sizes in pixels, lengths in bytes. */
export type EstimatedCall = {
  /** The model whose token tables bound the call. */
  readonly model: string;
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly quality: string;
  readonly promptUtf8Bytes: number;
  /** Every picture that goes up, the mask included: whether masks are billed is not published. */
  readonly inputImages: readonly { readonly width: number; readonly height: number }[];
  readonly highFidelity: boolean;
  /** How many unfinished pictures are asked for on the way, for each image. */
  readonly partialImages: number;
};

/**
 * The most that a call can cost, in nano-dollars, or undefined where no ceiling is known, in which case the call is refused.
 *
 * A reservation is a promise to the administrator, so every unknown is taken at its dearest: n images are taken as n
 * calls, a UTF-8 byte as a token, and all input at its dearest rate, because that is what it costs when the provider's
 * usage does not split it. Images that are charged by the piece need no such care.
 */
export function estimateCeiling(tariff: Tariff, call: EstimatedCall): NanoUsd | undefined {
  return tariff.by === 'image' ? requireNanoUsd(call.count * tariff.perImage) : estimateTokens(tariff.rates, call);
}

function estimateTokens(rates: TokenRates, call: EstimatedCall): NanoUsd | undefined {
  const outputTokens = maxOutputTokens(call.model, call.quality, call.width, call.height);
  if (outputTokens === undefined) return undefined;
  const textTokens = call.promptUtf8Bytes + UNSEEN_TEXT_TOKENS_MAX;
  const imageTokens = call.inputImages.reduce((sum, image) => sum + maxInputTokens(call, image), 0);
  const dearestInput = Math.max(rates.textIn, rates.imageIn, rates.cachedTextIn, rates.cachedImageIn);
  const input = (textTokens + imageTokens) * dearestInput;
  const partialTokens = call.partialImages * PARTIAL_IMAGE_TOKENS;
  return roundUpToMicroUsd(call.count * (input + (outputTokens + partialTokens) * rates.imageOut));
}

/** What one unfinished picture costs on top. Whoever charges by the image charges for finished ones. */
export function partialImageCost(tariff: Tariff): NanoUsd {
  return tariff.by === 'image' ? 0 : requireNanoUsd(PARTIAL_IMAGE_TOKENS * tariff.rates.imageOut);
}

/** Published: each partial image is this many image output tokens more. */
const PARTIAL_IMAGE_TOKENS = 100;

/** Edits were seen to add up to 80 text tokens that the prompt does not contain; a margin lies on top. */
const UNSEEN_TEXT_TOKENS_MAX = 96;

type FixedTokens = { readonly square: number; readonly portrait: number; readonly landscape: number };

/** Output tokens of the first generation, published by quality and shape. */
const firstGenerationTokens: ReadonlyMap<string, FixedTokens> = new Map([
  ['low', { square: 272, portrait: 408, landscape: 400 }],
  ['medium', { square: 1056, portrait: 1584, landscape: 1568 }],
  ['high', { square: 4160, portrait: 6240, landscape: 6208 }],
]);

/** The base edge of the token grid by quality, from which later generations' output tokens follow. */
const gridBaseByFamily: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map([
  [
    'gpt-image-2',
    new Map([
      ['low', 16],
      ['medium', 48],
      ['high', 96],
    ]),
  ],
  [
    'gpt-image-2.5',
    new Map([
      ['low', 16],
      ['medium', 24],
      ['high', 48],
      ['xhigh', 64],
      ['max', 96],
    ]),
  ],
  [
    // The factors of 2.6 are not published; its dearest predecessor's quality covers every one of its own.
    'gpt-image-2.6',
    new Map([
      ['low', 96],
      ['medium', 96],
      ['high', 96],
      ['xhigh', 96],
      ['max', 96],
    ]),
  ],
]);

const FIRST_GENERATION = new Set(['gpt-image-1', 'gpt-image-1-mini', 'gpt-image-1.5']);
const VARIANT_SUFFIX = /-(sunburst|flare)$/;

/** The most output tokens that one image can take, or undefined where they are not known. */
export function maxOutputTokens(model: string, quality: string, width: number, height: number): number | undefined {
  const family = withoutSnapshotDate(model).replace(VARIANT_SUFFIX, '');
  if (FIRST_GENERATION.has(family)) return firstGenerationTokens.get(quality)?.[shapeOf(width, height)];
  const base = gridBaseByFamily.get(family)?.get(quality);
  return base === undefined ? undefined : gridOutputTokens(base, width, height);
}

function shapeOf(width: number, height: number): keyof FixedTokens {
  if (width === height) return 'square';
  return width < height ? 'portrait' : 'landscape';
}

/** The published formula of the second generation: a token grid scaled by the number of pixels. */
function gridOutputTokens(base: number, width: number, height: number): number {
  const otherEdge = roundHalfEven((base * Math.min(width, height)) / Math.max(width, height));
  return Math.ceil((base * otherEdge * (2_000_000 + width * height)) / 4_000_000);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The largest number of input tokens measured for one picture with models that publish no rule. */
const MEASURED_INPUT_TOKENS_MAX = 1536;
const TOKENS_PER_PICTURE = 65;
const TOKENS_PER_TILE = 129;
/** What high input fidelity adds to a picture that is not square, the dearer of its two cases. */
const HIGH_FIDELITY_TOKENS = 6240;

function maxInputTokens(call: EstimatedCall, image: { readonly width: number; readonly height: number }): number {
  if (!FIRST_GENERATION.has(withoutSnapshotDate(call.model))) return MEASURED_INPUT_TOKENS_MAX;
  const ratio = Math.max(image.width, image.height) / Math.min(image.width, image.height);
  // The picture is laid on a grid of tiles with one tile on its short side; a pixel over is a tile more.
  const tiles = Math.ceil(ratio) + 1;
  const byTiles = TOKENS_PER_PICTURE + TOKENS_PER_TILE * tiles;
  return Math.max(byTiles, MEASURED_INPUT_TOKENS_MAX) + (call.highFidelity ? HIGH_FIDELITY_TOKENS : 0);
}
