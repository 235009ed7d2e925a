import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import type { Entry } from '../../src/billing/guild-account.ts';
import { createLedger } from '../../src/billing/ledger.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import type { PriceBook } from '../../src/billing/prices.ts';
import { createPriceBook, imageTariff } from '../../src/billing/prices.ts';
import { createJobCompletion } from '../../src/services/job-completion.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { detailsOf, refOf } from '../../src/services/open-job.ts';
import type { Receipt } from '../../src/services/receipt.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import { referenceOf } from '../../src/services/job-reference.ts';
import type { ProviderFailureKind } from '../../src/services/providers/image-provider.ts';
import { createResultRecords, resultKey } from '../../src/services/result-records.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { createDirectory, createPlan, createRequest, JOB_ID } from './job-fixture.ts';

const PERIOD = '202611';
const usage = { input_tokens: 60, output_tokens: 1_756, input_tokens_details: { text_tokens: 60, image_tokens: 0 } };
/** 60 text tokens and 1,756 image tokens of gpt-image-2. */
const COST = 60 * 5_000 + 1_756 * 30_000;
const made: Receipt = { outcome: 'made', imageCount: 2, usage, requestId: 'req_1' };
const unpriced: Receipt = { outcome: 'made', imageCount: 2, usage: undefined, requestId: 'req_1' };

const perImage = (usd: string): PriceBook =>
  createPriceBook([{ model: 'gpt-image-2', version: 'flat', effectiveFrom: 0, tariff: imageTariff(usd) }]);

/** A job whose call is out, on a real database. */
async function openDispatchedJob(
  context: TestContext,
  changesOf: (store: Store) => Partial<Store> = () => ({}),
  {
    count = 1,
    prices = createPriceBook(openAiPrices),
    wholeCount = count,
  }: { count?: number; prices?: PriceBook; wholeCount?: number } = {},
) {
  const directory = await createDirectory(context);
  const spool = await openSpool(join(directory, 'spool'));
  const honest = await openStore(`sqlite:${join(directory, 'easel.sqlite')}`, 'ledger');
  context.after(async () => honest.close());
  const store = { ...honest, ...changesOf(honest) };
  const errors: unknown[] = [];
  const log = pino({ level: 'error' }, { write: (line) => void errors.push(JSON.parse(line)) });
  const parts = { store, now: Date.now, random: () => 0, sleep: async () => undefined, log };
  const ledger = createLedger(parts);
  const records = createResultRecords(parts);
  const journal = createJobJournal({ ...parts, spool, receiptsDirectory: join(directory, 'receipts'), owner: 'mine' });
  const job = await journal.writePlan(await journal.begin(createRequest({ count }), {}), createPlan());
  const expiresAt = Date.now() + 60_000;
  const order = { amount: createPlan().estimate, limit: createPlan().estimate, expiresAt, details: detailsOf(job) };
  await ledger.reserve(refOf(job), order);
  await ledger.dispatch(refOf(job), expiresAt);
  const image = { path: 'image-0', name: 'fox.png', contentType: 'image/png', sizeBytes: 1 };
  /** Anew for each attempt, as after a crash. */
  const complete = async (by: OpenJob, receipt: Receipt) =>
    createJobCompletion({
      ...parts,
      ledger: createLedger(parts),
      prices,
      pictures: { finish: async () => ({ images: Array.from({ length: wholeCount }, () => image), notes: [] }) },
      records,
    }).complete(by, receipt);
  const readBooks = async () => {
    const { counts } = await ledger.head('guild', PERIOD);
    const record = await records.read('guild', JOB_ID);
    return { posts: counts.post, unknowns: counts.unknown, recordedImages: record?.made.count };
  };
  const lastEntry = async (): Promise<Entry | undefined> => {
    let last: Entry | undefined;
    for await (const page of ledger.entries('guild', PERIOD)) last = page.at(-1);
    return last;
  };
  return { job, ledger, complete, readBooks, lastEntry, errors };
}

describe('an answer that was cut off behind whole images', () => {
  const cutOff: Receipt = { outcome: 'made', imageCount: 3, isCutOff: true, usage: undefined, requestId: 'req_1' };
  for (const [name, prices] of [
    ['token', createPriceBook(openAiPrices)],
    ['image', perImage('0.01')],
  ] as const) {
    it(`is delivered, and counts at its estimate, where the provider charges by the ${name}`, async (context) => {
      const { job, complete, lastEntry } = await openDispatchedJob(context, undefined, { count: 4, prices });
      for (const attempt of ['first', 'after a crash']) {
        const outcome = await complete(job, cutOff);
        assert.ok(outcome.ended === 'finished', attempt);
        assert.equal(outcome.result.charge, undefined, 'nobody knows how many of the four are on the bill');
        assert.deepEqual(outcome.result.notes, [{ note: 'cut-off', asked: 4, got: 3 }]);
        const last = await lastEntry();
        assert.ok(last?.type === 'unknown', attempt);
        const { reason, estimated, requestId } = last;
        assert.deepEqual({ reason, estimated, requestId }, { reason: 'cut-off', estimated: true, requestId: 'req_1' });
      }
    });
  }
});

