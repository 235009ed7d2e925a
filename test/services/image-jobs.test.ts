import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { Entry, TransferState } from '../../src/billing/guild-account.ts';
import { createLedger } from '../../src/billing/ledger.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { timeOfSnowflake } from '../../src/billing/period.ts';
import type { PriceBook } from '../../src/billing/prices.ts';
import { createPriceBook, imageTariff } from '../../src/billing/prices.ts';
import type { FairQueue } from '../../src/services/queue/fair-queue.ts';
import { createFairQueue } from '../../src/services/queue/fair-queue.ts';
import type { CallPlan } from '../../src/services/call-plan.ts';
import type { GuildSettings } from '../../src/services/guild-settings.ts';
import { initialSettings } from '../../src/services/guild-settings.ts';
import { createHoldExpiry } from '../../src/services/hold-expiry.ts';
import { createImageJobs } from '../../src/services/image-jobs.ts';
import { createJobCompletion } from '../../src/services/job-completion.ts';
import type { JobJournal } from '../../src/services/job-journal.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { Receipt } from '../../src/services/receipt.ts';
import type { JobOutcome, JobRefusal } from '../../src/services/job-outcome.ts';
import { createModelCatalogue } from '../../src/services/providers/models.ts';
import { createReservations } from '../../src/services/reservation.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { details } from '../billing/account-fixture.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createDirectory, createProgressLog, createRequest, JOB_ID, silentLog } from './job-fixture.ts';

const NOW = Date.UTC(2026, 10, 15);
const HOUR_MS = 60 * 60_000;
const GENEROUS = 10_000_000_000;
const CALL_MS = 60_000;
const RETRY_WINDOW_MS = 180_000;
const model = createModelCatalogue().find('gpt-image-2') ?? assert.fail();
const usage = { input_tokens: 60, input_tokens_details: { text_tokens: 60, image_tokens: 0 }, output_tokens: 1_756 };
const made: Receipt = { outcome: 'made', imageCount: 1, usage, requestId: 'req_1' };
/** 60 text tokens and 1,756 image tokens of gpt-image-2. */
const COST = 60 * 5_000 + 1_756 * 30_000;

