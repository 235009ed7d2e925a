import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estimateCeiling } from '../../src/billing/estimate.ts';
import { timeOfSnowflake } from '../../src/billing/period.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import type { ModelPrice } from '../../src/billing/prices.ts';
import { createPriceBook, imageTariff } from '../../src/billing/prices.ts';
import type { PlannedPictures } from '../../src/services/call-planning.ts';
import { checkOptions, chooseModel, planCall } from '../../src/services/call-planning.ts';
import type { CallPlan } from '../../src/services/call-plan.ts';
import type { ImageModel } from '../../src/services/providers/models.ts';
import { createModelCatalogue } from '../../src/services/providers/models.ts';
import { createRequest, JOB_ID } from './job-fixture.ts';

function modelOf(id: string): ImageModel {
  return createModelCatalogue().find(id) ?? assert.fail(`there is no model ${id}`);
}

const models = ['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-image-1'].map(modelOf);
const [second, finer, first] = models.map(({ id }) => modelOf(id));
assert.ok(second && finer && first);
const prices = createPriceBook(openAiPrices);
const noPictures: PlannedPictures = { images: [], firstFrameOnly: false };

function priceFrom(effectiveFrom: number, usdPerImage: string): ModelPrice {
  return { model: 'gpt-image-2', version: usdPerImage, effectiveFrom, tariff: imageTariff(usdPerImage) };
}

/** The plan for some images of a model, with previews or without. */
function planOf(model: ImageModel, count: number, previews: boolean): CallPlan {
  const plan = planCall(createRequest({ count }), model, noPictures, prices, { previews });
  return 'reason' in plan ? assert.fail(plan.reason) : plan;
}

describe('chooseModel', () => {
  it('takes the one that is asked for, else the first', () => {
    assert.equal(chooseModel(createRequest({ model: 'gpt-image-1' }), models), first);
    assert.equal(chooseModel(createRequest(), models), second);
  });

  it('says what there is instead of one that is not there', () => {
    const available = ['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-image-1'];
    const model = 'gpt-image-9';
    assert.deepEqual(chooseModel(createRequest({ model }), models), { reason: 'model-unavailable', model, available });
    assert.deepEqual(chooseModel(createRequest(), []), {
      reason: 'model-unavailable',
      model: undefined,
      available: [],
    });
  });
});

describe('checkOptions', () => {
  it('lets everything through that the model has, auto included', () => {
    const request = createRequest({ size: '1536x1024', quality: 'xhigh', background: 'transparent', format: 'webp' });
    assert.equal(checkOptions(request, finer, models), undefined);
    assert.equal(checkOptions(createRequest({ size: 'auto', quality: 'auto' }), second, models), undefined);
  });

  it('names what the model lacks, and who has it', () => {
    const lack = { reason: 'option-unsupported', model: 'gpt-image-2' };
    assert.deepEqual(checkOptions(createRequest({ quality: 'max' }), second, models), {
      ...lack,
      option: 'quality',
      value: 'max',
      supportedBy: ['gpt-image-2.5-flare'],
    });
    assert.deepEqual(checkOptions(createRequest({ fidelity: 'high' }), second, models), {
      ...lack,
      option: 'fidelity',
      value: 'high',
      supportedBy: ['gpt-image-1'],
    });
  });

  it('refuses words that no model knows', () => {
    const unknown = { size: 'huge', quality: 'best', background: 'pink', format: 'bmp', fidelity: 'some' };
    for (const [option, value] of Object.entries(unknown)) {
      const refusal = { reason: 'option-unsupported', option, value, model: 'gpt-image-2', supportedBy: [] };
      assert.deepEqual(checkOptions(createRequest({ [option]: value }), second, models), refusal);
    }
  });

  it('does not let a transparent picture become a JPEG', () => {
    const request = createRequest({ background: 'transparent', format: 'jpeg' });
    assert.deepEqual(checkOptions(request, second, models), { reason: 'transparency-lost' });
  });
});

