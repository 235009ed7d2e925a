import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createLedger } from '../../src/billing/ledger.ts';
import { createCallSettlement } from '../../src/services/call-settlement.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { detailsOf, refOf } from '../../src/services/open-job.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { chargeOf } from '../billing/account-fixture.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createDirectory, createPlan, createRequest, JOB_ID } from './job-fixture.ts';

const HOUR_MS = 60 * 60_000;
const CEILING = 60_000_000;
const LIMIT = 10_000_000_000;

/** Books in which calls end at these prices, each of a request of its own, and what the operator is told of it. */
async function openBooks(context: TestContext) {
  const spool = await openSpool(await createDirectory(context));
  const clock = { now: Date.UTC(2026, 10, 20) };
  const alarms: Record<string, unknown>[] = [];
  const log = pino({ level: 'error' }, { write: (line) => void alarms.push(JSON.parse(line)) });
  const parts = { now: () => clock.now, log, random: () => 0, sleep: async () => undefined };
  const ledger = createLedger({ ...parts, store: createMemoryDatabase().connect() });
  const settlement = createCallSettlement({ ...parts, ledger });
  let requests = 0;

  async function settle(cost: number, model = 'gpt-image-2'): Promise<OpenJob> {
    const id = (BigInt(JOB_ID) + BigInt(requests)).toString();
    requests += 1;
    const job: OpenJob = {
      request: createRequest({ id }),
      plan: createPlan({ model, estimate: CEILING }),
      address: {},
      beganAt: clock.now,
      isCancelled: false,
      keptUntil: undefined,
      originals: undefined,
      folder: spool.folder(id),
    };
    const expiresAt = clock.now + HOUR_MS;
    await ledger.reserve(refOf(job), { amount: CEILING, limit: LIMIT, expiresAt, details: detailsOf(job) });
    await ledger.dispatch(refOf(job), expiresAt);
    await settlement.post(job, chargeOf(cost), 1);
    return job;
  }
  return { settle, settlement, alarms, clock, head: async () => ledger.head('guild', '202611') };
}

describe('a call that cost more than was held for it', () => {
  it('is booked at what it cost, and told to the operator with both amounts', async (context) => {
    const { settle, alarms, head } = await openBooks(context);
    await settle(CEILING);
    assert.deepEqual(alarms, [], 'a ceiling may be reached');
    await settle(CEILING + 1);
    assert.partialDeepStrictEqual(alarms, [
      { job: (BigInt(JOB_ID) + 1n).toString(), model: 'gpt-image-2', size: '1024x1024', quality: 'medium' },
    ]);
    assert.partialDeepStrictEqual(alarms, [{ costNanoUsd: CEILING + 1, heldNanoUsd: CEILING }]);
    assert.equal((await head()).settled, 2 * CEILING + 1);
  });

  it('is told of once an hour for each model, and once where it is settled again after a crash', async (context) => {
    const { settle, settlement, alarms, clock } = await openBooks(context);
    const job = await settle(CEILING * 2);
    await settle(CEILING * 2);
    clock.now += HOUR_MS - 1;
    await settle(CEILING * 2);
    assert.equal(alarms.length, 1);
    await settle(CEILING * 2, 'gpt-image-1');
    assert.deepEqual(
      alarms.map(({ model }) => model),
      ['gpt-image-2', 'gpt-image-1'],
    );
    clock.now += 1;
    await settlement.post(job, chargeOf(CEILING * 2), 1);
    assert.equal(alarms.length, 2);
    await settle(CEILING * 2);
    assert.equal(alarms.length, 3);
  });
});
