import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EstimatedCall } from '../../src/billing/estimate.ts';
import { estimateCeiling, partialImageCost } from '../../src/billing/estimate.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { createPriceBook, imageTariff, tokenTariff } from '../../src/billing/prices.ts';

const call: EstimatedCall = {
  count: 1,
  promptUtf8Bytes: 54,
  imageInputTokensMax: 0,
  outputTokensMax: 1_056,
  partialImages: 0,
};

function ceilingOf(changes: Partial<EstimatedCall>): number | undefined {
  const price = createPriceBook(openAiPrices).priceOf('gpt-image-1', Date.UTC(2026, 10, 20));
  assert.ok(price);
  return estimateCeiling(price.tariff, { ...call, ...changes });
}

describe('estimateCeiling', () => {
  it('takes every byte of the prompt as a token at the dearer input rate', () => {
    // (54 bytes + 96 unseen) × $10 per million + 1,056 output tokens × $40 per million
    assert.equal(ceilingOf({}), 1_500_000 + 42_240_000);
  });

  it('takes several images as several calls', () => {
    assert.equal(ceilingOf({ count: 10 }), 10 * (1_500_000 + 42_240_000));
  });

  it('adds what the pictures take that go up', () => {
    const alone = ceilingOf({}) ?? 0;
    assert.equal(ceilingOf({ imageInputTokensMax: 1_536 }), alone + 1_536 * 10_000);
  });

  it('takes input at its dearest rate, whichever that is', () => {
    const rates = { textIn: '1', imageIn: '2', imageOut: '3' };
    for (const dearest of ['textIn', 'cachedTextIn', 'imageIn', 'cachedImageIn']) {
      const tariff = tokenTariff({ ...rates, [dearest]: '9' });
      const expected = (54 + 96 + 1_536) * 9_000 + 1_056 * 3_000;
      assert.equal(estimateCeiling(tariff, { ...call, imageInputTokensMax: 1_536 }), expected, dearest);
    }
  });

  it('is never below what a bill is rounded to', () => {
    const tariff = tokenTariff({ textIn: '2.5', imageIn: '2.5', imageOut: '8' });
    // 151 × $2.50 per million is half a millionth of a dollar too much for six decimals.
    assert.equal(estimateCeiling(tariff, { ...call, promptUtf8Bytes: 55 }), 378_000 + 8_448_000);
  });

  it('is the price of as many images as are asked for where they are charged by the piece', () => {
    const unknown = { ...call, count: 3, imageInputTokensMax: 9_000, outputTokensMax: undefined };
    assert.equal(estimateCeiling(imageTariff('0.034'), unknown), 102_000_000);
  });

  it('adds 100 output tokens for every unfinished picture on the way', () => {
    const alone = ceilingOf({}) ?? 0;
    assert.equal(ceilingOf({ partialImages: 2 }), alone + 2 * 100 * 40_000);
    assert.equal(ceilingOf({ partialImages: 3, count: 2 }), 2 * (alone + 3 * 100 * 40_000));
    const byThePiece = estimateCeiling(imageTariff('0.034'), { ...call, partialImages: 3 });
    assert.equal(byThePiece, 34_000_000);
  });

  it('refuses to name a ceiling where it knows none', () => {
    assert.equal(ceilingOf({ outputTokensMax: undefined }), undefined);
  });
});

describe('partialImageCost', () => {
  it('is that of 100 output tokens, and nothing where finished pictures are what counts', () => {
    const rates = { textIn: '5', imageIn: '8', imageOut: '30' };
    assert.equal(partialImageCost(tokenTariff(rates)), 3_000_000);
    assert.equal(partialImageCost(imageTariff('0.034')), 0);
  });
});
