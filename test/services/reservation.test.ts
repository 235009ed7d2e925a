import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createLedger } from '../../src/billing/ledger.ts';
import { initialSettings } from '../../src/services/guild-settings.ts';
import { createHoldExpiry } from '../../src/services/hold-expiry.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import { referenceOf } from '../../src/services/job-reference.ts';
import { detailsOf, refOf } from '../../src/services/open-job.ts';
import { createReservations } from '../../src/services/reservation.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createFailingStore } from '../billing/failing-store.ts';
import { createDirectory, createPlan, createRequest } from './job-fixture.ts';

const NOW = Date.UTC(2026, 10, 15);
const MONTH = '202611';
const HOUR_MS = 60 * 60_000;
const GENEROUS = 10_000_000_000;
const CALL_MS_MAX = 90_000;
const denied = { reason: 'store-unavailable' };

/** A job of which the call is decided on, and a store that can be taken away from it. */
async function openPlannedJob(context: TestContext) {
  const directory = await createDirectory(context);
  const clock = { now: NOW };
  const errors: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) });
  const parts = { now: () => clock.now, log };
  const spool = await openSpool(join(directory, 'spool'));
  const journal = createJobJournal({ ...parts, spool, receiptsDirectory: join(directory, 'receipts'), owner: 'mine' });
  const job = await journal.writePlan(await journal.begin(createRequest(), {}), createPlan());
  const store = createFailingStore();
  const ledger = createLedger({ ...parts, store, random: () => 0, sleep: async () => undefined });
  const holds = createHoldExpiry({ ...parts, ledger });
  // The list of servers has been read when the server of this job was not in it yet.
  await holds.expire();
  const reservations = createReservations({
    ...parts,
    ledger,
    holds,
    defaultBudget: GENEROUS,
    callMsMax: CALL_MS_MAX,
  });
  const account = async () => {
    const { held, exposure } = await ledger.head(job.request.guild, MONTH);
    const transfer = await ledger.transfer(refOf(job));
    return { held, exposure, course: `${transfer?.type} ${transfer?.reason}` };
  };
  return { clock, store, ledger, holds, reservations, job, account, errors };
}

describe('the hold of a call', () => {
  it('lasts for as long as the call may take from when it goes out, and a minute for writing down its end', async (context) => {
    const { clock, ledger, reservations, job } = await openPlannedJob(context);
    await reservations.reserve(job, initialSettings());
    clock.now += 10 * 60_000;
    assert.equal(await reservations.dispatch(job), undefined);
    const { open } = await ledger.head(job.request.guild, MONTH);
    assert.equal(open[job.request.id]?.expiresAt, clock.now + CALL_MS_MAX + 60_000);
  });
});

describe('a full budget', () => {
  it('has room again for who asks once the time of its holds is over', async (context) => {
    const { clock, ledger, reservations, job, account } = await openPlannedJob(context);
    const order = { amount: GENEROUS / 2, limit: GENEROUS, expiresAt: NOW + CALL_MS_MAX, details: detailsOf(job) };
    for (const transfer of ['1571313785241600002', '1571313785241600003']) {
      await ledger.reserve({ guild: job.request.guild, transfer }, order);
    }
    const refusal = await reservations.reserve(job, initialSettings());
    assert.equal(refusal?.reason, 'over-budget');
    clock.now += CALL_MS_MAX;
    assert.equal(await reservations.reserve(job, initialSettings()), undefined);
    assert.deepEqual(await account(), { held: createPlan().estimate, exposure: 0, course: 'reserve undefined' });
  });
});

describe('a call that the ledger refuses', () => {
  it('has waited too long where the time of its hold is over, whoever notices that first', async (context) => {
    for (const isSwept of [false, true]) {
      const { clock, ledger, reservations, job, account } = await openPlannedJob(context);
      await reservations.reserve(job, initialSettings());
      clock.now += HOUR_MS;
      if (isSwept) await ledger.expireHolds(job.request.guild, MONTH);
      assert.deepEqual(await reservations.dispatch(job), { reason: 'waited-too-long' });
      const course = `void ${isSwept ? 'expired' : 'waited-too-long'}`;
      assert.deepEqual(await account(), { held: 0, exposure: 0, course });
    }
  });

  it('is a fault of ours where somebody else has ended its hold, and the operator is told', async (context) => {
    const { ledger, reservations, job, account, errors } = await openPlannedJob(context);
    await reservations.reserve(job, initialSettings());
    await ledger.void(refOf(job), 'interrupted');
    const reference = referenceOf(job.request.id);
    assert.deepEqual(await reservations.dispatch(job), { reason: 'bug', reference });
    assert.deepEqual(await account(), { held: 0, exposure: 0, course: 'void interrupted' });
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', new RegExp(`"reference":"${reference}".*"stands":"void","reason":"interrupted"`));
  });
});

describe('a hold whose store fails', () => {
  for (const how of ['answers lost', 'away'] as const) {
    it(`at the dispatch (${how}) is freed when the store is back, because nothing was called`, async (context) => {
      const { store, holds, reservations, job, account } = await openPlannedJob(context);
      assert.equal(await reservations.reserve(job, initialSettings()), undefined);
      store.fail(how);
      assert.deepEqual(await reservations.dispatch(job), denied);
      await holds.expire();
      store.serve();
      await holds.expire();
      assert.deepEqual(await account(), { held: 0, exposure: 0, course: 'void store-unavailable' });
    });

    it(`at the reservation (${how}) is over when its time is, and no later`, async (context) => {
      const { clock, store, holds, reservations, job, account } = await openPlannedJob(context);
      store.fail(how);
      assert.deepEqual(await reservations.reserve(job, initialSettings()), denied);
      store.serve();
      clock.now += HOUR_MS / 2;
      await holds.expire();
      assert.equal((await account()).held, 0);
    });

    it(`when it is to be freed (${how}) is over when its time is`, async (context) => {
      const { clock, store, holds, reservations, job, account } = await openPlannedJob(context);
      await reservations.reserve(job, initialSettings());
      store.fail(how);
      await reservations.cancel(job, 'cancelled');
      store.serve();
      clock.now += HOUR_MS / 2;
      await holds.expire();
      assert.equal((await account()).held, 0);
    });
  }

  it('for one answer only is freed at once', async (context) => {
    const { store, reservations, job, account } = await openPlannedJob(context);
    await reservations.reserve(job, initialSettings());
    store.fail('one answer lost');
    assert.deepEqual(await reservations.dispatch(job), denied);
    assert.deepEqual(await account(), { held: 0, exposure: 0, course: 'void store-unavailable' });
  });

  it('is not touched where another process was asked the same, and calls', async (context) => {
    const { store, ledger, holds, reservations, job, account } = await openPlannedJob(context);
    const order = { amount: createPlan().estimate, limit: GENEROUS, expiresAt: NOW + CALL_MS_MAX };
    await ledger.reserve(refOf(job), { ...order, details: detailsOf(job) });
    await ledger.dispatch(refOf(job), NOW + CALL_MS_MAX);
    store.fail('one answer lost');
    assert.deepEqual(await reservations.reserve(job, initialSettings()), denied);
    await holds.expire();
    assert.deepEqual(await account(), { held: createPlan().estimate, exposure: 0, course: 'dispatch undefined' });
  });
});