/** Jobs on a real ledger and a real disk. The provider is told what to do, and nobody is there to be told of the end. */
async function openJobs(
  context: TestContext,
  options: {
    readonly receipt?: Receipt;
    readonly budget?: number;
    readonly prices?: PriceBook;
    /** How many images are asked for; one by default. */
    readonly count?: number;
    readonly journal?: Partial<JobJournal>;
    /** How long every job waits for its turn. */
    readonly waitMs?: number;
    /** How many models take the place of the one that is asked for, one after another. */
    readonly successors?: number;
    /** What admission refuses everything for. */
    readonly refusal?: JobRefusal;
    /** What goes wrong when a model is to take the place of another. */
    readonly handOverFailure?: Error;
    /** The pictures that come with the request. */
    readonly pictures?: CallPlan['images'];
    /** What the server has decided while its pictures came in. */
    readonly decided?: GuildSettings | JobRefusal;
    /** Whether the line is as long as it may get. */
    readonly isFull?: boolean;
    /** The same of the line in which pictures come in. */
    readonly isIntakeFull?: boolean;
  } = {},
) {
  const directory = await createDirectory(context);
  const prices = options.prices ?? createPriceBook(openAiPrices);
  const spool = await openSpool(join(directory, 'spool'));
  const clock = { now: NOW };
  const parts = { now: () => clock.now, log: silentLog };
  const queue: FairQueue = {
    ...createFairQueue({ concurrency: 1, lengthMax: 9, waitMsMax: 1_000, imagesPerMinute: undefined }, parts.now),
    async run(_ticket, task) {
      clock.now += options.waitMs ?? 0;
      return task();
    },
    isFull: options.isFull ?? false,
  };
  const ledger = createLedger({
    ...parts,
    store: createMemoryDatabase().connect(),
    random: () => 0,
    sleep: async () => undefined,
  });
  const receiptsDirectory = join(directory, 'receipts');
  const journal = { ...createJobJournal({ ...parts, spool, receiptsDirectory, owner: 'mine' }), ...options.journal };
  const outcomes: JobOutcome[] = [];
  /** Where the transfer stood when the provider was called. */
  const calls: (TransferState | undefined)[] = [];
  /** Until when another call could begin, as the caller and those who look for a successor were told. */
  const lastStarts: number[] = [];
  const transfer = async (): Promise<TransferState | undefined> =>
    ledger.transfer({ guild: 'guild', transfer: JOB_ID });
  const jobs = createImageJobs({
    ...parts,
    admission: {
      admit: async (request) => options.refusal ?? { request, model, settings: initialSettings() },
      confirm: async () => options.decided ?? initialSettings(),
      close: () => undefined,
    },
    intake: {
      takeIn: async () => ({ images: options.pictures ?? [], firstFrameOnly: false }),
      isFull: options.isIntakeFull ?? false,
    },
    journal,
    prices,
    reservations: createReservations({
      ...parts,
      ledger,
      holds: createHoldExpiry({ ...parts, ledger }),
      defaultBudget: options.budget ?? GENEROUS,
      callMsMax: 1_000,
    }),
    queue,
    caller: {
      async call(_job, _progress, _recall, lastStartAt) {
        calls.push(await transfer());
        lastStarts.push(lastStartAt);
        clock.now += CALL_MS;
        return options.receipt ?? made;
      },
    },
    succession: {
      async successor(job, _receipt, lastStartAt) {
        lastStarts.push(lastStartAt);
        if (options.handOverFailure) throw options.handOverFailure;
        return calls.length <= (options.successors ?? 0) ? job : undefined;
      },
    },
    completion: createJobCompletion({
      ...parts,
      ledger,
      prices,
      pictures: { finish: async () => ({ images: [], notes: [] }) },
      records: { write: async () => undefined },
    }),
    conclusion: {
      async conclude(_job, outcome) {
        outcomes.push(outcome);
        return 'delivered';
      },
    },
  });
  return {
    jobs,
    ledger,
    calls,
    lastStarts,
    outcomes,
    transfer,
    head: async () => ledger.head('guild', '202611'),
    run: async (): Promise<void> => {
      const job = await jobs.begin(createRequest({ count: options.count ?? 1 }), {});
      assert.ok('folder' in job);
      await jobs.run(job, { images: [], mask: undefined }, createProgressLog());
    },
  };
}

function summaryOf(outcomes: readonly JobOutcome[]): readonly unknown[] {
  return outcomes.map((outcome) =>
    outcome.ended === 'refused' ? outcome.refusal.reason : outcome.result.charge?.cost,
  );
}

describe('what keeps a request from beginning just now', () => {
  it('is what ends by waiting, and nothing else', async (context) => {
    const obstacle = async (options: Parameters<typeof openJobs>[1]) =>
      (await (await openJobs(context, options)).jobs.obstacleTo(createRequest()))?.reason;
    assert.equal(await obstacle({}), undefined);
    assert.equal(await obstacle({ isFull: true }), 'queue-full');
    assert.equal(await obstacle({ isIntakeFull: true }), 'queue-full');
    assert.equal(await obstacle({ refusal: { reason: 'stopping' } }), 'stopping');
    assert.equal(await obstacle({ refusal: { reason: 'store-unavailable' } }), 'store-unavailable');
    assert.equal(await obstacle({ refusal: { reason: 'prompt-blank' } }), undefined);
  });
});

describe('a disk that fills while a job is prepared', () => {
  it('is told of as that, and nothing is called or held', async (context) => {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      const full = Object.assign(new Error(`${code}: no space left`), { code });
      const writePlan = async (): Promise<never> => Promise.reject(full);
      const { run, calls, outcomes, transfer } = await openJobs(context, { journal: { writePlan } });
      await run();
      assert.deepEqual([calls, summaryOf(outcomes), await transfer()], [[], ['disk-full'], undefined], code);
    }
  });

  it('is not what every other error is taken for', async (context) => {
    const bug = new Error('nobody expected this');
    const writePlan = async (): Promise<never> => Promise.reject(bug);
    const { run, outcomes } = await openJobs(context, { journal: { writePlan } });
    await assert.rejects(run, /nobody expected this/);
    assert.deepEqual(outcomes, []);
  });

  it('does not hide what came before it, where it keeps the job from being forgotten', async (context) => {
    const bug = new Error('nobody expected this');
    const failure = new Error('the disk fails');
    const { jobs, run } = await openJobs(context, {
      journal: { writePlan: async () => Promise.reject(bug), end: async () => Promise.reject(failure) },
    });
    await assert.rejects(run, bug);
    assert.equal(jobs.isRunning(JOB_ID), false, 'recovery may have it');
  });
});

