import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { Delivery, JobEnd } from '../../src/services/job-conclusion.ts';
import { createJobConclusion } from '../../src/services/job-conclusion.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { FinishedImage, FinishedJob, JobOutcome } from '../../src/services/job-outcome.ts';
import { createKeptOriginals } from '../../src/services/kept-originals.ts';
import { createKeptResults } from '../../src/services/kept-results.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createDirectory, createPlan, createRequest, JOB_ID, silentLog } from './job-fixture.ts';

const place = { channelId: '7', messageId: '9' };
const delivered: Delivery = { state: 'delivered', place, originals: [] };
const here = { token: 'of the button' };

const now = (): number => Date.UTC(2026, 10, 20);
const HOUR_MS = 60 * 60_000;

/** A job that has its pictures, and a Discord that does with its outcomes as it is told, one after another. */
async function openJob(context: TestContext, deliveries: readonly (Delivery | Error)[], tell: () => number = now) {
  const directory = await createDirectory(context);
  const spool = await openSpool(join(directory, 'spool'));
  const journal = createJobJournal({ spool, receiptsDirectory: join(directory, 'receipts'), owner: 'mine', now });
  const job = await journal.writePlan(await journal.begin(createRequest(), { token: 'of the command' }), createPlan());
  await job.folder.writeFile('image-0', Buffer.from('pixels'));
  const path = job.folder.path('image-0');
  const image: FinishedImage = { path, name: `${JOB_ID}-1.png`, contentType: 'image/png', sizeBytes: 6 };
  const result: FinishedJob = {
    images: [image],
    model: 'gpt-image-2',
    size: '1024x1024',
    quality: 'medium',
    charge: undefined,
    estimate: 1,
    notes: [],
  };
  const sent: { readonly address: OpenJob['address']; readonly ended: string }[] = [];
  const ends: JobEnd[] = [];
  const originals = createKeptOriginals({ journal, spool, now, log: silentLog });
  const conclusion = createJobConclusion({
    async deliver({ address }, { ended }) {
      sent.push({ address, ended });
      const delivery = deliveries[sent.length - 1] ?? delivered;
      if (delivery instanceof Error) throw delivery;
      return delivery;
    },
    journal,
    originals,
    onEnd: (end) => void ends.push(end),
    now: tell,
    log: silentLog,
  });
  /** What is resumed is shown as it was called off, as long as it is. */
  const outcomeOf = ({ isCancelled }: OpenJob): JobOutcome => ({
    ended: isCancelled ? 'cancelled' : 'finished',
    result,
  });
  const resumption = { resume: async (kept: OpenJob) => outcomeOf(kept) };
  const keptResults = createKeptResults({ journal, lease: { isAlive: () => true }, conclusion, resumption });
  return { job, image, journal, conclusion, keptResults, originals, sent, ends, outcomeOf, spool };
}

