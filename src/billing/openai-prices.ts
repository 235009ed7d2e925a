import type { ModelPrice, PublishedRates } from './prices.ts';
import { tokenTariff } from './prices.ts';

/**
 * OpenAI's price list of the day on which 2.6 came. Nothing was ever booked by an older one, so it has no first day.
 * Prices that change get a list of their own below it, with the day from which it holds.
 */
const NOVEMBER_2026 = { version: 'openai-2026-11-04', effectiveFrom: 0 };

const SECOND_GENERATION: PublishedRates = {
  textIn: '5',
  cachedTextIn: '1.25',
  imageIn: '8',
  cachedImageIn: '2',
  imageOut: '30',
};

const publishedInNovember2026: Readonly<Record<string, PublishedRates>> = {
  'gpt-image-1': { textIn: '5', cachedTextIn: '1.25', imageIn: '10', cachedImageIn: '2.50', imageOut: '40' },
  'gpt-image-1-mini': { textIn: '2', cachedTextIn: '0.20', imageIn: '2.50', cachedImageIn: '0.25', imageOut: '8' },
  'gpt-image-1.5': { textIn: '5', cachedTextIn: '1.25', imageIn: '8', cachedImageIn: '2', imageOut: '32' },
  'gpt-image-2': SECOND_GENERATION,
  'gpt-image-2.5-sunburst': SECOND_GENERATION,
  'gpt-image-2.5-flare': SECOND_GENERATION,
  'gpt-image-2.6-sunburst': SECOND_GENERATION,
  'gpt-image-2.6-flare': SECOND_GENERATION,
};

/** What OpenAI charges for a million tokens, as it is published. A list that was in force once stays here for good. */
export const openAiPrices: readonly ModelPrice[] = Object.entries(publishedInNovember2026).map(([model, rates]) => ({
  ...NOVEMBER_2026,
  model,
  tariff: tokenTariff(rates),
}));