describe('a job that nobody waits for', () => {
  it('is left to recovery where it cannot be forgotten', async (context) => {
    const journal = { end: async (): Promise<never> => Promise.reject(new Error('the disk fails')) };
    const { jobs } = await openJobs(context, { journal });
    const job = await jobs.begin(createRequest(), {});
    assert.ok('folder' in job);
    assert.equal(jobs.isRunning(JOB_ID), true);
    await assert.rejects(jobs.abandon(job), { message: 'the disk fails' });
    assert.equal(jobs.isRunning(JOB_ID), false);
  });
});

describe('the calls of a job whose models are gone', () => {
  it('share the time that there is for repetitions, because what is held does not wait longer for them', async (context) => {
    const receipt: Receipt = { outcome: 'failed', kind: 'model-not-found', charged: 'no' };
    const { run, calls, lastStarts } = await openJobs(context, { receipt, successors: 2 });
    await run();
    assert.equal(calls.length, 3);
    assert.deepEqual([...new Set(lastStarts)], [NOW + RETRY_WINDOW_MS]);
  });

  it('are over where it cannot be handed on, and what is known of them is booked', async (context) => {
    const receipt: Receipt = { outcome: 'failed', kind: 'model-not-found', charged: 'no' };
    const handOverFailure = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const { run, calls, outcomes, transfer, head } = await openJobs(context, { receipt, handOverFailure });
    await run();
    assert.deepEqual([calls.length, summaryOf(outcomes)], [1, ['provider-refused']]);
    assert.equal((await transfer())?.type, 'void');
    const { held, exposure } = await head();
    assert.deepEqual({ held, exposure }, { held: 0, exposure: 0 });
  });
});

describe('what is decided while pictures come in', () => {
  const pictures: CallPlan['images'] = [{ file: 'input-0', contentType: 'image/png', width: 1_024, height: 1_024 }];

  it('is in force: of a budget that is closed nothing is held', async (context) => {
    const decided = { ...initialSettings(), budget: 0 };
    const { run, calls, outcomes, transfer } = await openJobs(context, { pictures, decided });
    await run();
    assert.deepEqual([calls, summaryOf(outcomes), await transfer()], [[], ['over-budget'], undefined]);
  });

  it('may be that it is not allowed any more', async (context) => {
    const decided: JobRefusal = { reason: 'store-unavailable' };
    const { run, calls, outcomes, transfer } = await openJobs(context, { pictures, decided });
    await run();
    assert.deepEqual([calls, summaryOf(outcomes), await transfer()], [[], ['store-unavailable'], undefined]);
  });

  it('does not matter where none come in', async (context) => {
    const { run, calls } = await openJobs(context, { decided: { reason: 'store-unavailable' } });
    await run();
    assert.equal(calls.length, 1);
  });
});

