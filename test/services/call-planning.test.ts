import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estimateCeiling } from '../../src/billing/estimate.ts';
import { findRates, openAiPrices } from '../../src/billing/prices.ts';
import type { PlannedPictures } from '../../src/services/call-planning.ts';
import { checkOptions, chooseModel, planCall } from '../../src/services/call-planning.ts';
import type { ImageModel } from '../../src/services/providers/models.ts';
import { findModel } from '../../src/services/providers/models.ts';
import { createRequest } from './job-fixture.ts';

function modelOf(id: string): ImageModel {
  return findModel(id) ?? assert.fail(`there is no model ${id}`);
}

const models = ['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-image-1'].map(modelOf);
const [second, finer, first] = models.map(({ id }) => modelOf(id));
assert.ok(second && finer && first);
const noPictures: PlannedPictures = { images: [], firstFrameOnly: false };

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
    const plan = planCall(createRequest({ size: 'auto' }), second, noPictures, openAiPrices);
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
    const plan = planCall(createRequest(), first, { images: [photo], firstFrameOnly: false }, openAiPrices);
    assert.ok(!('reason' in plan));
    assert.deepEqual([plan.width, plan.height], [1024, 1536]);
  });

  it('holds the ceiling of everything that goes up, in bytes and pictures', () => {
    const photo = { file: 'input-0', contentType: 'image/png', width: 1024, height: 1024 } as const;
    const request = createRequest({ prompt: '狐', count: 3, quality: 'high', fidelity: 'high' });
    const plan = planCall(request, first, { images: [photo], mask: photo, firstFrameOnly: false }, openAiPrices);
    const rates = findRates(openAiPrices, 'gpt-image-1') ?? assert.fail();
    const expected = estimateCeiling(rates, {
      model: 'gpt-image-1',
      count: 3,
      width: 1024,
      height: 1024,
      quality: 'high',
      promptUtf8Bytes: 3,
      inputImages: [photo, photo],
      highFidelity: true,
    });
    assert.ok(!('reason' in plan));
    assert.equal(plan.estimate, expected);
  });

  it('refuses what it cannot price', () => {
    const unpriced = { ...second, id: 'gpt-image-3' };
    const refusal = { reason: 'model-unpriced', model: 'gpt-image-3' };
    assert.deepEqual(planCall(createRequest(), unpriced, noPictures, openAiPrices), refusal);
    const noTable = { ...openAiPrices, ratesByModel: new Map() };
    assert.deepEqual(planCall(createRequest(), second, noPictures, noTable), { ...refusal, model: 'gpt-image-2' });
  });
});
