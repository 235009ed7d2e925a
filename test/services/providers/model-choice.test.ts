import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OfferedModel } from '../../../src/services/providers/image-provider.ts';
import { chooseModels } from '../../../src/services/providers/model-choice.ts';
import { createModelCatalogue } from '../../../src/services/providers/models.ts';

const catalogue = createModelCatalogue([{ id: 'openai/gpt-image-2', like: 'gpt-image-2' }]);
const now = new Date('2026-11-20T00:00:00Z');
const inDays = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
const offer = (id: string, shutdownAt?: Date): OfferedModel => ({ id, shutdownAt });

function choose(configured: readonly string[], offered: readonly OfferedModel[] | undefined) {
  const { models, warnings } = chooseModels({ catalogue, configured, offered, now });
  return { ids: models.map(({ id }) => id), warnings };
}

test('models keep their configured order, once each', () => {
  const configured = ['gpt-image-2.6-flare', 'gpt-image-2', 'gpt-image-2.6-flare'];
  assert.deepEqual(
    choose(
      configured,
      configured.map((id) => offer(id)),
    ),
    { ids: ['gpt-image-2.6-flare', 'gpt-image-2'], warnings: [] },
  );
});

test('models that are unknown or not offered are left out with a warning', () => {
  assert.deepEqual(
    choose(['gpt-image-9', 'gpt-image-2', 'gpt-image-2.5-flare'], [offer('gpt-image-9'), offer('gpt-image-2.5-flare')]),
    {
      ids: ['gpt-image-2.5-flare'],
      warnings: [
        { reason: 'unknown', model: 'gpt-image-9' },
        { reason: 'not-offered', model: 'gpt-image-2', isUsed: false },
      ],
    },
  );
});

test('a model that the operator added is used although the list does not name it', () => {
  assert.deepEqual(choose(['openai/gpt-image-2', 'gpt-image-2'], [offer('openai/*')]), {
    ids: ['openai/gpt-image-2'],
    warnings: [
      { reason: 'not-offered', model: 'openai/gpt-image-2', isUsed: true },
      { reason: 'not-offered', model: 'gpt-image-2', isUsed: false },
    ],
  });
});

test('a provider without a list is believed', () => {
  assert.deepEqual(choose(['gpt-image-2'], undefined), { ids: ['gpt-image-2'], warnings: [] });
});

test('a model past its date is used only where the provider does not say so itself', () => {
  const shutdownAt = new Date('2026-10-23');
  const warning = { reason: 'shut-down', model: 'gpt-image-1', shutdownAt };
  assert.deepEqual(choose(['gpt-image-1'], [offer('gpt-image-1', shutdownAt)]), {
    ids: [],
    warnings: [{ ...warning, isUsed: false }],
  });
  assert.deepEqual(choose(['gpt-image-1'], [offer('gpt-image-1')]), {
    ids: ['gpt-image-1'],
    warnings: [{ ...warning, isUsed: true }],
  });
  assert.deepEqual(choose(['gpt-image-1'], undefined), {
    ids: ['gpt-image-1'],
    warnings: [{ ...warning, isUsed: true }],
  });
});

test('a shutdown within sixty days is announced, by the provider’s date before the catalogue’s', () => {
  assert.deepEqual(choose(['gpt-image-1.5'], undefined), {
    ids: ['gpt-image-1.5'],
    warnings: [{ reason: 'shutting-down', model: 'gpt-image-1.5', shutdownAt: new Date('2026-12-01') }],
  });
  assert.deepEqual(choose(['gpt-image-1.5'], [offer('gpt-image-1.5', new Date('2027-06-01'))]).warnings, []);
  assert.equal(choose(['gpt-image-2'], [offer('gpt-image-2', inDays(60))]).warnings.length, 1);
  assert.equal(choose(['gpt-image-2'], [offer('gpt-image-2', inDays(60.01))]).warnings.length, 0);
});
