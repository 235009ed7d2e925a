import assert from 'node:assert/strict';
import { access, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { JobJournal, JobOnDisk, Receipt } from '../../src/services/job-journal.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import { openSpool } from '../../src/services/spool.ts';
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
    const expected = { request: createRequest({ prompt: 'fö\u0000x' }), address, beganAt, keptUntil: undefined };
    assert.deepEqual(opened, { ...expected, plan: undefined });

    const picture = { file: 'input-0', contentType: 'image/png', width: 64, height: 64 } as const;
    const plan = createPlan({ images: [picture], mask: picture, keptFrom: 'original', replacedModel: 'gpt-image-1' });
    const planned = await mine.writePlan(begun, plan);
    assert.deepEqual((await theirs.open(onDisk))?.plan, plan);
    await mine.keep(planned, clock.now + DAY_MS);
    assert.equal((await theirs.open(onDisk))?.keptUntil, clock.now + DAY_MS);
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
    const kept = join(receiptsDirectory, '2026-11-20', `${JOB_ID}.json`);
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
    await job.folder.removeFile('job.json');
    const onDisk = await onlyJob(journal);
    assert.equal(await journal.open(onDisk), undefined);
    await journal.discard(onDisk);
    assert.deepEqual(await spool.list(), []);
    await access(join(receiptsDirectory, '2026-11-20', `${JOB_ID}.json`));
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
