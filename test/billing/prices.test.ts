import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import type { ModelPrice } from '../../src/billing/prices.ts';
import { createPriceBook, imageTariff, priceCall, tokenTariff } from '../../src/billing/prices.ts';
import type { TokenUsage } from '../../src/billing/token-usage.ts';
import { builtInModels } from '../../src/services/providers/models.ts';

const TODAY = Date.UTC(2026, 10, 20);
const book = createPriceBook(openAiPrices);

function priceOf(model: string): ModelPrice {
  return book.priceOf(model, TODAY) ?? assert.fail(`${model} has no price`);
}

const noneCached = { text: 0, image: 0 };
const generation: TokenUsage = {
  input: 150,
  inputSplit: { text: 150, image: 0 },
  cached: noneCached,
  output: 8_000,
};
const edit: TokenUsage = { ...generation, input: 1_150, inputSplit: { text: 150, image: 1_000 } };
const cachedEdit: TokenUsage = { ...edit, cached: { text: 50, image: 400 } };
const unsplit: TokenUsage = { ...generation, inputSplit: undefined };
const unsplitEdit: TokenUsage = { ...edit, inputSplit: undefined };
const untold: TokenUsage = { ...unsplit, input: undefined };

/** Worked out by hand from the prices that OpenAI publishes, in nano-dollars. */
const secondGeneration = {
  generation: 240_750_000,
  edit: 248_750_000,
  cachedEdit: 246_162_500,
  unsplit: 241_200_000,
  unsplitEdit: 249_200_000,
  untold: 240_000_000,
};
const golden: Readonly<Record<string, typeof secondGeneration>> = {
  'gpt-image-1': {
    generation: 320_750_000,
    edit: 330_750_000,
    cachedEdit: 327_562_500,
    unsplit: 321_500_000,
    unsplitEdit: 331_500_000,
    untold: 320_000_000,
  },
  'gpt-image-1-mini': {
    generation: 64_300_000,
    edit: 66_800_000,
    cachedEdit: 65_810_000,
    unsplit: 64_375_000,
    unsplitEdit: 66_875_000,
    untold: 64_000_000,
  },
  'gpt-image-1.5': {
    generation: 256_750_000,
    edit: 264_750_000,
    cachedEdit: 262_162_500,
    unsplit: 257_200_000,
    unsplitEdit: 265_200_000,
    untold: 256_000_000,
  },
  'gpt-image-2': secondGeneration,
  'gpt-image-2-2026-04-21': secondGeneration,
  'gpt-image-2.5-sunburst': secondGeneration,
  'gpt-image-2.5-sunburst-2026-09-08': secondGeneration,
  'gpt-image-2.5-flare': secondGeneration,
  'gpt-image-2.5-flare-2026-09-08': secondGeneration,
  'gpt-image-2.6-sunburst': secondGeneration,
  'gpt-image-2.6-flare': secondGeneration,
};

function priced(price: ModelPrice, usage: TokenUsage | undefined, imageCount = 1) {
  return priceCall(price, { imageCount, usage }) ?? assert.fail('it has no price');
}

function dated(model: string, version: string, effectiveFrom: number): ModelPrice {
  return { model, version, effectiveFrom, tariff: imageTariff('0.01') };
}