describe('the money of a job', () => {
  it('is held and the call written down before it is made, and the bill takes the place of the hold', async (context) => {
    const { run, calls, outcomes, transfer, head } = await openJobs(context);
    await run();
    assert.deepEqual(
      calls.map((state) => state?.type),
      ['dispatch'],
    );
    assert.deepEqual(summaryOf(outcomes), [COST]);
    assert.deepEqual([(await transfer())?.type, (await transfer())?.amount], ['post', COST]);
    const { settled, held, exposure } = await head();
    assert.deepEqual({ settled, held, exposure }, { settled: COST, held: 0, exposure: 0 });
  });

  it('is never booked before its receipt is on disk', async (context) => {
    const journal = {
      async writeReceipt(): Promise<void> {
        throw new Error('no space left on device');
      },
    };
    const { run, calls, outcomes, transfer, head } = await openJobs(context, { journal });
    await run();
    assert.equal(calls.length, 1);
    assert.deepEqual(outcomes, [], 'what came of it is left to recovery');
    assert.equal((await transfer())?.type, 'dispatch');
    assert.ok((await head()).held > 0, 'and what it may have cost is still held');
  });

  it('keeps a job from being called that the budget does not cover', async (context) => {
    const { run, calls, outcomes, transfer } = await openJobs(context, { budget: 1_000 });
    await run();
    assert.deepEqual([calls, summaryOf(outcomes), await transfer()], [[], ['over-budget'], undefined]);
  });

  it('does not pay for a call whose turn came when its reservation was over', async (context) => {
    const { run, calls, outcomes, head } = await openJobs(context, { waitMs: HOUR_MS });
    await run();
    assert.deepEqual([calls, summaryOf(outcomes)], [[], ['waited-too-long']]);
    assert.equal((await head()).held, 0);
  });

  it('is left alone where another process was asked the same and is at work on it', async (context) => {
    const { run, calls, ledger, transfer } = await openJobs(context);
    const ref = { guild: 'guild', transfer: JOB_ID };
    const order = { amount: 100, limit: GENEROUS, expiresAt: NOW + 1_000, details };
    const before = await ledger.reserve(ref, order);
    await assert.rejects(run, /duplicate/);
    assert.deepEqual(await transfer(), before.refused === undefined && before.transfer);
    const after = await ledger.dispatch(ref, NOW + 1_000);
    await assert.rejects(run, /duplicate/);
    assert.deepEqual(await transfer(), after.refused === undefined && after.transfer);
    assert.deepEqual(calls, []);
  });

  it('is given back when provably nothing was made', async (context) => {
    const receipt = { outcome: 'failed', kind: 'moderation', charged: 'no' } as const;
    const { run, outcomes, transfer, head } = await openJobs(context, { receipt });
    await run();
    assert.deepEqual(summaryOf(outcomes), ['provider-refused']);
    assert.equal((await transfer())?.type, 'void');
    const { settled, held, exposure } = await head();
    assert.deepEqual({ settled, held, exposure }, { settled: 0, held: 0, exposure: 0 });
  });

  it('counts against the budget while nobody knows what was made', async (context) => {
    const receipt = { outcome: 'failed', kind: 'timeout', charged: 'unknown' } as const;
    const { run, outcomes, transfer, head } = await openJobs(context, { receipt });
    await run();
    assert.deepEqual(summaryOf(outcomes), ['outcome-unknown']);
    assert.equal((await transfer())?.type, 'unknown');
    const { settled, held, exposure } = await head();
    assert.deepEqual({ settled, held }, { settled: 0, held: 0 });
    assert.ok(exposure > 0);
  });

  it('counts as its estimate where pictures came without a price', async (context) => {
    const { run, outcomes, transfer, head } = await openJobs(context, { receipt: { outcome: 'made', imageCount: 1 } });
    await run();
    assert.deepEqual(summaryOf(outcomes), [undefined]);
    assert.equal((await transfer())?.type, 'unknown');
    assert.equal((await head()).exposure, (await transfer())?.amount);
  });

  it('is known without any tokens where images are charged by the piece, lost ones included', async (context) => {
    const requestedAt = timeOfSnowflake(JOB_ID);
    // A price that came into force after the request, however short, is not the price of this request.
    const prices = createPriceBook([
      { model: 'gpt-image-2', version: 'relay-1', effectiveFrom: requestedAt, tariff: imageTariff('0.034') },
      { model: 'gpt-image-2', version: 'relay-2', effectiveFrom: requestedAt + 1, tariff: imageTariff('0.036') },
    ]);
    const receipt = { outcome: 'made', imageCount: 1, madeCount: 2, requestId: 'req_1' } as const;
    const { run, outcomes, ledger, head } = await openJobs(context, { receipt, prices, count: 2 });
    await run();
    const [outcome] = outcomes;
    assert.ok(outcome?.ended === 'finished');
    assert.deepEqual(outcome.result.charge, { cost: 68_000_000, usage: undefined });
    const { settled, held, exposure } = await head();
    assert.deepEqual({ settled, held, exposure }, { settled: 68_000_000, held: 0, exposure: 0 });
    const entries: Entry[] = [];
    for await (const page of ledger.entries('guild', '202611')) entries.push(...page);
    const post = entries.find(({ type }) => type === 'post');
    assert.ok(post?.type === 'post');
    assert.deepEqual(post.charge, {
      cost: 68_000_000,
      priceVersion: 'relay-1',
      rule: 'per-image',
      usage: null,
      requestId: 'req_1',
    });
    assert.equal(post.details.count, 2);
    assert.equal(post.held, 68_000_000);
  });
});