/** What came of a call whose answer brought no image, and told this of its price. */
function lostWithPrice(kind: ProviderFailureKind, madeCount: number, told: unknown = usage): Receipt {
  return {
    outcome: 'failed',
    kind,
    charged: 'unknown',
    toldPrice: { madeCount, usage: told },
    requestId: 'req_1',
  };
}

describe('an answer without an image that tells what it cost', () => {
  it('is booked by it, once, and both sides are told', async (context) => {
    for (const kind of ['unusable-answer', 'untrusted-result', 'timeout'] as const) {
      const { job, complete, lastEntry, readBooks, errors } = await openDispatchedJob(context);
      for (const attempt of ['first', 'after a crash']) {
        const outcome = await complete(job, lostWithPrice(kind, 1));
        assert.ok(outcome.ended === 'finished', attempt);
        const { images, charge, notes } = outcome.result;
        assert.deepEqual([images.length, charge?.cost], [0, COST]);
        const reference = referenceOf(JOB_ID);
        assert.deepEqual(notes, [{ note: 'no-image', isElsewhere: kind === 'untrusted-result', reference }]);
        assert.deepEqual(await readBooks(), { posts: 1, unknowns: 0, recordedImages: undefined }, attempt);
        assert.partialDeepStrictEqual(errors.pop(), { job: JOB_ID, requestId: 'req_1', costNanoUsd: COST, why: kind });
      }
      assert.partialDeepStrictEqual(await lastEntry(), { charge: { cost: COST, usage }, details: { count: 1 } });
    }
  });

  it('is nothing to be fetched where it was called off', async (context) => {
    const { job, complete } = await openDispatchedJob(context);
    assert.equal(
      (await complete({ ...job, isCancelled: true }, lostWithPrice('unusable-answer', 0))).ended,
      'finished',
    );
  });

  it('is booked by the image where that has the price', async (context) => {
    const { job, complete, lastEntry } = await openDispatchedJob(context, undefined, { prices: perImage('0.01') });
    assert.equal((await complete(job, lostWithPrice('unusable-answer', 2))).ended, 'finished');
    assert.partialDeepStrictEqual(await lastEntry(), { charge: { cost: 20_000_000 }, details: { count: 2 } });
  });

  it('stays unknown where what it tells is no price', async (context) => {
    const zeros = { input_tokens: 0, output_tokens: 0 };
    for (const [receipt, prices] of [
      [lostWithPrice('unusable-answer', 1, zeros), createPriceBook(openAiPrices)],
      [lostWithPrice('unusable-answer', 1, {}), createPriceBook(openAiPrices)],
      [lostWithPrice('unusable-answer', 1, zeros), perImage('0.01')],
      [lostWithPrice('unusable-answer', 0), perImage('0.01')],
    ] as const) {
      const { job, complete, lastEntry } = await openDispatchedJob(context, undefined, { prices });
      const refusal = { reason: 'outcome-unknown', kind: 'unusable-answer' };
      assert.deepEqual(await complete(job, receipt), { ended: 'refused', refusal });
      assert.partialDeepStrictEqual(await lastEntry(), { type: 'unknown', reason: 'unusable-answer' });
    }
  });
});

describe('a usage that adds up to more than can be counted', () => {
  it('is no price: its pictures are delivered, its estimate counts, and the operator is told', async (context) => {
    const { job, complete, lastEntry, errors } = await openDispatchedJob(context);
    for (const output_tokens of [1e12, Number.MAX_SAFE_INTEGER]) {
      const outcome = await complete(job, { ...made, usage: { ...usage, output_tokens } });
      assert.ok(outcome.ended === 'finished');
      assert.equal(outcome.result.charge, undefined);
      assert.partialDeepStrictEqual(errors.pop(), { job: JOB_ID, usage: { output_tokens } });
    }
    assert.partialDeepStrictEqual(await lastEntry(), { type: 'unknown', reason: 'no-usage', estimated: true });
    assert.deepEqual(errors, []);
  });
});