describe('the end of a job', () => {
  it('is told of once, and leaves nothing', async (context) => {
    const { job, conclusion, sent, ends, outcomeOf, spool } = await openJob(context, []);
    await conclusion.conclude(job, outcomeOf(job));
    assert.deepEqual(sent, [{ address: job.address, ended: 'finished' }]);
    assert.deepEqual(
      ends.map((end) => end.place),
      [place],
    );
    assert.deepEqual(await spool.list(), []);
  });

  it('that can come only later is left as it is, and told of when it comes', async (context) => {
    const { job, conclusion, ends, outcomeOf, journal } = await openJob(context, [{ state: 'later' }]);
    await conclusion.conclude(job, outcomeOf(job));
    assert.deepEqual([ends.length, (await journal.listKept()).length, (await journal.list()).length], [0, 0, 1]);
    await conclusion.conclude(job, outcomeOf(job));
    assert.deepEqual([ends.length, (await journal.list()).length], [1, 0]);
  });

  it('that fails in a way that nobody expected is tried again for half an hour, and then kept', async (context) => {
    const failures = Array.from({ length: 30 }, () => new Error('no delivery is like this'));
    const { job, conclusion, keptResults, sent, ends, outcomeOf } = await openJob(context, failures);
    for (const [attempt] of failures.slice(1).entries()) {
      await conclusion.conclude(job, outcomeOf(job));
      assert.deepEqual(await keptResults.list('guild', 'mira'), [], `after ${attempt + 1} attempts`);
    }
    await conclusion.conclude(job, outcomeOf(job));
    assert.equal((await keptResults.list('guild', 'mira')).length, 1);
    assert.equal(ends.length, 1, 'it has ended, and is told of');
    assert.equal(await keptResults.fetch(JOB_ID, 'mira', here), 'shown');
    assert.deepEqual(sent.at(-1), { address: here, ended: 'finished' });
  });

  it('that fails now and then is not counted', async (context) => {
    const failure = new Error('a disk that was full');
    const deliveries = Array.from({ length: 60 }, (_, index) =>
      index % 2 === 0 ? failure : { state: 'later' as const },
    );
    const { job, conclusion, keptResults, outcomeOf } = await openJob(context, deliveries);
    for (const [attempt] of deliveries.entries()) {
      await conclusion.conclude(job, outcomeOf(job));
      assert.deepEqual(await keptResults.list('guild', 'mira'), [], `after ${attempt + 1} attempts`);
    }
  });

  it('that is put off for a day is kept, and is then put off no more', async (context) => {
    const later: Delivery = { state: 'later' };
    let passedHours = 0;
    const tell = (): number => now() + passedHours * HOUR_MS;
    const stage = await openJob(
      context,
      Array.from({ length: 27 }, () => later),
      tell,
    );
    const { job, conclusion, journal, keptResults, ends, outcomeOf } = stage;
    for (; passedHours < 24; passedHours += 1) {
      assert.equal(await conclusion.conclude(job, outcomeOf(job)), 'later');
      assert.deepEqual(await keptResults.list('guild', 'mira'), [], `after ${passedHours} hours`);
    }
    assert.equal(await conclusion.conclude(job, outcomeOf(job)), 'undeliverable');
    assert.equal((await keptResults.list('guild', 'mira')).length, 1);
    assert.equal(ends.length, 1, 'it has ended, and is told of');
    const [kept] = await journal.listKept();
    assert.ok(kept);
    for (; passedHours < 49; passedHours += 24) {
      assert.equal(await conclusion.conclude(kept, outcomeOf(kept)), 'later', 'whoever fetches it may try again');
    }
  });

  it('that cannot be put away is brought once and told of once, and put away as soon as it can be', async (context) => {
    const stage = await openJob(context, []);
    const { job, conclusion, sent, ends, outcomeOf, spool } = stage;
    const clearRecord = job.folder.clearRecord.bind(job.folder);
    const failing = {
      ...job,
      folder: {
        ...job.folder,
        clearRecord: (): never => {
          throw new Error('the disk is read-only');
        },
      },
    };
    for (let sweep = 0; sweep < 3; sweep += 1) {
      assert.equal(await conclusion.conclude(failing, outcomeOf(job)), 'delivered');
    }
    assert.equal((await spool.list()).length, 1);
    await conclusion.conclude({ ...job, folder: { ...job.folder, clearRecord } }, outcomeOf(job));
    assert.deepEqual([sent.length, ends.length, await spool.list()], [1, 1, []]);
  });

  it('keeps the originals of what is shown re-encoded, and offers them to nobody as undelivered', async (context) => {
    const deliveries: Delivery[] = [];
    const { job, image, conclusion, outcomeOf, keptResults, originals } = await openJob(context, deliveries);
    deliveries.push({ state: 'delivered', place, originals: [image] });
    await conclusion.conclude(job, outcomeOf(job));
    assert.deepEqual(await originals.read(JOB_ID), [image]);
    assert.deepEqual(await keptResults.list('guild', 'mira'), []);
    assert.equal(await keptResults.fetch(JOB_ID, 'mira', here), 'gone');
  });
});

