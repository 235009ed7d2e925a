import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createLedger } from '../../src/billing/ledger.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { createPriceBook } from '../../src/billing/prices.ts';
import { createHoldExpiry } from '../../src/services/hold-expiry.ts';
import { createJobCompletion } from '../../src/services/job-completion.ts';
import type { JobConclusion } from '../../src/services/job-conclusion.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { detailsOf, refOf } from '../../src/services/open-job.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { JobOutcome } from '../../src/services/job-outcome.ts';
import { createJobRecovery } from '../../src/services/job-recovery.ts';
import { createJobResumption } from '../../src/services/job-resumption.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createRecentIds } from '../../src/services/recent-ids.ts';
import { createFailingStore } from '../billing/failing-store.ts';
import { createDirectory, createPlan, createRequest, JOB_ID, silentLog } from './job-fixture.ts';
import { until } from '../until.ts';

const NOW = Date.UTC(2026, 10, 15);
const MONTH = '202611';
const HOLD_MS = 60_000;
const LIMIT = 1_000_000_000;

/** A process that has just been started where another one died, on a store that can be taken away. */
async function openAfterCrash(context: TestContext, parts: Partial<Parameters<typeof createJobRecovery>[0]> = {}) {
  const directory = await createDirectory(context);
  const clock = { now: NOW };
  const now = (): number => clock.now;
  const spool = await openSpool(join(directory, 'spool'));
  const journalOf = (owner: string) =>
    createJobJournal({ spool, receiptsDirectory: join(directory, 'receipts'), owner, now });
  const journal = journalOf('heir');
  const store = createFailingStore();
  const ledger = createLedger({ store, now, random: () => 0, sleep: async () => undefined });
  const completion = createJobCompletion({
    ledger,
    prices: createPriceBook(openAiPrices),
    pictures: { finish: async () => ({ images: [], notes: [] }) },
    records: { write: async () => undefined },
    now,
    log: silentLog,
  });
  const outcomes: JobOutcome[] = [];
  const recovery = createJobRecovery({
    journal,
    holds: createHoldExpiry({ ledger, now, log: silentLog }),
    lease: {
      owner: 'heir',
      isAlive: (owner) => owner === 'heir',
      clean: async () => undefined,
      release: () => undefined,
    },
    jobs: { isRunning: () => false },
    ended: { has: () => false },
    conclusion: {
      async conclude(job, outcome) {
        outcomes.push(outcome);
        await journal.end(job);
        return 'delivered';
      },
    },
    resumption: createJobResumption({ journal, ledger, completion }),
    originals: { trim: async () => undefined },
    now,
    log: silentLog,
    ...parts,
  });

  const dead = journalOf('dead');
  /** A job of the dead process, whose money is held for a minute. */
  async function leaveJob(id: string = JOB_ID): Promise<OpenJob> {
    const job = await dead.writePlan(await dead.begin(createRequest({ id }), {}), createPlan());
    await leaveHold(job, job.request.guild);
    return job;
  }

  async function leaveHold(job: OpenJob, guild: string): Promise<void> {
    const order = { amount: createPlan().estimate, limit: LIMIT, expiresAt: clock.now + HOLD_MS };
    await ledger.reserve({ ...refOf(job), guild }, { ...order, details: detailsOf(job) });
  }

  const heldIn = async (guild: string): Promise<number> => (await ledger.head(guild, MONTH)).held;
  return { clock, store, spool, journal, journalOf, dead, ledger, recovery, outcomes, leaveJob, leaveHold, heldIn };
}

/** Somebody who brings outcomes to their members, and is stuck with every one of them until told otherwise. */
function createSlowDelivery() {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const conclusion: JobConclusion = {
    async conclude({ request }) {
      begun.push(request.id);
      await gate.promise;
      return 'delivered';
    },
  };
  return { begun, conclusion, release: () => gate.resolve() };
}

const idOf = (number: number): string => String(BigInt(JOB_ID) + BigInt(number));

/** A log that keeps what went wrong. */
function collectErrors() {
  const lines: string[] = [];
  return { lines, log: pino({ level: 'error' }, { write: (line: string) => void lines.push(line) }) };
}

