import assert from 'node:assert/strict';
import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { JobJournal, JobOnDisk } from '../../src/services/job-journal.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { Receipt } from '../../src/services/receipt.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createDirectory, createPlan, createRequest, JOB_ID } from './job-fixture.ts';

const DAY_MS = 24 * 60 * 60_000;
const address = { token: 'secret', channelId: '7', isThread: false };

/** One data directory, and the journals of several processes on it. */
async function openDisk(context: TestContext) {
  const directory = await createDirectory(context);
  const spool = await openSpool(join(directory, 'spool'));
  const receiptsDirectory = join(directory, 'receipts');
  const clock = { now: Date.UTC(2026, 10, 20, 12) };
  return {
    spool,
    receiptsDirectory,
    clock,
    journalOf: (owner: string): JobJournal =>
      createJobJournal({ spool, receiptsDirectory, owner, now: () => clock.now }),
  };
}

async function onlyJob(journal: JobJournal): Promise<JobOnDisk> {
  const [job, ...others] = await journal.list();
  assert.ok(job);
  assert.deepEqual(others, []);
  return job;
}

describe('a job on disk', () => {
  it('is read back by another process as it was left, step by step', async (context) => {
    const { journalOf, clock } = await openDisk(context);
    const [mine, theirs] = [journalOf('mine'), journalOf('theirs')];
    const begun = await mine.begin(createRequest({ prompt: 'fö\u0000x' }), address);
    const beganAt = clock.now;
    clock.now += 1_000;
    const onDisk = await onlyJob(theirs);
    assert.deepEqual({ id: onDisk.id, owner: onDisk.owner }, { id: JOB_ID, owner: 'mine' });
    const { folder: _, ...opened } = (await theirs.open(onDisk)) ?? assert.fail();
    const expected = { request: createRequest({ prompt: 'fö\u0000x' }), address, beganAt, isCancelled: false };
    assert.deepEqual(opened, { ...expected, plan: undefined, keptUntil: undefined, originals: undefined });

    const picture = { file: 'input-0', contentType: 'image/png', width: 64, height: 64 } as const;
    const masked = { by: 'own-transparency', coveredShare: 0.4 } as const;
    const pictures = { images: [picture], mask: picture, masked, keptFrom: 'original' };
    const plan = createPlan({ ...pictures, replacedModel: 'gpt-image-1' });
    const planned = await mine.writePlan(begun, plan);
    assert.deepEqual((await theirs.open(onDisk))?.plan, plan);
    const cancelled = await mine.writeCancelled(planned);
    const reopened = await theirs.open(onDisk);
    assert.deepEqual([cancelled.isCancelled, reopened?.isCancelled, reopened?.plan], [true, true, plan]);
    await mine.keep(cancelled, clock.now + DAY_MS);
    const kept = await theirs.open(onDisk);
    assert.deepEqual([kept?.keptUntil, kept?.isCancelled], [clock.now + DAY_MS, true]);
  });

  it('that was written before anything could be cancelled was not', async (context) => {
    const { journalOf, spool } = await openDisk(context);
    const folder = await spool.create('1.mine');
    await folder.writeRecord('job.json', { v: 1, request: createRequest(), address, beganAt: 1 });
    const opened = await journalOf('mine').open(await onlyJob(journalOf('mine')));
    assert.deepEqual([opened?.isCancelled, opened?.originals], [false, undefined]);
  });

  it('whose result is kept has nothing of the job that had its folder before', async (context) => {
    const { journalOf, clock } = await openDisk(context);
    const journal = journalOf('mine');
    const former = await journal.begin(createRequest({ id: '1' }), address);
    for (const file of ['image-0', 'image-1']) await former.folder.writeFile(file, Buffer.from('of the one before'));
    await journal.writeReceipt(former, { outcome: 'made', imageCount: 2 });
    await journal.end(former);
    const job = await journal.begin(createRequest(), address);
    await job.folder.writeFile('image-0', Buffer.from('its own'));
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1 });
    await journal.keep(job, clock.now + DAY_MS);
    const files = await readdir(job.folder.path(''));
    assert.deepEqual(files.toSorted(), ['image-0', 'job.json', 'receipt.json']);
  });

  it('whose originals are kept has nothing but those, whoever takes it over', async (context) => {
    const { journalOf, spool, clock, receiptsDirectory } = await openDisk(context);
    const journal = journalOf('dead');
    const job = await journal.begin(createRequest(), address);
    for (const file of ['input-0', 'image-0', 'image-1', 'fitted-a.webp']) {
      await job.folder.writeFile(file, Buffer.from(file));
    }
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 2 });
    const original = { path: job.folder.path('image-1'), name: 'a-2.png', contentType: 'image/png', sizeBytes: 7 };
    await journal.keepOriginals(job, [original], clock.now + DAY_MS);
    const files = await readdir(dirname(original.path));
    assert.deepEqual(files.toSorted(), ['image-1', 'job.json']);

    const heir = journalOf('heir');
    assert.deepEqual(
      (await heir.listKept()).map(({ originals }) => originals),
      [[original]],
    );
    await heir.adopt(await onlyJob(heir));
    const [kept] = await heir.listKept();
    const [adopted] = kept?.originals ?? [];
    assert.equal(await readFile(adopted?.path ?? '', 'utf8'), 'image-1');
    clock.now += DAY_MS;
    assert.deepEqual(await heir.listKept(), []);
    await heir.end(kept ?? assert.fail());
    assert.deepEqual(await spool.list(), []);
    assert.equal((await readdir(receiptsDirectory)).length, 1);
  });

  it('that cannot be understood does not stand before those that are kept', async (context) => {
    const { journalOf, spool, clock } = await openDisk(context);
    const journal = journalOf('mine');
    await journal.keep(await journal.begin(createRequest(), address), clock.now + DAY_MS);
    await writeFile((await spool.create('1.mine')).path('job.json'), '{"v":2}');
    assert.deepEqual(
      (await journal.listKept()).map(({ request }) => request.id),
      [JOB_ID],
    );
  });

  it('is taken over by one process only', async (context) => {
    const { journalOf } = await openDisk(context);
    await journalOf('dead').begin(createRequest(), address);
    const onDisk = await onlyJob(journalOf('a'));
    const adopted = await Promise.all(['a', 'b', 'c'].map(async (heir) => journalOf(heir).adopt(onDisk)));
    const [heir, ...others] = adopted.filter((job) => job !== undefined);
    assert.deepEqual(others, []);
    assert.deepEqual(await onlyJob(journalOf('a')), heir);
    assert.equal((await journalOf('a').open(heir ?? assert.fail()))?.request.id, JOB_ID);
  });

  it('is not there as long as it has no record, and never taken for none where it has one', async (context) => {
    const { journalOf, spool } = await openDisk(context);
    const folder = await spool.create('1.mine');
    const onDisk = await onlyJob(journalOf('mine'));
    assert.equal(await journalOf('mine').open(onDisk), undefined);
    await writeFile(folder.path('job.json'), '{"v":2}');
    await assert.rejects(journalOf('mine').open(onDisk));
    await journalOf('mine').discard(onDisk);
    assert.deepEqual(await spool.list(), []);
  });
});