describe('priceCall', () => {
  it('is told a price for every model of the catalogue', () => {
    assert.deepEqual(new Set(Object.keys(golden)), new Set(builtInModels.map(({ id }) => id)));
  });

  for (const [model, expected] of Object.entries(golden)) {
    it(`prices ${model} to the nano-dollar, by the rule that its usage allows`, () => {
      const usages = { generation, edit, cachedEdit, unsplit, unsplitEdit, untold };
      const results = Object.entries(usages).map(([name, usage]) => [name, priced(priceOf(model), usage)] as const);
      assert.deepEqual(Object.fromEntries(results.map(([name, { cost }]) => [name, cost])), expected);
      assert.deepEqual(
        results.map(([, { rule }]) => rule),
        ['tokens', 'tokens', 'tokens', 'flat-input', 'flat-input', 'flat-input'],
      );
      assert.ok(results.every(([, { priceVersion }]) => priceVersion === 'openai-2026-11-04'));
    });
  }

  it('rounds by the flat rule to six decimals of a dollar, a half upwards, and by no other rule', () => {
    const mini = priceOf('gpt-image-1-mini');
    const one = { ...unsplit, output: 0 };
    assert.equal(priced(mini, { ...one, input: 1 }).cost, 3_000);
    assert.equal(priced(mini, { ...one, input: 2 }).cost, 5_000);
    assert.equal(priced(mini, { ...one, input: 3 }).cost, 8_000);
    assert.equal(priced(mini, { ...one, input: 1, inputSplit: { text: 0, image: 1 } }).cost, 2_500);
  });

  it('takes the dearer rate for an input of unknown kind, also where that is the rate of text', () => {
    const tariff = tokenTariff({ textIn: '7', imageIn: '3', imageOut: '1' });
    const price = { ...dated('relay', 'v', 0), tariff };
    assert.equal(priced(price, { ...unsplit, input: 100, output: 10 }).cost, 710_000);
  });

  it('takes the full rate for cached tokens that have none of their own', () => {
    const tariff = tokenTariff({ textIn: '7', imageIn: '3', imageOut: '1' });
    const price = { ...dated('relay', 'v', 0), tariff };
    assert.equal(priced(price, cachedEdit).cost, priced(price, edit).cost);
  });

  it('prices images by the piece, whatever is told of tokens', () => {
    const price = { model: 'gpt-image-1', version: 'relay-1', effectiveFrom: 0, tariff: imageTariff('0.034') };
    const expected = { priceVersion: 'relay-1', rule: 'per-image' };
    assert.deepEqual(priced(price, undefined), { cost: 34_000_000, ...expected });
    assert.deepEqual(priced(price, generation, 3), { cost: 102_000_000, ...expected });
  });

  it('has no price for images by the token of which nobody told the tokens', () => {
    assert.equal(priceCall(priceOf('gpt-image-2'), { imageCount: 1, usage: undefined }), undefined);
  });

  it('throws rather than answer a sum that has lost its exactness', () => {
    const endless = { ...generation, output: Number.MAX_SAFE_INTEGER };
    assert.throws(() => priced(priceOf('gpt-image-1'), endless), RangeError);
    assert.throws(() => priced(priceOf('gpt-image-1'), { ...endless, inputSplit: undefined }), RangeError);
    const tariff = imageTariff('999999');
    assert.throws(() => priced({ model: 'm', version: 'v', effectiveFrom: 0, tariff }, undefined, 100), RangeError);
  });
});

describe('a tariff', () => {
  it('is made of plain decimals that come to whole nano-dollars', () => {
    for (const usd of ['', '-1', '0,034', '$1', '1e3', 'NaN', '0.0000000001']) {
      assert.throws(() => imageTariff(usd), RangeError, usd);
    }
    for (const rate of ['', '-1', '1,5', '0.0001', '1.2345']) {
      assert.throws(() => tokenTariff({ textIn: rate, imageIn: '1', imageOut: '1' }), RangeError, rate);
    }
  });
});

describe('a price book', () => {
  const DAY_1 = Date.UTC(2026, 0, 1);
  const DAY_2 = Date.UTC(2026, 5, 1);

  it('goes by the moment of the request: each price holds until the next one, to the millisecond', () => {
    const prices = createPriceBook([dated('m', 'second', DAY_2), dated('m', 'first', DAY_1)]);
    const versions = [DAY_1 - 1, DAY_1, DAY_2 - 1, DAY_2, TODAY].map((at) => prices.priceOf('m', at)?.version);
    assert.deepEqual(versions, [undefined, 'first', 'first', 'second', 'second']);
  });

  it('puts an earlier list before a later one for as long as it has a price', () => {
    const prices = createPriceBook([dated('m', 'own', DAY_2)], [dated('m', 'built in', DAY_1), dated('n', 'n', DAY_1)]);
    assert.equal(prices.priceOf('m', DAY_2 - 1)?.version, 'built in');
    assert.equal(prices.priceOf('m', DAY_2)?.version, 'own');
    assert.equal(prices.priceOf('n', DAY_2)?.version, 'n');
    const newer = createPriceBook([dated('m', 'own', DAY_1)], [dated('m', 'built in', DAY_2)]);
    assert.equal(newer.priceOf('m', TODAY)?.version, 'own');
  });

  it('bills a dated snapshot as its model, unless it has a price of its own', () => {
    const prices = createPriceBook([dated('m', 'own', DAY_1)], [dated('m-2026-04-21', 'snapshot', DAY_1)]);
    assert.equal(prices.priceOf('m-2026-09-08', TODAY)?.version, 'own');
    const swapped = createPriceBook([dated('m', 'model', DAY_1), dated('m-2026-04-21', 'snapshot', DAY_1)]);
    assert.equal(swapped.priceOf('m-2026-04-21', TODAY)?.version, 'snapshot');
    assert.equal(prices.priceOf('m-2026-04-21', TODAY)?.version, 'own', 'the operator means snapshots as well');
  });

  it('does not guess', () => {
    for (const model of ['gpt-image-3', 'gpt-image', 'gpt-image-2.5', 'gpt-image-2-2026', 'GPT-IMAGE-2', '']) {
      assert.equal(book.priceOf(model, TODAY), undefined, model);
    }
  });
});
