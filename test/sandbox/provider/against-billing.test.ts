/** The emulator's tables against the program's own: two copies of the published rules, written apart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CatalogueModel, ImageSize } from '../../../sandbox/provider/model-catalogue.ts';
import {
  catalogue,
  fixedSizes,
  generationRules,
  isFreeSizeAllowed,
} from '../../../sandbox/provider/model-catalogue.ts';
import { costNanoUsd } from '../../../sandbox/provider/price-table.ts';
import { outputTokensPerImage, usageOf } from '../../../sandbox/provider/token-tables.ts';
import { estimateCeiling } from '../../../src/billing/estimate.ts';
import { openAiPrices } from '../../../src/billing/openai-prices.ts';
import { createPriceBook, priceCall } from '../../../src/billing/prices.ts';
import { readTokenUsage } from '../../../src/billing/token-usage.ts';
import { createModelCatalogue } from '../../../src/services/providers/models.ts';
import type { TokenRule } from '../../../src/services/providers/token-rules.ts';
import { maxInputTokens, maxOutputTokens } from '../../../src/services/providers/token-rules.ts';

const freeSizes = fc
  .record({ width: fc.integer({ min: 1, max: 240 }), height: fc.integer({ min: 1, max: 240 }) })
  .map(({ width, height }): ImageSize => ({ width: width * 16, height: height * 16 }))
  .filter(isFreeSizeAllowed);

const standardSizes = fc.constantFrom(...fixedSizes).map((text): ImageSize => {
  const [width = 0, height = 0] = text.split('x').map(Number);
  return { width, height };
});

const inputSizes = fc.array(
  fc.record({ width: fc.integer({ min: 1, max: 9000 }), height: fc.integer({ min: 1, max: 9000 }) }),
  { maxLength: 16 },
);

function callsOf(model: CatalogueModel): fc.Arbitrary<Parameters<typeof usageOf>[0]> {
  const { sizes, qualities, fidelities } = generationRules[model.generation];
  return fc.record({
    generation: fc.constant(model.generation),
    prompt: fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
    size: sizes === 'fixed' ? standardSizes : freeSizes,
    quality: fc.constantFrom(...qualities),
    imageCount: fc.integer({ min: 1, max: 10 }),
    partialImageCount: fc.integer({ min: 0, max: 3 }),
    inputSizes,
    fidelity: fidelities.length === 0 ? fc.constant('low' as const) : fc.constantFrom(...fidelities),
  });
}

for (const model of catalogue.values()) {
  test(`${model.id}: no bill by any rule is above the estimate, and both sides price it alike`, () => {
    const price = createPriceBook(openAiPrices).priceOf(model.id, Date.UTC(2026, 10, 20));
    assert.ok(price !== undefined);
    fc.assert(
      fc.property(callsOf(model), (call) => {
        const usage = usageOf(call);
        const billed = costNanoUsd(model.generation, usage);
        const read = readTokenUsage(usage);
        assert.ok(read !== undefined);
        const made = { imageCount: call.imageCount, usage: read };
        assert.equal(priceCall(price, made)?.cost, billed);
        const ceiling = estimateCeiling(price.tariff, {
          count: call.imageCount,
          promptUtf8Bytes: Buffer.byteLength(call.prompt),
          imageInputTokensMax: maxInputTokens(tokensOf(model.id), call.inputSizes, call.fidelity === 'high'),
          outputTokensMax: maxOutputTokens(tokensOf(model.id), call.quality, call.size),
          partialImages: call.partialImageCount,
        });
        assert.ok(ceiling !== undefined && billed <= ceiling, `${billed} > ${ceiling}`);
        const flat = priceCall(price, { ...made, usage: { ...read, inputSplit: undefined } })?.cost;
        assert.ok(
          flat !== undefined && billed <= flat && flat <= ceiling,
          `${flat} is not from ${billed} to ${ceiling}`,
        );
      }),
    );
  });
}

test('where the factors are published, both sides count the same output tokens', () => {
  const published = [...catalogue.values()].filter(({ generation }) => generation !== '2.6');
  fc.assert(
    fc.property(
      fc.constantFrom(...published).chain((model) => callsOf(model).map((call) => ({ model, call }))),
      ({ model, call: { generation, size, quality } }) => {
        const tokens = outputTokensPerImage(generation, size, quality);
        assert.equal(maxOutputTokens(tokensOf(model.id), quality, size), tokens);
      },
    ),
    { numRuns: 1000 },
  );
});

function tokensOf(model: string): TokenRule {
  const found = createModelCatalogue().find(model);
  assert.ok(found, model);
  return found.tokens;
}