describe('a receipt', () => {
  const receipts: readonly Receipt[] = [
    { outcome: 'made', imageCount: 2, madeCount: 3, usage: { input_tokens: 1, odd: [null] }, requestId: 'req_1' },
    { outcome: 'made', imageCount: 1 },
    { outcome: 'failed', kind: 'moderation', charged: 'no', stage: 'output', requestId: 'req_2' },
    { outcome: 'failed', kind: 'timeout', charged: 'unknown' },
  ];

  it('is read back as it was written', async (context) => {
    const { journalOf } = await openDisk(context);
    const journal = journalOf('mine');
    const job = await journal.begin(createRequest(), address);
    assert.equal(await journal.readReceipt(job), undefined);
    for (const receipt of receipts) {
      await journal.writeReceipt(job, receipt);
      assert.deepEqual(await journal.readReceipt(job), receipt);
    }
  });

  it('outlives its job by a week, and everything else does not', async (context) => {
    const { journalOf, spool, receiptsDirectory, clock } = await openDisk(context);
    const journal = journalOf('mine');
    const job = await journal.begin(createRequest(), address);
    await job.folder.writeFile('image-0', Buffer.from('pixels'));
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1 });
    await journal.end(job);
    assert.deepEqual(await spool.list(), []);
    const kept = join(receiptsDirectory, '2026-11-20.jsonl');
    assert.deepEqual(JSON.parse(await readFile(kept, 'utf8')), {
      id: JOB_ID,
      receipt: { outcome: 'made', imageCount: 1 },
    });
    clock.now += 7 * DAY_MS;
    await journal.dropOldReceipts();
    await access(kept);
    clock.now += DAY_MS;
    await journal.dropOldReceipts();
    assert.deepEqual(await readdir(receiptsDirectory), []);
  });

  it('is kept also where its job was half cleared away when the process died', async (context) => {
    const { journalOf, receiptsDirectory, spool } = await openDisk(context);
    const journal = journalOf('mine');
    const job = await journal.begin(createRequest(), address);
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1 });
    job.folder.clearRecord('job.json');
    const onDisk = await onlyJob(journal);
    assert.equal(await journal.open(onDisk), undefined);
    await journal.discard(onDisk);
    assert.deepEqual(await spool.list(), []);
    assert.match(await readFile(join(receiptsDirectory, '2026-11-20.jsonl'), 'utf8'), new RegExp(JOB_ID));
  });

  it('of another job, which a loss of power has brought back in its folder, is none', async (context) => {
    const { journalOf } = await openDisk(context);
    const journal = journalOf('mine');
    const job = await journal.begin(createRequest(), address);
    await job.folder.writePaidRecord('receipt.json', { job: 'another', outcome: 'made', imageCount: 1 });
    assert.equal(await journal.readReceipt(job), undefined);
    await job.folder.writePaidRecord('receipt.json', { outcome: 'made', imageCount: 1 });
    assert.deepEqual(await journal.readReceipt(job), { outcome: 'made', imageCount: 1 }, 'of an earlier version');
  });

  it('that finds no room waits for it, and the pictures of its job do not', async (context) => {
    const { journalOf, receiptsDirectory } = await openDisk(context);
    const journal = journalOf('mine');
    const job = await journal.begin(createRequest(), address);
    await job.folder.writeFile('image-0', Buffer.from('pixels'));
    await journal.writeReceipt(job, { outcome: 'made', imageCount: 1 });
    // Nothing can be written into what is no folder.
    await writeFile(receiptsDirectory, '');
    await assert.rejects(journal.end(job), { code: 'ENOTDIR' });
    assert.deepEqual(await readdir(job.folder.path('')), ['receipt.json']);
    await rm(receiptsDirectory);
    await journal.discard(await onlyJob(journal));
    assert.match(await readFile(join(receiptsDirectory, '2026-11-20.jsonl'), 'utf8'), new RegExp(JOB_ID));
  });

  it('is nothing to wait for where there never was one', async (context) => {
    const { journalOf, spool, receiptsDirectory } = await openDisk(context);
    const journal = journalOf('mine');
    await journal.dropOldReceipts();
    await journal.end(await journal.begin(createRequest(), address));
    assert.deepEqual(await spool.list(), []);
    await assert.rejects(async () => access(receiptsDirectory), { code: 'ENOENT' });
  });
});
