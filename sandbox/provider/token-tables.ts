/**
 * How many tokens a call uses. Written from the published tables without a look at the program's own billing code,
 * so that each of the two is a check on the other.
 */
import type { ImageSize, InputFidelity, ModelGeneration, Quality } from './model-catalogue.ts';

/** The `usage` object of an answer, before any deliberate change to its shape. */
export type Usage = {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly text_tokens: number; readonly image_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly text_tokens: number; readonly image_tokens: number };
  readonly total_tokens: number;
};

type Shape = 'square' | 'portrait' | 'landscape';
type FixedQuality = 'low' | 'medium' | 'high';

const fixedSizeTokens: Readonly<Record<FixedQuality, Readonly<Record<Shape, number>>>> = {
  low: { square: 272, portrait: 408, landscape: 400 },
  medium: { square: 1056, portrait: 1584, landscape: 1568 },
  high: { square: 4160, portrait: 6240, landscape: 6208 },
};

/**
 * The factor of the free-size formula. Those of 2.6 are not published: these are the emulator's own choice,
 * different from 2.5 on purpose and never above its `max`, which is all that a client may rely on.
 */
const freeSizeBases: Readonly<Record<'2' | '2.5' | '2.6', Readonly<Partial<Record<Quality, number>>>>> = {
  '2': { low: 16, medium: 48, high: 96 },
  '2.5': { low: 16, medium: 24, high: 48, xhigh: 64, max: 96 },
  '2.6': { low: 20, medium: 36, high: 60, xhigh: 80, max: 92 },
};

function shapeOf({ width, height }: ImageSize): Shape {
  if (width === height) return 'square';
  return width < height ? 'portrait' : 'landscape';
}

/** Rounds a / b to the nearest integer, halves to the even neighbour, without leaving the integers. */
function divideHalfEven(a: number, b: number): number {
  const floor = Math.floor(a / b);
  const twiceRest = 2 * (a - floor * b);
  if (twiceRest > b) return floor + 1;
  if (twiceRest < b) return floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Image tokens of one picture for the models whose size is free. */
function freeSizeTokens(base: number, { width, height }: ImageSize): number {
  const scaledShortSide = divideHalfEven(base * Math.min(width, height), Math.max(width, height));
  return Math.ceil((base * scaledShortSide * (2_000_000 + width * height)) / 4_000_000);
}

/**
 * Image tokens of one finished picture, without partial images.
 * @throws {RangeError} when the generation does not have the quality
 */
export function outputTokensPerImage(generation: ModelGeneration, size: ImageSize, quality: Quality): number {
  if (generation === '2' || generation === '2.5' || generation === '2.6') {
    const base = freeSizeBases[generation][quality];
    if (base === undefined) throw new RangeError(`generation ${generation} has no quality ${quality}`);
    return freeSizeTokens(base, size);
  }
  if (quality === 'xhigh' || quality === 'max')
    throw new RangeError(`generation ${generation} has no quality ${quality}`);
  return fixedSizeTokens[quality][shapeOf(size)];
}

const tokensPerPartialImage = 100;

const tilePixels = 512;
const tokensPerImageBase = 65;
const tokensPerTile = 129;
const fidelityTokensSquare = 4160;
const fidelityTokensOblong = 6240;
const patchPixels = 32;
const patchTokensMax = 1536;

/** The first generations cut the picture, its short side brought down to one tile, into tiles. */
function tileTokens({ width, height }: ImageSize, fidelity: InputFidelity): number {
  const short = Math.min(width, height);
  const long = Math.max(width, height);
  const tiles = short > tilePixels ? Math.ceil(long / short) : Math.ceil(long / tilePixels);
  const base = tokensPerImageBase + tokensPerTile * tiles;
  if (fidelity === 'low') return base;
  // Half-way between the ratios of the square and the oblong output sizes.
  const isSquarish = long * 4 <= short * 5;
  return base + (isSquarish ? fidelityTokensSquare : fidelityTokensOblong);
}

/** Image tokens that one input picture uses. */
export function inputImageTokens(generation: ModelGeneration, size: ImageSize, fidelity: InputFidelity): number {
  if (generation === '1' || generation === '1-mini' || generation === '1.5') return tileTokens(size, fidelity);
  const patches = Math.ceil(size.width / patchPixels) * Math.ceil(size.height / patchPixels);
  return Math.min(patches, patchTokensMax);
}

const bytesPerLatinToken = 6;
const bytesPerOtherToken = 3;
const tokenLike = /[A-Za-z]+|\p{N}{1,3}|[^\s\p{N}A-Za-z]+/gu;

/** A count such as a tokenizer gives: words in pieces, other scripts more densely. At most one token per UTF-8 byte. */
export function promptTokens(prompt: string): number {
  let tokens = 0;
  for (const [piece] of prompt.matchAll(tokenLike)) {
    const bytesPerToken = /^[A-Za-z]/u.test(piece) ? bytesPerLatinToken : bytesPerOtherToken;
    tokens += Math.ceil(Buffer.byteLength(piece) / bytesPerToken);
  }
  return tokens;
}

const editInstructionTokens = 32;
const editTokensPerImage = 3;
const editTokensMax = 80;

/** Text tokens that an edit adds of its own. */
function editTokens(imageCount: number): number {
  return Math.min(editInstructionTokens + editTokensPerImage * imageCount, editTokensMax);
}

export type UsageFacts = {
  readonly generation: ModelGeneration;
  readonly prompt: string;
  readonly size: ImageSize;
  readonly quality: Quality;
  /** Pictures made. Each is billed as a call of its own, its input included. */
  readonly imageCount: number;
  /** Partial images sent over the whole call. */
  readonly partialImageCount: number;
  /** Sizes of the input pictures; empty for a generation. */
  readonly inputSizes: readonly ImageSize[];
  readonly fidelity: InputFidelity;
};

/** The usage of one call. */
export function usageOf(facts: UsageFacts): Usage {
  const isEdit = facts.inputSizes.length > 0;
  const textTokensOnce = promptTokens(facts.prompt) + (isEdit ? editTokens(facts.inputSizes.length) : 0);
  const imageTokensOnce = facts.inputSizes.reduce(
    (sum, size) => sum + inputImageTokens(facts.generation, size, facts.fidelity),
    0,
  );
  const textTokens = textTokensOnce * facts.imageCount;
  const imageTokens = imageTokensOnce * facts.imageCount;
  const outputTokens =
    outputTokensPerImage(facts.generation, facts.size, facts.quality) * facts.imageCount +
    tokensPerPartialImage * facts.partialImageCount;
  return {
    input_tokens: textTokens + imageTokens,
    input_tokens_details: { text_tokens: textTokens, image_tokens: imageTokens },
    output_tokens: outputTokens,
    output_tokens_details: { text_tokens: 0, image_tokens: outputTokens },
    total_tokens: textTokens + imageTokens + outputTokens,
  };
}
