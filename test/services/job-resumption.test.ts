import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createLedger } from '../../src/billing/ledger.ts';
import { openAiPrices } from '../../src/billing/openai-prices.ts';
import { createPriceBook } from '../../src/billing/prices.ts';
import { createJobCompletion } from '../../src/services/job-completion.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import { createJobResumption } from '../../src/services/job-resumption.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { detailsOf, refOf } from '../../src/services/open-job.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createDirectory, createPlan, createRequest, silentLog } from './job-fixture.ts';

const HOLD_MS = 60_000;
const LIMIT = 1_000_000_000;
const usage = { input_tokens: 60, input_tokens_details: { text_tokens: 60, image_tokens: 0 }, output_tokens: 1_756 };
/** 60 text tokens and 1,756 image tokens of gpt-image-2. */
const COST = 60 * 5_000 + 1_756 * 30_000;

/** A job whose process died after the call went out, and whose hold has expired since. */
async function openExpiredJob(context: TestContext) {
  const directory = await createDirectory(context);
  const clock = { now: Date.UTC(2026, 10, 15) };
  const now = (): number => clock.now;
  const spool = await openSpool(join(directory, 'spool'));
  const journal = createJobJournal({ spool, receiptsDirectory: join(directory, 'receipts'), owner: 'heir', now });
  const store = createMemoryDatabase().connect();
  const ledger = createLedger({ store, now, random: () => 0, sleep: async () => undefined });
  const begun = await journal.begin(createRequest(), { token: 'secret', channelId: '7', isThread: false });
  const job = await journal.writePlan(begun, createPlan());
  const ref = refOf(job);
  const expiresAt = clock.now + HOLD_MS;
  await ledger.reserve(ref, { amount: createPlan().estimate, limit: LIMIT, expiresAt, details: detailsOf(job) });
  await ledger.dispatch(ref, expiresAt);
  clock.now = expiresAt;
  assert.equal(await ledger.expireHolds(ref.guild, '202611'), 1);
  const pictures = { finish: async () => ({ images: [], notes: [] }) };
  const completion = createJobCompletion({
    ledger,
    prices: createPriceBook(openAiPrices),
    pictures,
    records: { write: async () => undefined },
    now,
    log: silentLog,
  });
  const resumption = createJobResumption({ journal, ledger, completion });
  const totals = async () => {
    const { settled, held, exposure, counts } = await ledger.head(ref.guild, '202611');
    return { settled, held, exposure, posts: counts.post };
  };
  return { journal, ledger, job, ref, resumption, totals };
}

