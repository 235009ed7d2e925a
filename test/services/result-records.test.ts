import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResultRecord } from '../../src/services/result-records.ts';
import { createResultRecords, resultKey } from '../../src/services/result-records.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createPlan, createRequest, JOB_ID, silentLog } from './job-fixture.ts';

const AT = Date.UTC(2026, 10, 20);

const request = createRequest({
  operation: 'edit',
  prompt: 'a rèd “fox”\nin snow 🦊',
  roles: ['painter'],
  size: 'auto',
  quality: 'high',
  count: 2,
  keepOutside: true,
  isSpoiler: true,
  isFromEditForm: true,
  origin: { channel: '7', message: '8', picture: 1 },
});
const picture = { file: 'input-0', contentType: 'image/png', width: 64, height: 64 } as const;
const plan = createPlan({ quality: 'high', images: [picture], masked: { by: 'white', coveredShare: 0.5 } });
const expected: ResultRecord = {
  v: 1,
  id: JOB_ID,
  guild: 'guild',
  member: 'mira',
  asked: {
    operation: 'edit',
    prompt: request.prompt,
    size: 'auto',
    quality: 'high',
    count: 2,
    keepOutside: true,
    isPrivate: false,
    isSpoiler: true,
    origin: { channel: '7', message: '8', picture: 1 },
  },
  made: {
    model: 'gpt-image-2',
    size: '1024x1024',
    quality: 'high',
    background: 'auto',
    format: 'png',
    count: 2,
    pictures: 1,
    isMaskUploaded: true,
  },
  at: AT,
};

function recordsOn(store: Store, at = AT) {
  return createResultRecords({ store, now: () => at, log: silentLog });
}

const job = { request, plan };

async function fail(): Promise<never> {
  throw new StoreFailure('away');
}

describe('the record of a result', () => {
  it('tells another process what was asked for and what was made, and nothing of the asking member’s roles', async () => {
    const database = createMemoryDatabase();
    await recordsOn(database.connect()).write(job, 2);
    assert.deepEqual(await recordsOn(database.connect()).read('guild', JOB_ID), expected);
    assert.equal(await recordsOn(database.connect()).read('other guild', JOB_ID), undefined);
    assert.ok(!JSON.stringify(database.rows()).includes('painter'));
  });

  it('is written once, however often its result is delivered', async () => {
    const store = createMemoryDatabase().connect();
    await recordsOn(store).write(job, 2);
    await recordsOn(store, AT + 1).write(job, 2);
    assert.equal((await recordsOn(store).read('guild', JOB_ID))?.at, AT);
  });

  it('tells of masks that nobody can make again', async () => {
    const sources = [
      ['alpha', true],
      ['white', true],
      ['black', true],
      ['painted', true],
      ['region', false],
      ['own-transparency', false],
    ] as const;
    for (const [by, isMaskUploaded] of sources) {
      const records = recordsOn(createMemoryDatabase().connect());
      await records.write({ request, plan: { ...plan, masked: { by, coveredShare: 0.5 } } }, 2);
      assert.equal((await records.read('guild', JOB_ID))?.made.isMaskUploaded, isMaskUploaded, by);
    }
  });

  it('is gone when it was removed, and removing it twice does no harm', async () => {
    const store = createMemoryDatabase().connect();
    const records = recordsOn(store);
    await records.write(job, 2);
    await records.remove('guild', JOB_ID);
    await records.remove('guild', JOB_ID);
    assert.equal(await records.read('guild', JOB_ID), undefined);
  });

  it('stands in the way of nobody’s picture where the store fails or the record would be too large', async () => {
    const store = createMemoryDatabase().connect();
    await recordsOn({ ...store, commit: fail }).write(job, 2);
    await recordsOn(store).write({ plan, request: { ...request, prompt: 'x'.repeat(70_000) } }, 2);
    assert.equal(await recordsOn(store).read('guild', JOB_ID), undefined);
    await assert.rejects(recordsOn({ ...store, read: fail }).read('guild', JOB_ID), StoreFailure);
  });

  it('that cannot be understood is not taken for one', async () => {
    const store = createMemoryDatabase().connect();
    const guard = { key: resultKey('guild', JOB_ID), expected: undefined, next: { ...expected, v: 2 } };
    await store.commit({ guard, writes: [] });
    await assert.rejects(recordsOn(store).read('guild', JOB_ID), StoreFailure);
  });
});
