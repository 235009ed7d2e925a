import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createLedger } from '../../src/billing/ledger.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { createPriceBook } from '../../src/billing/prices.ts';
import { createFairQueue } from '../../src/services/queue/fair-queue.ts';
import { initialSettings } from '../../src/services/guild-settings.ts';
import { createHoldExpiry } from '../../src/services/hold-expiry.ts';
import { createImageJobs } from '../../src/services/image-jobs.ts';
import type { RequestAttachments } from '../../src/services/image-request.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../src/services/images/image-preparation.ts';
import { createJobCompletion } from '../../src/services/job-completion.ts';
import type { Receipt } from '../../src/services/receipt.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { JobOutcome } from '../../src/services/job-outcome.ts';
import { createJobResumption } from '../../src/services/job-resumption.ts';
import { createPictureIntake } from '../../src/services/picture-intake.ts';
import { createProviderCaller } from '../../src/services/provider-call.ts';
import type { ImageResult } from '../../src/services/providers/image-provider.ts';
import { ProviderFailure } from '../../src/services/providers/image-provider.ts';
import { createModelCatalogue } from '../../src/services/providers/models.ts';
import { createReservations } from '../../src/services/reservation.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createDirectory, createProgressLog, createRequest, JOB_ID, silentLog } from './job-fixture.ts';
import { until } from '../until.ts';

const OTHER_ID = String(BigInt(JOB_ID) + 1n);
const GENEROUS = 10_000_000_000;
const image = { path: 'image-0', name: 'fox.png', contentType: 'image/png', sizeBytes: 1 };
const nothing: RequestAttachments = { images: [], mask: undefined };
const made: ImageResult = {
  imageCount: 1,
  madeCount: 1,
  usage: { input_tokens: 60, input_tokens_details: { text_tokens: 60, image_tokens: 0 }, output_tokens: 1_756 },
  requestId: 'req_1',
};
/** 60 text tokens and 1,756 image tokens of gpt-image-2. */
const COST = 60 * 5_000 + 1_756 * 30_000;

/** Jobs on a real ledger and a real disk, one at a time at a provider that answers when the test says so. */
async function openJobs(context: TestContext) {
  const directory = await createDirectory(context);
  const parts = { now: Date.now, log: silentLog, prices: createPriceBook(openAiPrices) };
  const spool = await openSpool(join(directory, 'spool'));
  const ledger = createLedger({
    ...parts,
    store: createMemoryDatabase().connect(),
    random: () => 0,
    sleep: async () => undefined,
  });
  const journal = createJobJournal({ ...parts, spool, receiptsDirectory: join(directory, 'receipts'), owner: 'mine' });
  const completion = createJobCompletion({
    ...parts,
    ledger,
    pictures: { finish: async () => ({ images: [image], notes: [] }) },
    records: { write: async () => undefined },
  });
  const queue = createFairQueue(
    { concurrency: 1, lengthMax: 9, waitMsMax: 60_000, imagesPerMinute: undefined },
    parts.now,
  );
  const calls: PromiseWithResolvers<ImageResult>[] = [];
  const caller = createProviderCaller({
    ...parts,
    provider: {
      async makeImages() {
        const call = Promise.withResolvers<ImageResult>();
        calls.push(call);
        return call.promise;
      },
      listModels: async () => undefined,
    },
    queue,
    safetyIdentifierOf: (member) => member,
    closing: new AbortController().signal,
    random: () => 0,
    // Whoever pauses does so for ever, unless somebody cancels.
    sleep: async () => new Promise(() => undefined),
  });
  const outcomes = new Map<string, JobOutcome>();
  const jobs = createImageJobs({
    ...parts,
    admission: {
      admit: async (request) => ({
        request,
        model: createModelCatalogue().find('gpt-image-2') ?? assert.fail(),
        settings: initialSettings(),
      }),
      confirm: async () => initialSettings(),
      close: () => undefined,
    },
    intake: createPictureIntake({
      ...parts,
      preparation: createImagePreparation({ concurrency: 1, waitingMax: 1, limits: STANDARD_IMAGE_LIMITS }),
      closing: new AbortController().signal,
    }),
    journal,
    reservations: createReservations({
      ...parts,
      ledger,
      holds: createHoldExpiry({ ...parts, ledger }),
      defaultBudget: GENEROUS,
      callMsMax: 1_000,
    }),
    queue,
    caller,
    succession: { successor: async () => undefined },
    completion,
    conclusion: {
      async conclude(job, outcome) {
        outcomes.set(job.request.id, outcome);
        await journal.end(job);
        return 'delivered';
      },
    },
  });
  const stateOf = async (id: string) => {
    const transfer = await ledger.transfer({ guild: 'guild', transfer: id });
    return transfer && [transfer.type, transfer.reason].filter((word) => word !== undefined).join(' ');
  };
  return {
    jobs,
    calls,
    queue,
    outcomes,
    stateOf,
    head: async () => ledger.head('guild', '202611'),
    /** Asks for an image, and answers what is told on the way, and when all is over. */
    ask: (id: string, attachments = nothing) => {
      const progress = createProgressLog();
      const run = async (): Promise<void> => {
        const job = await jobs.begin(createRequest({ id }), {});
        assert.ok('folder' in job);
        await jobs.run(job, attachments, progress);
      };
      return { progress, end: run() };
    },
    /** What recovery makes of a job on this disk, if its process dies now, or once it has written a receipt. */
    recover: async (id: string, receipt?: Receipt): Promise<JobOutcome | undefined> => {
      const left = (await journal.list()).find((job) => job.id === id);
      const job = left && (await journal.open(left));
      if (!job) return undefined;
      if (receipt) await journal.writeReceipt(job, receipt);
      return createJobResumption({ journal, ledger, completion }).resume(job);
    },
  };
}