describe('a receipt that turns up after its call was given up as unknown', () => {
  it('settles the unknown by itself, once', async (context) => {
    const { journal, job, resumption, totals } = await openExpiredJob(context);
    assert.deepEqual(await totals(), { settled: 0, held: 0, exposure: createPlan().estimate, posts: 0 });
    await job.folder.writeFile('image-0', Buffer.from('pixels'));
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1, usage, requestId: 'req_1' });
    for (const attempt of ['first', 'second']) {
      assert.equal((await resumption.resume(job))?.ended, 'finished', attempt);
      assert.deepEqual(await totals(), { settled: COST, held: 0, exposure: 0, posts: 1 }, attempt);
    }
  });

  it('settles the unknown also where its answer brought nothing but its price, once', async (context) => {
    const { journal, job, resumption, totals } = await openExpiredJob(context);
    const toldPrice = { madeCount: 1, usage };
    await journal.writeReceipt(job, { outcome: 'failed', kind: 'unusable-answer', charged: 'unknown', toldPrice });
    for (const attempt of ['first', 'second']) {
      const outcome = await resumption.resume(job);
      assert.ok(outcome?.ended === 'finished', attempt);
      assert.equal(outcome.result.charge?.cost, COST, attempt);
      assert.deepEqual(await totals(), { settled: COST, held: 0, exposure: 0, posts: 1 }, attempt);
    }
  });

  it('frees the unknown, once, where it says that nothing was made', async (context) => {
    const { journal, job, resumption, totals } = await openExpiredJob(context);
    await journal.writeReceipt(job, { outcome: 'failed', kind: 'rate-limited', charged: 'no' });
    for (const attempt of ['first', 'second']) {
      const outcome = await resumption.resume(job);
      assert.deepEqual(
        outcome,
        { ended: 'refused', refusal: { reason: 'provider-refused', kind: 'rate-limited' } },
        attempt,
      );
      assert.deepEqual(await totals(), { settled: 0, held: 0, exposure: 0, posts: 0 }, attempt);
    }
  });

  it('says of a call that a stopping process did not begin what its process would have said', async (context) => {
    const { journal, job, resumption, totals } = await openExpiredJob(context);
    const stopping = { ended: 'refused', refusal: { reason: 'stopping' } };
    await journal.writeReceipt(job, { outcome: 'failed', kind: 'stopping', charged: 'no' });
    assert.deepEqual(await resumption.resume(job), stopping, 'from its receipt');
    job.folder.clearRecord('receipt.json');
    assert.deepEqual(await resumption.resume(job), stopping, 'from the books');
    assert.equal((await totals()).exposure, 0);
  });

  it('is booked also where somebody had released it already', async (context) => {
    const { journal, ledger, job, ref, resumption, totals } = await openExpiredJob(context);
    await ledger.release(ref, { reason: 'older than a month', by: 'operator ada' });
    await job.folder.writeFile('image-0', Buffer.from('pixels'));
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1, usage, requestId: 'req_1' });
    await resumption.resume(job);
    assert.deepEqual(await totals(), { settled: COST, held: 0, exposure: 0, posts: 1 });
  });

  it('does not book again what a person has posted', async (context) => {
    const { journal, ledger, job, ref, resumption, totals } = await openExpiredJob(context);
    const charge = { cost: 42, usage: null, priceVersion: 'reconcile-1', rule: 'reconciled' };
    await ledger.post(ref, charge, detailsOf(job));
    await job.folder.writeFile('image-0', Buffer.from('pixels'));
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1, usage, requestId: 'req_1' });
    assert.equal((await resumption.resume(job))?.ended, 'finished');
    assert.deepEqual(await totals(), { settled: 42, held: 0, exposure: 0, posts: 1 });
  });

  it('says nothing twice where the pictures are gone, because its job had ended', async (context) => {
    const { journal, ledger, job, ref, resumption, totals } = await openExpiredJob(context);
    const charge = { cost: 42, usage: null, priceVersion: 'reconcile-1', rule: 'reconciled' };
    await ledger.post(ref, charge, detailsOf(job));
    await job.folder.writeFile('image-0', Buffer.alloc(0));
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1, usage, requestId: 'req_1' });
    assert.equal(await resumption.resume(job), undefined);
    assert.deepEqual(await totals(), { settled: 42, held: 0, exposure: 0, posts: 1 });
  });

  for (const [state, leave] of Object.entries({
    empty: async (job: OpenJob) => job.folder.writeFile('image-0', Buffer.alloc(0)),
    missing: async () => undefined,
  })) {
    it(`says nothing twice where its pictures are ${state} and its price was never told`, async (context) => {
      const { journal, ledger, job, ref, resumption, totals } = await openExpiredJob(context);
      const before = await totals();
      await leave(job);
      await journal.writeReceipt(job, { outcome: 'made', imageCount: 1, usage: null });
      assert.equal(await resumption.resume(job), undefined);
      assert.deepEqual(await totals(), before);
      await ledger.release(ref, { reason: 'the bill is complete without it', by: 'operator ada' });
      assert.equal(await resumption.resume(job), undefined);
      assert.equal((await totals()).exposure, 0, 'and what a person gave up stays so');
    });
  }

  it('books what it cost also where its pictures are gone', async (context) => {
    const { journal, job, resumption, totals } = await openExpiredJob(context);
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1, usage });
    assert.equal(await resumption.resume(job), undefined);
    assert.deepEqual(await totals(), { settled: COST, held: 0, exposure: 0, posts: 1 });
  });

  it('waits to be booked where it could not be written down, until it can be', async (context) => {
    const { journal, job, resumption, totals } = await openExpiredJob(context);
    const before = await totals();
    await job.folder.writeFile('image-0', Buffer.from('pixels'));
    const failing = {
      ...job,
      folder: { ...job.folder, writePaidRecord: async () => Promise.reject(new Error('the disk fails')) },
    };
    const receipt = { outcome: 'made', imageCount: 1, usage } as const;
    await assert.rejects(journal.writeReceipt(failing, receipt), /the disk fails/);
    await assert.rejects(resumption.resume(failing), /the disk fails/);
    assert.deepEqual(await totals(), before);
    assert.equal((await resumption.resume(job))?.ended, 'finished');
    assert.deepEqual(await totals(), { settled: COST, held: 0, exposure: 0, posts: 1 });
    assert.deepEqual(job.folder.readRecord('receipt.json'), { job: job.request.id, ...receipt });
  });

  it('leaves it unknown where there is none', async (context) => {
    const { job, resumption, totals } = await openExpiredJob(context);
    assert.deepEqual(await resumption.resume(job), {
      ended: 'refused',
      refusal: { reason: 'outcome-unknown', kind: 'interrupted' },
    });
    assert.equal((await totals()).exposure, createPlan().estimate);
  });
});
