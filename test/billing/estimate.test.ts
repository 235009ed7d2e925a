import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EstimatedCall } from '../../src/billing/estimate.ts';
import { estimateCeiling, maxOutputTokens, partialImageCost } from '../../src/billing/estimate.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { createPriceBook, imageTariff, tokenTariff } from '../../src/billing/prices.ts';

const call: EstimatedCall = {
  model: 'gpt-image-1',
  count: 1,
  width: 1024,
  height: 1024,
  quality: 'medium',
  promptUtf8Bytes: 54,
  inputImages: [],
  highFidelity: false,
  partialImages: 0,
};

function ceilingOf(changes: Partial<EstimatedCall>): number | undefined {
  const changed = { ...call, ...changes };
  const price = createPriceBook(openAiPrices).priceOf(changed.model, Date.UTC(2026, 10, 20));
  assert.ok(price);
  return estimateCeiling(price.tariff, changed);
}

describe('maxOutputTokens', () => {
  it("meets the provider's check points", () => {
    const points = [
      ['gpt-image-1', 'low', 1024, 1024, 272],
      ['gpt-image-1', 'low', 1024, 1536, 408],
      ['gpt-image-1-mini', 'low', 1536, 1024, 400],
      ['gpt-image-1-mini', 'medium', 1024, 1024, 1056],
      ['gpt-image-1.5', 'medium', 1024, 1536, 1584],
      ['gpt-image-1.5', 'medium', 1536, 1024, 1568],
      ['gpt-image-1', 'high', 1024, 1024, 4160],
      ['gpt-image-1', 'high', 1024, 1536, 6240],
      ['gpt-image-1', 'high', 1536, 1024, 6208],
      ['gpt-image-2', 'low', 1024, 1024, 196],
      ['gpt-image-2', 'medium', 1024, 1024, 1756],
      ['gpt-image-2', 'high', 1024, 1024, 7024],
      ['gpt-image-2', 'low', 1536, 1024, 158],
      ['gpt-image-2', 'medium', 1536, 1024, 1372],
      ['gpt-image-2', 'high', 1024, 1536, 5488],
      ['gpt-image-2-2026-04-21', 'high', 3840, 2160, 13_342],
      ['gpt-image-2.5-sunburst', 'max', 2048, 2048, 14_272],
      ['gpt-image-2.5-flare', 'high', 1024, 1024, 1756],
    ] as const;
    for (const [model, quality, width, height, tokens] of points) {
      assert.equal(maxOutputTokens(model, quality, width, height), tokens, `${model} ${quality} ${width}x${height}`);
    }
  });

  it("takes every quality of a model without published factors at its predecessor's dearest", () => {
    for (const quality of ['low', 'medium', 'high', 'xhigh', 'max']) {
      const dearest = maxOutputTokens('gpt-image-2.5-flare', 'max', 1536, 1024);
      assert.equal(maxOutputTokens('gpt-image-2.6-flare', quality, 1536, 1024), dearest, quality);
    }
  });

  it('does not guess', () => {
    assert.equal(maxOutputTokens('gpt-image-1', 'auto', 1024, 1024), undefined);
    assert.equal(maxOutputTokens('gpt-image-2', 'xhigh', 1024, 1024), undefined);
    assert.equal(maxOutputTokens('gpt-image-3', 'low', 1024, 1024), undefined);
  });
});

describe('estimateCeiling', () => {
  it('takes every byte of the prompt as a token at the dearer input rate', () => {
    // (54 bytes + 96 unseen) × $10 per million + 1,056 output tokens × $40 per million
    assert.equal(ceilingOf({}), 1_500_000 + 42_240_000);
  });

  it('takes several images as several calls', () => {
    assert.equal(ceilingOf({ count: 10 }), 10 * (1_500_000 + 42_240_000));
  });

  it('counts every input picture, long ones by their tiles', () => {
    const alone = ceilingOf({}) ?? 0;
    const square = { width: 1024, height: 1024 };
    const banner = { width: 2000, height: 100 };
    const column = { width: 100, height: 2000 };
    assert.equal(ceilingOf({ inputImages: [square] }), alone + 1_536 * 10_000);
    assert.equal(ceilingOf({ inputImages: [banner] }), alone + (65 + 129 * 21) * 10_000);
    assert.equal(ceilingOf({ inputImages: [column, square] }), alone + (65 + 129 * 21 + 1_536) * 10_000);
  });

  it('adds what high fidelity costs for every picture', () => {
    const inputImages = [
      { width: 1024, height: 1024 },
      { width: 1024, height: 1536 },
    ];
    const low = ceilingOf({ inputImages }) ?? 0;
    assert.equal(ceilingOf({ inputImages, highFidelity: true }), low + 2 * 6_240 * 10_000);
  });

  it('takes input at its dearest rate, whichever that is', () => {
    const inputImages = [{ width: 1024, height: 1024 }];
    const rates = { textIn: '1', imageIn: '2', imageOut: '3' };
    for (const dearest of ['textIn', 'cachedTextIn', 'imageIn', 'cachedImageIn']) {
      const tariff = tokenTariff({ ...rates, [dearest]: '9' });
      const expected = (54 + 96 + 1_536) * 9_000 + 1_056 * 3_000;
      assert.equal(estimateCeiling(tariff, { ...call, inputImages }), expected, dearest);
    }
  });

  it('is never below what a bill is rounded to', () => {
    const tariff = tokenTariff({ textIn: '2.5', imageIn: '2.5', imageOut: '8' });
    // 151 × $2.50 per million is half a millionth of a dollar too much for six decimals.
    assert.equal(estimateCeiling(tariff, { ...call, promptUtf8Bytes: 55 }), 378_000 + 8_448_000);
  });

  it('is the price of as many images as are asked for where they are charged by the piece', () => {
    const inputImages = [{ width: 9_000, height: 10 }];
    assert.equal(estimateCeiling(imageTariff('0.034'), { ...call, count: 3, inputImages }), 102_000_000);
  });

  it('adds 100 output tokens for every unfinished picture on the way', () => {
    const alone = ceilingOf({}) ?? 0;
    assert.equal(ceilingOf({ partialImages: 2 }), alone + 2 * 100 * 40_000);
    assert.equal(ceilingOf({ partialImages: 3, count: 2 }), 2 * (alone + 3 * 100 * 40_000));
    const byThePiece = estimateCeiling(imageTariff('0.034'), { ...call, partialImages: 3 });
    assert.equal(byThePiece, 34_000_000);
  });

  it('refuses to name a ceiling where it knows none', () => {
    assert.equal(ceilingOf({ quality: 'auto' }), undefined);
    assert.equal(ceilingOf({ model: 'gpt-image-2', quality: 'max' }), undefined);
  });
});

describe('partialImageCost', () => {
  it('is that of 100 output tokens, and nothing where finished pictures are what counts', () => {
    const rates = { textIn: '5', imageIn: '8', imageOut: '30' };
    assert.equal(partialImageCost(tokenTariff(rates)), 3_000_000);
    assert.equal(partialImageCost(imageTariff('0.034')), 0);
  });
});