const cancelled: JobOutcome = { ended: 'refused', refusal: { reason: 'cancelled' } };

describe('cancelling a job before its call is out', () => {
  it('ends the wait for a picture that is slow to come, with nothing in the books', async (context) => {
    const { jobs, ask, outcomes, stateOf, calls } = await openJobs(context);
    let isLoading = false;
    const load = async (): Promise<Buffer> => {
      isLoading = true;
      return new Promise(() => undefined);
    };
    const { end } = ask(JOB_ID, { images: [{ label: 'image', load }], mask: undefined });
    await until(() => isLoading);
    assert.equal(await jobs.cancel(JOB_ID, 'mira'), 'cancelled');
    await end;
    assert.deepEqual([outcomes.get(JOB_ID), await stateOf(JOB_ID), calls], [cancelled, undefined, []]);
  });

  it('gives back what was held, and the turn to the next in line', async (context) => {
    const { jobs, ask, outcomes, stateOf, calls, queue } = await openJobs(context);
    const third = String(BigInt(OTHER_ID) + 1n);
    const asked = [ask(JOB_ID)];
    await until(() => calls.length === 1);
    asked.push(ask(OTHER_ID));
    await until(() => queue.waiting === 1);
    asked.push(ask(third));
    await until(() => queue.waiting === 2);
    assert.equal(await jobs.cancel(OTHER_ID, 'mira'), 'cancelled');
    assert.equal(queue.waiting, 1);
    calls[0]?.resolve(made);
    await until(() => calls.length === 2);
    calls[1]?.resolve(made);
    await Promise.all(asked.map(async ({ end }) => end));
    assert.deepEqual(outcomes.get(OTHER_ID), cancelled);
    assert.deepEqual(await Promise.all([JOB_ID, OTHER_ID, third].map(stateOf)), ['post', 'void cancelled', 'post']);
  });

  it('ends the pause that the provider asked for, without another attempt', async (context) => {
    const { jobs, ask, outcomes, stateOf, calls, head } = await openJobs(context);
    const { end, progress } = ask(JOB_ID);
    await until(() => calls.length === 1);
    calls[0]?.reject(new ProviderFailure('rate-limited', 'no', { message: 'slow down', retryAfterMs: 60_000 }));
    await until(() => progress.states.at(-1)?.phase === 'provider-busy');
    assert.equal(await jobs.cancel(JOB_ID, 'mira'), 'cancelled');
    await end;
    assert.deepEqual([outcomes.get(JOB_ID), await stateOf(JOB_ID)], [cancelled, 'void cancelled']);
    assert.equal(calls.length, 1);
    assert.equal((await head()).held, 0);
  });
});

