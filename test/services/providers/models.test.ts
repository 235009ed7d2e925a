import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageModel } from '../../../src/services/providers/models.ts';
import {
  builtInModels,
  createModelCatalogue,
  findUnsupportedOptions,
  losesTransparency,
  resolveAutoSize,
} from '../../../src/services/providers/models.ts';

function model(id: string): ImageModel {
  const found = createModelCatalogue().find(id);
  assert.ok(found, id);
  return found;
}

test('every model is in the catalogue once', () => {
  const catalogue = createModelCatalogue();
  const { models } = catalogue;
  assert.equal(new Set(models.map(({ id }) => id)).size, models.length);
  assert.equal(catalogue.find('dall-e-3'), undefined);
  assert.equal(catalogue.find('toString'), undefined);
});

test('an added model is like another in all but its name and its end', () => {
  const catalogue = createModelCatalogue([
    { id: 'relay-image-1', like: 'gpt-image-1' },
    { id: 'relay-image-2', like: 'gpt-image-2.5-flare' },
  ]);
  assert.deepEqual(catalogue.models.slice(0, builtInModels.length), builtInModels);
  const first = model('gpt-image-1');
  assert.ok(first.shutdownAt, 'the original has an end');
  assert.deepEqual(catalogue.find('relay-image-1'), { ...first, id: 'relay-image-1', shutdownAt: undefined });
  assert.equal(catalogue.find('relay-image-2')?.tokens, model('gpt-image-2.5-flare').tokens);
  assert.throws(() => createModelCatalogue([{ id: 'relay', like: 'gpt-image-9' }]), RangeError);
});

test('an option that a model lacks is named, with the models that have it', () => {
  assert.deepEqual(
    findUnsupportedOptions(
      model('gpt-image-2'),
      { quality: 'xhigh', background: 'transparent', format: 'webp' },
      builtInModels,
    ),
    [
      {
        option: 'quality',
        value: 'xhigh',
        modelsWithIt: builtInModels.filter(({ id }) => /2\.[56]/.test(id)).map(({ id }) => id),
      },
    ],
  );
  const asked = { size: { width: 1536, height: 864 }, quality: 'high' } as const;
  const [size] = findUnsupportedOptions(model('gpt-image-1.5'), asked, builtInModels);
  assert.equal(size?.option, 'size');
  assert.equal(size.value, '1536x864');
  assert.ok(size.modelsWithIt.includes('gpt-image-2') && !size.modelsWithIt.includes('gpt-image-1'));
});

test('the search for models that have an option can be narrowed', () => {
  const among = [model('gpt-image-1.5'), model('gpt-image-2.5-flare')];
  const [quality, fidelity] = findUnsupportedOptions(model('gpt-image-2'), { fidelity: 'high', quality: 'max' }, among);
  assert.deepEqual(fidelity, { option: 'fidelity', value: 'high', modelsWithIt: ['gpt-image-1.5'] });
  assert.deepEqual(quality, { option: 'quality', value: 'max', modelsWithIt: ['gpt-image-2.5-flare'] });
  assert.deepEqual(findUnsupportedOptions(model('gpt-image-1-mini'), { fidelity: 'low' }, among), []);
  assert.equal(findUnsupportedOptions(model('gpt-image-1-mini'), { fidelity: 'high' }, among).length, 1);
  assert.deepEqual(findUnsupportedOptions(model('gpt-image-2'), {}, among), []);
});

test('transparency is lost in a JPEG only', () => {
  assert.equal(losesTransparency('transparent', 'jpeg'), true);
  assert.equal(losesTransparency('transparent', 'webp'), false);
  assert.equal(losesTransparency('auto', 'jpeg'), false);
});

test('auto is a square where there is no source, else it follows the source', () => {
  assert.deepEqual(resolveAutoSize(model('gpt-image-2')), { width: 1024, height: 1024 });
  assert.deepEqual(resolveAutoSize(model('gpt-image-2'), { width: 1920, height: 1088 }), { width: 1920, height: 1088 });
  assert.deepEqual(resolveAutoSize(model('gpt-image-1'), { width: 1920, height: 1080 }), { width: 1536, height: 1024 });
});
