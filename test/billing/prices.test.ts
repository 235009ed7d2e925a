import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TokenRates } from '../../src/billing/prices.ts';
import { findRates, openAiPrices, priceUsage } from '../../src/billing/prices.ts';
import { imageModels } from '../../src/services/providers/models.ts';

function ratesOf(model: string): TokenRates {
  const rates = findRates(openAiPrices, model);
  assert.ok(rates, `${model} has no price`);
  return rates;
}

const noneCached = { text: 0, image: 0 };
const generation = { input: 150, inputSplit: { text: 150, image: 0 }, cached: noneCached, output: 8_000 };
const edit = { input: 1_150, inputSplit: { text: 150, image: 1_000 }, cached: noneCached, output: 8_000 };
const cachedEdit = { ...edit, cached: { text: 50, image: 400 } };

/** Worked out by hand from the prices that OpenAI publishes, in nano-dollars. */
const golden = {
  'gpt-image-1': { generation: 320_750_000, edit: 330_750_000, cachedEdit: 327_562_500 },
  'gpt-image-1-mini': { generation: 64_300_000, edit: 66_800_000, cachedEdit: 65_810_000 },
  'gpt-image-1.5': { generation: 256_750_000, edit: 264_750_000, cachedEdit: 262_162_500 },
  'gpt-image-2': { generation: 240_750_000, edit: 248_750_000, cachedEdit: 246_162_500 },
  'gpt-image-2.5-sunburst': { generation: 240_750_000, edit: 248_750_000, cachedEdit: 246_162_500 },
  'gpt-image-2.5-flare': { generation: 240_750_000, edit: 248_750_000, cachedEdit: 246_162_500 },
  'gpt-image-2.6-sunburst': { generation: 240_750_000, edit: 248_750_000, cachedEdit: 246_162_500 },
  'gpt-image-2.6-flare': { generation: 240_750_000, edit: 248_750_000, cachedEdit: 246_162_500 },
};

describe('priceUsage', () => {
  for (const [model, expected] of Object.entries(golden)) {
    it(`prices ${model} to the nano-dollar`, () => {
      const rates = ratesOf(model);
      const price = (usage: typeof edit): number => priceUsage(openAiPrices, rates, usage).cost;
      assert.deepEqual({ generation: price(generation), edit: price(edit), cachedEdit: price(cachedEdit) }, expected);
    });
  }

  it('bills all input at the image rate where the usage does not split it, and says so', () => {
    const usage = { ...generation, inputSplit: undefined };
    assert.deepEqual(priceUsage(openAiPrices, ratesOf('gpt-image-1'), usage), {
      cost: 321_500_000,
      priceVersion: openAiPrices.version,
      rule: 'flat-input',
    });
  });

  it('names the price list and the rule by which it billed', () => {
    const { priceVersion, rule } = priceUsage(openAiPrices, ratesOf('gpt-image-2'), edit);
    assert.deepEqual({ priceVersion, rule }, { priceVersion: 'openai-2026-11-04', rule: 'tokens' });
  });

  it('throws rather than answer a sum that has lost its exactness', () => {
    const usage = { ...generation, output: Number.MAX_SAFE_INTEGER };
    assert.throws(() => priceUsage(openAiPrices, ratesOf('gpt-image-1'), usage), RangeError);
  });
});

describe('findRates', () => {
  it('has a price for every model of the catalogue', () => {
    for (const { id } of imageModels) ratesOf(id);
  });

  it('bills a dated snapshot as its model', () => {
    assert.equal(findRates(openAiPrices, 'gpt-image-2-2026-04-21'), ratesOf('gpt-image-2'));
  });

  it('does not guess', () => {
    for (const model of ['gpt-image-3', 'gpt-image', 'gpt-image-2.5', 'gpt-image-2-2026', 'GPT-IMAGE-2', '']) {
      assert.equal(findRates(openAiPrices, model), undefined, model);
    }
  });
});