describe('a call whose model has no price any more', () => {
  it('is delivered, counts at its estimate, and is told to the operator with what helps', async (context) => {
    const prices = createPriceBook([]);
    const { job, complete, lastEntry, errors } = await openDispatchedJob(context, undefined, { prices });
    const outcome = await complete(job, made);
    assert.ok(outcome.ended === 'finished');
    assert.equal(outcome.result.charge, undefined);
    assert.partialDeepStrictEqual(await lastEntry(), { type: 'unknown', estimated: true, requestId: 'req_1' });
    assert.partialDeepStrictEqual(errors, [{ job: JOB_ID, model: createPlan().model, usage }]);
    assert.match(JSON.stringify(errors), /PRICES_FILE.*reconcile/);
  });
});

describe('a receipt against which the ledger stands', () => {
  const notCharged: Receipt = { outcome: 'failed', kind: 'moderation', charged: 'no' };
  const lost: Receipt = { outcome: 'failed', kind: 'timeout', charged: 'unknown' };
  const charge = { cost: 42, usage: null, priceVersion: 'reconcile-1', rule: 'reconciled' };
  const byHand = { reason: 'not on the invoice', by: 'operator ada' };

  it('is told to the operator', async (context) => {
    const { job, ledger, complete, errors } = await openDispatchedJob(context);
    await ledger.post(refOf(job), charge, detailsOf(job));
    await complete(job, notCharged);
    assert.partialDeepStrictEqual(errors, [{ job: JOB_ID, movement: 'void', stands: 'post', refused: 'out-of-order' }]);
  });

  it('is nothing to tell where it was settled before, after a crash or by a person', async (context) => {
    const posted = await openDispatchedJob(context);
    for (const receipt of [made, made, lost, unpriced]) await posted.complete(posted.job, receipt);
    const given = await openDispatchedJob(context);
    await given.complete(given.job, lost);
    await given.ledger.release(refOf(given.job), byHand);
    for (const receipt of [lost, notCharged]) await given.complete(given.job, receipt);
    const freed = await openDispatchedJob(context);
    for (const receipt of [lost, notCharged, notCharged]) await freed.complete(freed.job, receipt);
    assert.deepEqual([posted.errors, given.errors, freed.errors], [[], [], []]);
  });
});

describe('what a result was made of', () => {
  it('is written with its charge, once', async (context) => {
    const { job, complete, readBooks } = await openDispatchedJob(context);
    for (const attempt of ['first', 'after a crash']) {
      assert.equal((await complete(job, made)).ended, 'finished');
      assert.deepEqual(await readBooks(), { posts: 1, unknowns: 0, recordedImages: 2 }, attempt);
    }
  });

  it('is written also where the charge is not known', async (context) => {
    const { job, complete, readBooks } = await openDispatchedJob(context);
    await complete(job, unpriced);
    assert.deepEqual(await readBooks(), { posts: 0, unknowns: 1, recordedImages: 2 });
  });

  it('is written after a crash in which nothing but the charge was', async (context) => {
    let isCutShort = true;
    const { job, complete, readBooks } = await openDispatchedJob(context, (store) => ({
      async commit(change) {
        const isRecord = change.guard.key === resultKey('guild', JOB_ID);
        if (isCutShort && isRecord) throw new StoreFailure('away');
        return store.commit(change);
      },
    }));
    assert.equal((await complete(job, made)).ended, 'finished', 'a record that is missing stands in nobody’s way');
    assert.deepEqual(await readBooks(), { posts: 1, unknowns: 0, recordedImages: undefined });
    isCutShort = false;
    await complete(job, made);
    assert.deepEqual(await readBooks(), { posts: 1, unknowns: 0, recordedImages: 2 });
  });

  it('leaves nothing to be fetched of what was called off, where no whole picture came', async (context) => {
    const { job, complete, readBooks } = await openDispatchedJob(context, undefined, { wholeCount: 0 });
    assert.equal((await complete({ ...job, isCancelled: true }, made)).ended, 'finished');
    assert.equal((await readBooks()).posts, 1);
  });

  it('is not written of what was called off, until somebody wants it after all', async (context) => {
    const { job, complete, readBooks } = await openDispatchedJob(context);
    assert.equal((await complete({ ...job, isCancelled: true }, made)).ended, 'cancelled');
    assert.deepEqual(await readBooks(), { posts: 1, unknowns: 0, recordedImages: undefined });
    assert.equal((await complete(job, made)).ended, 'finished');
    assert.deepEqual(await readBooks(), { posts: 1, unknowns: 0, recordedImages: 2 });
  });
});