describe('what was called off too late', () => {
  it('is kept when that was said, and shown to whoever asks for it after all, once', async (context) => {
    const { job, conclusion, journal, keptResults, sent, ends, outcomeOf, spool } = await openJob(context, []);
    const cancelled = await journal.writeCancelled(job);
    await conclusion.conclude(cancelled, outcomeOf(cancelled));
    assert.deepEqual(sent, [{ address: job.address, ended: 'cancelled' }]);
    assert.equal((await keptResults.list('guild', 'mira')).length, 1);
    assert.equal(await keptResults.fetch(JOB_ID, 'somebody else', here), 'not-yours');
    assert.equal(await keptResults.fetch(JOB_ID, 'mira', here), 'shown');
    assert.deepEqual(sent.at(1), { address: here, ended: 'finished' });
    assert.deepEqual(await keptResults.list('guild', 'mira'), []);
    assert.equal(ends.length, 1, 'it was paid for once, and is told of once');
    assert.deepEqual(await spool.list(), []);
  });

  it('is told of in the order in which it is dropped, and nobody else learns of what is private', async (context) => {
    const { job, journal, keptResults } = await openJob(context, []);
    const [later, sooner] = [`${JOB_ID}5`, `${JOB_ID}9`];
    const hidden = createRequest({ id: later, isPrivate: true });
    await journal.keep(await journal.begin(hidden, here), now() + 3);
    await journal.keep({ ...(await journal.begin(createRequest({ id: sooner }), here)), isCancelled: true }, now() + 1);
    await journal.keep(job, now() + 2);
    assert.deepEqual(await keptResults.list('guild', 'mira'), [
      { id: sooner, keptUntil: now() + 1, isCancelled: true },
      { id: JOB_ID, keptUntil: now() + 2, isCancelled: false },
      { id: later, keptUntil: now() + 3, isCancelled: false },
    ]);
    assert.equal(await keptResults.fetch(sooner, 'somebody else', here), 'not-yours');
    assert.equal(await keptResults.fetch(later, 'somebody else', here), 'gone');
  });

  it('stays kept where it cannot be shown just then, and whoever asked hears of that', async (context) => {
    const failure = new Error('no delivery is like this');
    const deliveries = [delivered, { state: 'later' }, { state: 'undeliverable' }, failure] as const;
    const { job, conclusion, journal, keptResults, ends, outcomeOf } = await openJob(context, deliveries);
    const cancelled = await journal.writeCancelled(job);
    await conclusion.conclude(cancelled, outcomeOf(cancelled));
    for (const attempt of ['later', 'undeliverable', 'failed']) {
      assert.equal(await keptResults.fetch(JOB_ID, 'mira', here), 'not-now', attempt);
      assert.equal((await keptResults.list('guild', 'mira')).length, 1, attempt);
    }
    assert.equal(await keptResults.fetch(JOB_ID, 'mira', here), 'shown');
    assert.deepEqual([(await keptResults.list('guild', 'mira')).length, ends.length], [0, 1]);
  });

  it('stays kept as it was, for its own day, where it cannot be shown, or not with its pictures', async (context) => {
    const deliveries: Delivery[] = [delivered, { state: 'undeliverable' }, { state: 'incomplete', place }];
    let passedHours = 0;
    const tell = (): number => now() + passedHours * HOUR_MS;
    const { job, conclusion, journal, keptResults, outcomeOf } = await openJob(context, deliveries, tell);
    const cancelled = await journal.writeCancelled(job);
    await conclusion.conclude(cancelled, outcomeOf(cancelled));
    const waiting = await keptResults.list('guild', 'mira');
    passedHours = 1;
    for (const fetching of ['not-now', 'shown']) {
      assert.equal(await keptResults.fetch(JOB_ID, 'mira', here), fetching);
      assert.deepEqual(await keptResults.list('guild', 'mira'), waiting, fetching);
    }
    const [kept] = await journal.listKept();
    assert.deepEqual(kept?.address, job.address);
  });

  it('is given up by nobody, however often it cannot be shown', async (context) => {
    const failures = Array.from({ length: 40 }, () => new Error('no delivery is like this'));
    const { job, conclusion, journal, outcomeOf } = await openJob(context, [delivered, ...failures]);
    const cancelled = await journal.writeCancelled(job);
    await conclusion.conclude(cancelled, outcomeOf(cancelled));
    const [kept] = await journal.listKept();
    assert.ok(kept);
    for (const [attempt] of failures.entries()) {
      assert.equal(await conclusion.conclude(kept, outcomeOf(kept)), 'failed', `after ${attempt + 1} attempts`);
    }
  });
});
