import type { NanoUsd } from './money.ts';
import { parseUsd, requireNanoUsd } from './money.ts';
import type { TokenUsage } from './token-usage.ts';

/** What one token of each kind costs, in nano-dollars. */
export type TokenRates = {
  readonly textIn: NanoUsd;
  readonly cachedTextIn: NanoUsd;
  readonly imageIn: NanoUsd;
  readonly cachedImageIn: NanoUsd;
  readonly imageOut: NanoUsd;
};

/** A price list as it was published on a day. Old entries keep the version under which they were billed. */
export type PriceTable = {
  readonly version: string;
  readonly ratesByModel: ReadonlyMap<string, TokenRates>;
};

/** The price of one call and the rule it was found by. */
export type Price = {
  readonly cost: NanoUsd;
  readonly priceVersion: string;
  /** `flat-input`: the usage had no split of its input, so all of it was billed at the dearer image rate. */
  readonly rule: 'tokens' | 'flat-input';
};

const TOKENS_PER_QUOTED_PRICE = 1_000_000;

/** Builds rates from the US dollars per million tokens that providers publish. */
function ratesPerMillion(usd: {
  textIn: string;
  cachedTextIn: string;
  imageIn: string;
  cachedImageIn: string;
  imageOut: string;
}): TokenRates {
  return {
    textIn: perToken(usd.textIn),
    cachedTextIn: perToken(usd.cachedTextIn),
    imageIn: perToken(usd.imageIn),
    cachedImageIn: perToken(usd.cachedImageIn),
    imageOut: perToken(usd.imageOut),
  };
}

function perToken(usdPerMillion: string): NanoUsd {
  return requireNanoUsd(parseUsd(usdPerMillion) / TOKENS_PER_QUOTED_PRICE);
}

const secondGeneration = ratesPerMillion({
  textIn: '5',
  cachedTextIn: '1.25',
  imageIn: '8',
  cachedImageIn: '2',
  imageOut: '30',
});

/** OpenAI's published prices, in force in November 2026. */
export const openAiPrices: PriceTable = {
  version: 'openai-2026-11-04',
  ratesByModel: new Map([
    [
      'gpt-image-1',
      ratesPerMillion({ textIn: '5', cachedTextIn: '1.25', imageIn: '10', cachedImageIn: '2.50', imageOut: '40' }),
    ],
    [
      'gpt-image-1-mini',
      ratesPerMillion({ textIn: '2', cachedTextIn: '0.20', imageIn: '2.50', cachedImageIn: '0.25', imageOut: '8' }),
    ],
    [
      'gpt-image-1.5',
      ratesPerMillion({ textIn: '5', cachedTextIn: '1.25', imageIn: '8', cachedImageIn: '2', imageOut: '32' }),
    ],
    ['gpt-image-2', secondGeneration],
    ['gpt-image-2.5-sunburst', secondGeneration],
    ['gpt-image-2.5-flare', secondGeneration],
    ['gpt-image-2.6-sunburst', secondGeneration],
    ['gpt-image-2.6-flare', secondGeneration],
  ]),
};

const SNAPSHOT_SUFFIX = /-\d{4}-\d{2}-\d{2}$/;

/** A dated snapshot such as `gpt-image-2-2026-04-21` is billed as the model it is a snapshot of. */
export function withoutSnapshotDate(model: string): string {
  return model.replace(SNAPSHOT_SUFFIX, '');
}

/** The rates of a model, or undefined: a model without a price is refused, never guessed. */
export function findRates(table: PriceTable, model: string): TokenRates | undefined {
  return table.ratesByModel.get(model) ?? table.ratesByModel.get(withoutSnapshotDate(model));
}

/** The exact cost of a call by the tokens that the provider reported. */
export function priceUsage(table: PriceTable, rates: TokenRates, usage: TokenUsage): Price {
  const output = usage.output * rates.imageOut;
  if (!usage.inputSplit) {
    const cost = requireNanoUsd(usage.input * Math.max(rates.imageIn, rates.textIn) + output);
    return { cost, priceVersion: table.version, rule: 'flat-input' };
  }
  const { inputSplit, cached } = usage;
  const input =
    (inputSplit.text - cached.text) * rates.textIn +
    cached.text * rates.cachedTextIn +
    (inputSplit.image - cached.image) * rates.imageIn +
    cached.image * rates.cachedImageIn;
  return { cost: requireNanoUsd(input + output), priceVersion: table.version, rule: 'tokens' };
}
