import type { NanoUsd } from './money.ts';
import { parseUsd, requireNanoUsd, roundHalfUpToMicroUsd } from './money.ts';
import type { TokenUsage } from './token-usage.ts';

/** What one token of each kind costs, in nano-dollars. */
export type TokenRates = {
  readonly textIn: NanoUsd;
  readonly cachedTextIn: NanoUsd;
  readonly imageIn: NanoUsd;
  readonly cachedImageIn: NanoUsd;
  readonly imageOut: NanoUsd;
};

/** What a provider counts when it charges for a model: the tokens that it reports, or the images that it made. */
export type Tariff =
  | { readonly by: 'token'; readonly rates: TokenRates }
  | { readonly by: 'image'; readonly perImage: NanoUsd };

/** One dated price of one model. It never changes: what costs something else from some day on has a price of its own. */
export type ModelPrice = {
  readonly model: string;
  /** Goes into every entry that is charged by this price, so that the entry can be worked out again. */
  readonly version: string;
  /** The first moment of its force, in milliseconds since the epoch. It holds until a later price of its model. */
  readonly effectiveFrom: number;
  readonly tariff: Tariff;
};

export type PriceBook = {
  /**
   * The price of a model for a request of some moment, or undefined: a model without a price is refused, never
   * guessed. The moment is the request's own, so that whoever settles it later finds the same price.
   * @param at in milliseconds since the epoch
   */
  priceOf(model: string, at: number): ModelPrice | undefined;
};

/** What one call cost, and how that was found. */
export type CallPrice = {
  readonly cost: NanoUsd;
  readonly priceVersion: string;
  /** `flat-input`: the usage did not split its input, so all of it was billed at the higher of both rates. */
  readonly rule: 'tokens' | 'flat-input' | 'per-image';
};

/** US dollars per million tokens, as providers publish them: decimals with at most three digits after the point. */
export type PublishedRates = {
  readonly textIn: string;
  /** The full rate where it is left out. */
  readonly cachedTextIn?: string | undefined;
  readonly imageIn: string;
  /** The full rate where it is left out. */
  readonly cachedImageIn?: string | undefined;
  readonly imageOut: string;
};

const TOKENS_PER_PUBLISHED_RATE = 1_000_000;

/** @throws {RangeError} where a rate is no decimal, or finer than a nano-dollar a token */
export function tokenTariff(published: PublishedRates): Tariff {
  const { textIn, imageIn, imageOut, cachedTextIn = textIn, cachedImageIn = imageIn } = published;
  const rates = {
    textIn: perToken(textIn),
    cachedTextIn: perToken(cachedTextIn),
    imageIn: perToken(imageIn),
    cachedImageIn: perToken(cachedImageIn),
    imageOut: perToken(imageOut),
  };
  return { by: 'token', rates };
}

/**
 * @param usd what one image costs in US dollars
 * @throws {RangeError} where that is no decimal
 */
export function imageTariff(usd: string): Tariff {
  return { by: 'image', perImage: parseUsd(usd) };
}

/** @throws {RangeError} where the rate is no decimal, or finer than a nano-dollar a token */
export function perToken(usdPerMillion: string): NanoUsd {
  return requireNanoUsd(parseUsd(usdPerMillion) / TOKENS_PER_PUBLISHED_RATE);
}

/** @param lists a price in an earlier list goes before every price of the same model in a later one */
export function createPriceBook(...lists: readonly (readonly ModelPrice[])[]): PriceBook {
  const newestFirst = lists.map((list) => list.toSorted((one, other) => other.effectiveFrom - one.effectiveFrom));
  return {
    priceOf(model, at) {
      const names = [model, withoutSnapshotDate(model)];
      for (const prices of newestFirst) {
        const inForce = prices.filter(({ effectiveFrom }) => effectiveFrom <= at);
        for (const name of names) {
          const price = inForce.find((candidate) => candidate.model === name);
          if (price) return price;
        }
      }
      return undefined;
    },
  };
}

const SNAPSHOT_SUFFIX = /-\d{4}-\d{2}-\d{2}$/;

/** A dated snapshot such as `gpt-image-2-2026-04-21` is billed as the model that it is a snapshot of. */
export function withoutSnapshotDate(model: string): string {
  return model.replace(SNAPSHOT_SUFFIX, '');
}

/**
 * The cost of a call that made images, or undefined where its tokens are what counts and nobody told them.
 * @param made how many images the provider made, and what it told of its tokens
 */
export function priceCall(
  { tariff, version }: ModelPrice,
  made: { readonly imageCount: number; readonly usage: TokenUsage | undefined },
): CallPrice | undefined {
  if (tariff.by === 'image') {
    const cost = requireNanoUsd(made.imageCount * tariff.perImage);
    return { cost, priceVersion: version, rule: 'per-image' };
  }
  return made.usage && { ...priceTokens(tariff.rates, made.usage), priceVersion: version };
}

/** A cached token has its own rate only where the usage says of which kind it was. */
function priceTokens(rates: TokenRates, usage: TokenUsage): Pick<CallPrice, 'cost' | 'rule'> {
  const output = usage.output * rates.imageOut;
  const { inputSplit, cached } = usage;
  if (!inputSplit) return { cost: flatCost(rates, usage), rule: 'flat-input' };
  const input =
    (inputSplit.text - cached.text) * rates.textIn +
    cached.text * rates.cachedTextIn +
    (inputSplit.image - cached.image) * rates.imageIn +
    cached.image * rates.cachedImageIn;
  return { cost: requireNanoUsd(input + output), rule: 'tokens' };
}

/**
 * The published rule for a usage that does not split its input: all of it at the image rate, nothing for an input that
 * is not told, rounded half up to a millionth of a dollar. Where text is dearer than images, its rate takes the place.
 */
function flatCost(rates: TokenRates, { input = 0, output }: TokenUsage): NanoUsd {
  return roundHalfUpToMicroUsd(input * Math.max(rates.imageIn, rates.textIn) + output * rates.imageOut);
}