describe('planCall', () => {
  it('makes every choice concrete', () => {
    const plan = planCall(createRequest({ size: 'auto' }), second, noPictures, prices);
    assert.ok(!('reason' in plan));
    const { estimate, ...choices } = plan;
    assert.ok(estimate > 0);
    assert.deepEqual(choices, {
      model: 'gpt-image-2',
      width: 1024,
      height: 1024,
      quality: 'medium',
      background: 'auto',
      format: 'png',
      ...noPictures,
    });
  });

  it('gives an edit the shape of its picture', () => {
    const photo = { file: 'input-0', contentType: 'image/jpeg', width: 600, height: 900 } as const;
    const plan = planCall(createRequest(), first, { images: [photo], firstFrameOnly: false }, prices);
    assert.ok(!('reason' in plan));
    assert.deepEqual([plan.width, plan.height], [1024, 1536]);
  });

  it('holds the ceiling of everything that goes up, in bytes and pictures', () => {
    const photo = { file: 'input-0', contentType: 'image/png', width: 1024, height: 1024 } as const;
    const request = createRequest({ prompt: '狐', count: 3, quality: 'high', fidelity: 'high' });
    const plan = planCall(request, first, { images: [photo], mask: photo, firstFrameOnly: false }, prices);
    const price = prices.priceOf('gpt-image-1', Date.UTC(2026, 10, 20)) ?? assert.fail();
    const expected = estimateCeiling(price.tariff, {
      count: 3,
      promptUtf8Bytes: 3,
      imageInputTokensMax: 2 * (1_536 + 6_240),
      outputTokensMax: 4_160,
      partialImages: 0,
    });
    assert.ok(!('reason' in plan));
    assert.equal(plan.estimate, expected);
  });

  it('asks for previews of one picture where they are wanted, and holds what they cost', () => {
    const [without, withPreviews] = [planOf(second, 1, false), planOf(second, 1, true)];
    assert.equal(without.partialImages, undefined);
    assert.deepEqual(withPreviews, { ...without, partialImages: 2, estimate: without.estimate + 2 * 100 * 30_000 });
    assert.deepEqual(planOf(second, 2, true), planOf(second, 2, false));
    const silent = { ...second, partialImagesMax: 0 };
    assert.deepEqual(planOf(silent, 1, true), without);
  });

  it('refuses what it cannot price', () => {
    const unpriced = { ...second, id: 'gpt-image-3' };
    const refusal = { reason: 'model-unpriced', model: 'gpt-image-3' };
    assert.deepEqual(planCall(createRequest(), unpriced, noPictures, prices), refusal);
    const none = createPriceBook();
    assert.deepEqual(planCall(createRequest(), second, noPictures, none), { ...refusal, model: 'gpt-image-2' });
  });

  it('finds an added model its own price, and the ceilings of the one that it is like', () => {
    const catalogue = createModelCatalogue([{ id: 'relay-image-2', like: 'gpt-image-2' }]);
    const relay = catalogue.find('relay-image-2') ?? assert.fail();
    const dear = openAiPrices.flatMap((price) =>
      price.model === 'gpt-image-1' ? [{ ...price, model: 'relay-image-2' }] : [],
    );
    const [original, added] = [second, relay].map((model) =>
      planCall(createRequest(), model, noPictures, createPriceBook(dear, openAiPrices)),
    );
    assert.ok(original && added && 'estimate' in original && 'estimate' in added);
    assert.deepEqual({ ...added, estimate: 0 }, { ...original, model: 'relay-image-2', estimate: 0 });
    // 17 bytes of prompt and 96 unseen tokens at the image rate, and 1,756 tokens of image.
    assert.deepEqual(
      [original.estimate, added.estimate],
      [113 * 8_000 + 1_756 * 30_000, 113 * 10_000 + 1_756 * 40_000],
    );
  });

  it('holds the price that is in force when the request is made', () => {
    const at = timeOfSnowflake(JOB_ID);
    const book = createPriceBook([priceFrom(at, '0.01'), priceFrom(at + 1, '0.02')]);
    const plan = planCall(createRequest({ count: 2 }), second, noPictures, book);
    assert.equal('estimate' in plan && plan.estimate, 20_000_000);
  });
});