describe('cancelling a job whose call is out', () => {
  it('lets the call come to its end and books it, and nothing is told on the way any more', async (context) => {
    const { jobs, ask, outcomes, calls, head } = await openJobs(context);
    const { end, progress } = ask(JOB_ID);
    await until(() => calls.length === 1);
    const told = progress.states.length;
    assert.equal(await jobs.cancel(JOB_ID, 'mira'), 'running');
    assert.equal(await jobs.cancel(JOB_ID, 'mira'), 'running', 'twice is as good as once');
    calls[0]?.resolve(made);
    await end;
    const outcome = outcomes.get(JOB_ID);
    assert.ok(outcome?.ended === 'cancelled');
    assert.equal(outcome.result.charge?.cost, COST);
    assert.equal((await head()).settled, COST);
    assert.equal(progress.states.length, told);
  });

  it('is no reason to try again, nor to be told another story where it fails', async (context) => {
    for (const [kind, charged, expected, state] of [
      ['rate-limited', 'no', { reason: 'cancelled' }, 'void cancelled'],
      ['moderation', 'no', { reason: 'provider-refused', kind: 'moderation' }, 'void moderation'],
      ['timeout', 'unknown', { reason: 'outcome-unknown', kind: 'timeout' }, 'unknown timeout'],
    ] as const) {
      const { jobs, ask, outcomes, calls, stateOf } = await openJobs(context);
      const { end } = ask(JOB_ID);
      await until(() => calls.length === 1);
      assert.equal(await jobs.cancel(JOB_ID, 'mira'), 'running');
      calls[0]?.reject(new ProviderFailure(kind, charged, { message: kind }));
      await end;
      assert.deepEqual(outcomes.get(JOB_ID), { ended: 'refused', refusal: expected });
      assert.deepEqual([calls.length, await stateOf(JOB_ID)], [1, state]);
    }
  });
});

describe('cancelling', () => {
  it('is for whoever asked alone, and for jobs that are under way', async (context) => {
    const { jobs, ask, outcomes, calls } = await openJobs(context);
    assert.equal(await jobs.cancel(JOB_ID, 'mira'), 'unknown');
    const { end } = ask(JOB_ID);
    await until(() => calls.length === 1);
    assert.equal(await jobs.cancel(JOB_ID, 'ada'), 'not-yours');
    calls[0]?.resolve(made);
    await end;
    assert.equal(outcomes.get(JOB_ID)?.ended, 'finished');
    assert.equal(await jobs.cancel(JOB_ID, 'mira'), 'unknown');
  });
});

describe('a crash after cancelling', () => {
  it('ends as it would have where the job was still in line', async (context) => {
    const { jobs, ask, calls, queue, recover, stateOf } = await openJobs(context);
    void ask(JOB_ID).end;
    await until(() => calls.length === 1);
    // The books stop here, as in a crash: the hold is not given back by whoever cancelled.
    context.mock.method(queue, 'run', async () => new Promise(() => undefined));
    void ask(OTHER_ID).end;
    await until(async () => (await stateOf(OTHER_ID)) === 'reserve');
    assert.equal(await jobs.cancel(OTHER_ID, 'mira'), 'cancelled');
    assert.deepEqual([await recover(OTHER_ID), await stateOf(OTHER_ID)], [cancelled, 'void cancelled']);
    assert.deepEqual([await recover(OTHER_ID), await stateOf(OTHER_ID)], [cancelled, 'void cancelled']);
  });

  it('is unknown where the answer is lost, and cancelled where it is on disk', async (context) => {
    for (const isAnswered of [false, true]) {
      const { jobs, ask, calls, recover, stateOf } = await openJobs(context);
      void ask(JOB_ID).end;
      await until(() => calls.length === 1);
      assert.equal(await jobs.cancel(JOB_ID, 'mira'), 'running');
      const outcome = await recover(JOB_ID, isAnswered ? { outcome: 'made', ...made } : undefined);
      assert.equal(outcome?.ended, isAnswered ? 'cancelled' : 'refused');
      assert.equal(await stateOf(JOB_ID), isAnswered ? 'post' : 'unknown interrupted');
    }
  });
});
