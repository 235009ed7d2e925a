import type { NanoUsd } from './money.ts';
import { requireNanoUsd, roundUpToMicroUsd } from './money.ts';
import type { Tariff, TokenRates } from './prices.ts';

/** What a call will ask for, as far as its price depends on it. */
export type EstimatedCall = {
  readonly count: number;
  readonly promptUtf8Bytes: number;
  /** The most that the pictures which go up can take together. */
  readonly imageInputTokensMax: number;
  /** The most that one image can take; undefined where nobody knows. */
  readonly outputTokensMax: number | undefined;
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
  if (call.outputTokensMax === undefined) return undefined;
  const dearestInput = Math.max(rates.textIn, rates.imageIn, rates.cachedTextIn, rates.cachedImageIn);
  const input = (call.promptUtf8Bytes + UNSEEN_TEXT_TOKENS_MAX + call.imageInputTokensMax) * dearestInput;
  const output = (call.outputTokensMax + call.partialImages * PARTIAL_IMAGE_TOKENS) * rates.imageOut;
  return roundUpToMicroUsd(call.count * (input + output));
}

/** What one unfinished picture costs on top. Whoever charges by the image charges for finished ones. */
export function partialImageCost(tariff: Tariff): NanoUsd {
  return tariff.by === 'image' ? 0 : requireNanoUsd(PARTIAL_IMAGE_TOKENS * tariff.rates.imageOut);
}

/** Published: each partial image is this many image output tokens more. */
const PARTIAL_IMAGE_TOKENS = 100;

/** Edits were seen to add up to 80 text tokens that the prompt does not contain; a margin lies on top. */
const UNSEEN_TEXT_TOKENS_MAX = 96;
