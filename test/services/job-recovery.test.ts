import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createLedger } from '../../src/billing/ledger.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { createPriceBook } from '../../src/billing/prices.ts';
import { createHoldExpiry } from '../../src/services/hold-expiry.ts';
import { createJobCompletion } from '../../src/services/job-completion.ts';
import type { OpenJob } from '../../src/services/job-journal.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { JobOutcome } from '../../src/services/job-outcome.ts';
import { createJobRecovery } from '../../src/services/job-recovery.ts';
import { createJobResumption } from '../../src/services/job-resumption.ts';
import { detailsOf, refOf } from '../../src/services/reservation.ts';
import { openSpool } from '../../src/services/spool.ts';
import { createFailingStore } from '../billing/failing-store.ts';
import { createDirectory, createPlan, createRequest, silentLog } from './job-fixture.ts';

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
    conclusion: {
      async conclude(job, outcome) {
        outcomes.push(outcome);
        await journal.end(job);
      },
    },
    resumption: createJobResumption({ journal, ledger, completion }),
    originals: { trim: async () => undefined },
    now,
    log: silentLog,
    ...parts,
  });

  /** A job of the dead process, whose money is held for a minute. */
  async function leaveJob(): Promise<OpenJob> {
    const dead = journalOf('dead');
    const job = await dead.writePlan(await dead.begin(createRequest(), {}), createPlan());
    await leaveHold(job, job.request.guild);
    return job;
  }

  async function leaveHold(job: OpenJob, guild: string): Promise<void> {
    const order = { amount: createPlan().estimate, limit: LIMIT, expiresAt: clock.now + HOLD_MS };
    await ledger.reserve({ ...refOf(job), guild }, { ...order, details: detailsOf(job) });
  }

  const heldIn = async (guild: string): Promise<number> => (await ledger.head(guild, MONTH)).held;
  return { clock, store, spool, recovery, outcomes, leaveJob, leaveHold, heldIn };
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
});
