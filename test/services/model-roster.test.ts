import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { createModelRoster } from '../../src/services/model-roster.ts';
import type { OfferedModel } from '../../src/services/providers/image-provider.ts';
import { readModelPage } from '../../src/services/providers/offered-models.ts';
import { createModelCatalogue } from '../../src/services/providers/models.ts';

const CONFIGURED = ['gpt-image-2.6-sunburst', 'gpt-image-2.5-sunburst', 'gpt-image-2'];
const NOW = Date.UTC(2026, 10, 21);
const HOUR_MS = 60 * 60_000;

/** A provider whose list changes, and whose list cannot be read where it is undefined. */
async function openRoster(list: () => readonly string[] | Promise<readonly string[]>) {
  const clock = { now: NOW };
  const errors: string[] = [];
  const roster = await createModelRoster({
    provider: {
      listModels: async () => (await list()).map((id): OfferedModel => ({ id, shutdownAt: undefined })),
      makeImages: async () => assert.fail('nothing is made here'),
    },
    catalogue: createModelCatalogue(),
    configured: CONFIGURED,
    now: () => clock.now,
    log: pino({ level: 'error' }, { write: (line) => void errors.push(line) }),
  });
  return { roster, clock, errors, ids: () => roster.models.map(({ id }) => id) };
}

describe('the models that can be used', () => {
  it('are those that are configured and offered, in the configured order', async () => {
    const { ids } = await openRoster(() => ['gpt-image-2', 'gpt-5', 'gpt-image-2.6-sunburst']);
    assert.deepEqual(ids(), ['gpt-image-2.6-sunburst', 'gpt-image-2']);
  });

  it('are asked for again as soon as one of them is missing', async () => {
    let isUp = false;
    const { roster, ids } = await openRoster(() => {
      if (!isUp) throw new Error('connect ECONNREFUSED');
      return ['gpt-image-2'];
    });
    assert.deepEqual(ids(), CONFIGURED);
    isUp = true;
    roster.retire('gpt-image-2.6-sunburst');
    await turn();
    assert.deepEqual(ids(), ['gpt-image-2']);
  });

  it('do not come to have one again that is listed and missing', async () => {
    const { roster, ids } = await openRoster(() => CONFIGURED);
    roster.retire('gpt-image-2');
    await turn();
    assert.deepEqual(ids(), CONFIGURED.slice(0, 2));
  });

  it('do not come to have one again when another one is missing, or the list is read again', async () => {
    const { roster, clock, ids } = await openRoster(() => CONFIGURED);
    for (const model of CONFIGURED.slice(0, 2)) {
      roster.retire(model);
      await turn();
    }
    assert.deepEqual(ids(), ['gpt-image-2']);
    clock.now += HOUR_MS - 1;
    await roster.refresh();
    assert.deepEqual(ids(), ['gpt-image-2']);
    clock.now += 1;
    await roster.refresh();
    assert.deepEqual(ids(), CONFIGURED, 'after an hour it may be back');
  });

  it('are asked for once, and the operator told once, however many calls find the same one missing', async () => {
    let readings = 0;
    const { roster, errors } = await openRoster(() => {
      readings += 1;
      return CONFIGURED;
    });
    for (let call = 0; call < 5; call += 1) {
      roster.retire('gpt-image-2');
      await turn();
    }
    assert.deepEqual([readings, errors.length], [2, 1]);
  });

  it('are read by one refresh at a time, and none brings back what went missing meanwhile', async () => {
    const list = Promise.withResolvers<readonly string[]>();
    let readings = 0;
    const { roster, ids } = await openRoster(() => ((readings += 1) === 1 ? CONFIGURED : list.promise));
    const refreshed = roster.refresh();
    roster.retire('gpt-image-2');
    assert.equal(readings, 2);
    list.resolve(CONFIGURED);
    await refreshed;
    assert.deepEqual(ids(), CONFIGURED.slice(0, 2));
  });
});

function idsOf(data: unknown): unknown {
  return readModelPage(JSON.stringify({ data }))?.models.map(({ id }) => id);
}

describe('the list of a provider', () => {
  it('may consist of names alone, and names nothing where it names no models', () => {
    assert.deepEqual(idsOf([{ id: 'a' }, { id: 'b' }]), ['a', 'b']);
    assert.deepEqual(idsOf(['a', 'b']), ['a', 'b']);
    assert.deepEqual(idsOf([]), []);
    assert.deepEqual(idsOf([{ name: 'a' }]), []);
    assert.equal(readModelPage('no'), undefined);
    assert.equal(readModelPage('{"models":[]}'), undefined);
  });
});
