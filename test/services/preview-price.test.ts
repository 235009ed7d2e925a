import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import type { PriceBook } from '../../src/billing/prices.ts';
import { createPriceBook, imageTariff } from '../../src/billing/prices.ts';
import { priceOfPreviews } from '../../src/services/preview-price.ts';
import { builtInModels } from '../../src/services/providers/models.ts';
import { createSettings } from './settings-fixture.ts';

const models = ['gpt-image-2', 'gpt-image-1'].flatMap((id) => builtInModels.filter((model) => model.id === id));
const [second, first] = models;
assert.ok(second && first);
const NOVEMBER = Date.UTC(2026, 10, 21);
const parts = { roster: { models }, prices: createPriceBook(openAiPrices), at: NOVEMBER };

describe('priceOfPreviews', () => {
  it("is that of the server's own model, or of the first that there is", () => {
    const price = { model: 'gpt-image-2', each: 3_000_000, count: 2 };
    assert.deepEqual(priceOfPreviews(createSettings(), parts), price);
    assert.deepEqual(priceOfPreviews(createSettings({ defaults: { model: 'gone' } }), parts), price);
    const own = createSettings({ defaults: { model: 'gpt-image-1' } });
    assert.deepEqual(priceOfPreviews(own, parts), { model: 'gpt-image-1', each: 4_000_000, count: 2 });
  });

  it('follows the prices, today', () => {
    assert.equal(priceOfPreviews(createSettings(), { ...parts, prices: pricesByImageFrom(NOVEMBER) })?.each, 0);
    const tomorrow = pricesByImageFrom(NOVEMBER + 1);
    assert.equal(priceOfPreviews(createSettings(), { ...parts, prices: tomorrow })?.each, 3_000_000);
  });

  it('is not told where there are no previews, no price or no model', () => {
    const silent = { models: [{ ...second, partialImagesMax: 0 }, first] };
    assert.equal(priceOfPreviews(createSettings(), { ...parts, roster: silent }), undefined);
    assert.equal(priceOfPreviews(createSettings(), { ...parts, prices: createPriceBook() }), undefined);
    assert.equal(priceOfPreviews(createSettings(), { ...parts, roster: { models: [] } }), undefined);
  });
});

/** OpenAI's prices until some moment, from which on gpt-image-2 is charged by the image. */
function pricesByImageFrom(effectiveFrom: number): PriceBook {
  const tariff = imageTariff('0.034');
  return createPriceBook([{ model: 'gpt-image-2', version: 'relay', effectiveFrom, tariff }], openAiPrices);
}