describe('recovery', () => {
  it('is not put off by a store that is away while it begins', async (context) => {
    const { clock, store, spool, recovery, outcomes, leaveJob, leaveHold, heldIn } = await openAfterCrash(context);
    // The same request in another server stands for what a process on another machine has left.
    await leaveHold(await leaveJob(), 'elsewhere');
    clock.now += HOLD_MS;
    store.fail('away');
    await recovery.sweep();
    assert.deepEqual(outcomes, []);
    store.serve();
    await recovery.sweep();
    assert.deepEqual(outcomes, [{ ended: 'refused', refusal: { reason: 'interrupted' } }]);
    assert.deepEqual([await heldIn('guild'), await heldIn('elsewhere')], [0, 0]);
    assert.deepEqual(await spool.list(), []);
  });

  it('asks a store that is away for a few jobs, and not for each of them', async (context) => {
    const { log, lines } = collectErrors();
    const { store, spool, recovery, outcomes, leaveJob } = await openAfterCrash(context, { log });
    for (let number = 0; number < 30; number += 1) await leaveJob(idOf(number));
    store.fail('away');
    await recovery.sweep();
    const failures = lines.filter((line) => line.includes('a job could not be recovered'));
    assert.ok(failures.length >= 5 && failures.length <= 10, `${failures.length} jobs waited for it`);
    assert.deepEqual(outcomes, []);
    store.serve();
    await recovery.sweep();
    assert.equal(outcomes.length, 30);
    assert.deepEqual(await spool.list(), []);
  });

  it('recovers the others where many records cannot be understood', async (context) => {
    const { spool, recovery, outcomes, leaveJob } = await openAfterCrash(context);
    for (let number = 0; number < 30; number += 1) {
      const { folder } = await leaveJob(idOf(number));
      if (number < 20) await folder.writeRecord('job.json', { v: 'of another time' });
    }
    await recovery.sweep();
    assert.equal(outcomes.length, 10);
    assert.equal((await spool.list()).length, 20);
  });

  it('does the rest where one of its steps fails', async (context) => {
    const done: string[] = [];
    const fail = (step: string) => async () => {
      done.push(step);
      throw new Error(`the ${step} cannot be looked at`);
    };
    const { recovery, spool, leaveJob } = await openAfterCrash(context, {
      holds: { watch: () => undefined, freeUncalled: async () => undefined, expire: fail('holds') },
      originals: { trim: fail('originals') },
      lease: { owner: 'heir', isAlive: () => false, clean: fail('leases'), release: () => undefined },
    });
    await leaveJob();
    await recovery.sweep();
    assert.deepEqual(done, ['holds', 'originals', 'leases']);
    assert.deepEqual(await spool.list(), []);
  });

  it('goes by the record of a job where a loss of power has brought back an older name of its folder', async (context) => {
    const { recovery, spool, outcomes, leaveJob, heldIn } = await openAfterCrash(context);
    const { folder } = await leaveJob();
    await spool.rename(folder.name, 'idle-1571313785241599999.dead');
    await recovery.sweep();
    assert.deepEqual(outcomes, [{ ended: 'refused', refusal: { reason: 'interrupted' } }]);
    assert.equal(await heldIn('guild'), 0);
    assert.deepEqual(await spool.list(), []);
  });

  it('waits with nothing for a delivery that hangs, and does not begin it twice', async (context) => {
    const { begun, conclusion, release } = createSlowDelivery();
    let trims = 0;
    const originals = { trim: async () => void (trims += 1) };
    const { clock, recovery, leaveJob, leaveHold, heldIn } = await openAfterCrash(context, { conclusion, originals });
    const stuck = await leaveJob(idOf(1));
    await leaveHold(stuck, 'elsewhere');
    const sweeps = [recovery.sweep()];
    await until(() => trims === 1);
    assert.deepEqual(begun, [idOf(1)]);
    await leaveJob(idOf(2));
    clock.now += HOLD_MS;
    sweeps.push(recovery.sweep());
    await until(() => trims === 2);
    assert.deepEqual(begun, [idOf(1), idOf(2)]);
    assert.deepEqual([await heldIn('guild'), await heldIn('elsewhere')], [0, 0]);
    release();
    await Promise.all(sweeps);
  });

  it('begins with no further delivery when it is to stop, and finishes those that are under way', async (context) => {
    const { begun, conclusion, release } = createSlowDelivery();
    const { recovery, spool, leaveJob } = await openAfterCrash(context, { conclusion });
    for (let number = 0; number < 10; number += 1) await leaveJob(idOf(number));
    const sweep = recovery.sweep();
    await until(() => begun.length === 4);
    const stopped = recovery.stop().then(() => 'stopped');
    assert.equal(await Promise.race([stopped, sleep(50, 'under way')]), 'under way');
    release();
    assert.equal(await stopped, 'stopped');
    await sweep;
    await recovery.sweep();
    assert.equal(begun.length, 4);
    assert.equal((await spool.list()).length, 10);
  });

  it('believes a receipt that nothing was made before it calls the hold over', async (context) => {
    const { clock, dead, ledger, recovery, outcomes, leaveJob } = await openAfterCrash(context);
    const job = await leaveJob();
    await ledger.dispatch(refOf(job), clock.now + HOLD_MS);
    await dead.writeReceipt(job, { outcome: 'failed', kind: 'moderation', charged: 'no' });
    clock.now += HOLD_MS;
    await recovery.sweep();
    assert.deepEqual(outcomes, [{ ended: 'refused', refusal: { reason: 'provider-refused', kind: 'moderation' } }]);
    const steps: string[] = [];
    for await (const page of ledger.entries(job.request.guild, MONTH)) steps.push(...page.map(({ type }) => type));
    assert.deepEqual(steps, ['reserve', 'dispatch', 'void']);
  });

  it('leaves what is kept to whoever fetches it in the last moment', async (context) => {
    const { clock, journal, recovery, spool, leaveJob } = await openAfterCrash(context);
    await journal.keep(await leaveJob(), clock.now + 1);
    clock.now += 15 * 60_000;
    await recovery.sweep();
    assert.equal((await spool.list()).length, 1);
    clock.now += 1;
    await recovery.sweep();
    assert.deepEqual(await spool.list(), []);
  });

  it('brings nothing again that is kept, whoever has kept it', async (context) => {
    const { clock, journal, dead, ledger, recovery, outcomes, spool, leaveJob } = await openAfterCrash(context);
    for (const [number, keeper] of [journal, dead].entries()) {
      const job = await leaveJob(idOf(number));
      await ledger.dispatch(refOf(job), clock.now + HOLD_MS);
      await dead.writeReceipt(job, { outcome: 'made', imageCount: 1, madeCount: 1, usage: null });
      await job.folder.writeFile('image-0', Buffer.from('pixels'));
      await keeper.keep(job, clock.now + 24 * 60 * HOLD_MS);
    }
    for (let sweep = 0; sweep < 3; sweep += 1) await recovery.sweep();
    assert.deepEqual(outcomes, []);
    assert.equal((await spool.list()).length, 2);
  });

  describe('of a request that came to two processes, of which the other one died', () => {
    it('leaves the other trace alone while ours is under way, and drops it when its member was told', async (context) => {
      const running = new Set([JOB_ID]);
      const ended = createRecentIds(10);
      const { log, lines } = collectErrors();
      const jobs = { isRunning: (id: string) => running.has(id) };
      const { recovery, spool, journal, dead, outcomes } = await openAfterCrash(context, { jobs, ended, log });
      await dead.begin(createRequest(), {});
      const ours = await journal.begin(createRequest(), {});
      await recovery.sweep();
      assert.equal((await spool.list()).length, 2);
      await journal.end(ours);
      ended.note(JOB_ID);
      running.clear();
      await recovery.sweep();
      assert.deepEqual([outcomes, lines, await spool.list()], [[], [], []]);
    });

    it('tells its member where ours gave way to it', async (context) => {
      const { recovery, spool, journal, dead, outcomes } = await openAfterCrash(context);
      await dead.begin(createRequest(), {});
      await journal.end(await journal.begin(createRequest(), {}));
      await recovery.sweep();
      assert.deepEqual(outcomes, [{ ended: 'refused', refusal: { reason: 'interrupted' } }]);
      assert.deepEqual(await spool.list(), []);
    });

    it('recovers one after the other where all of them are dead', async (context) => {
      const { log, lines } = collectErrors();
      const { recovery, spool, journalOf, outcomes } = await openAfterCrash(context, { log });
      for (const owner of ['one', 'other']) await journalOf(owner).begin(createRequest(), {});
      for (let sweep = 0; sweep < 2; sweep += 1) await recovery.sweep();
      assert.equal(outcomes.length, 2);
      assert.deepEqual([lines, await spool.list()], [[], []]);
    });
  });
});
