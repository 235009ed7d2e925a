import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { CallPlan } from '../../src/services/call-plan.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { Preview } from '../../src/services/job-progress.ts';
import { createPreviewTarget } from '../../src/services/previews.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createDirectory, createPlan, createRequest, silentLog } from './job-fixture.ts';

/** A job with a plan, and what is shown of it. */
async function openJob(context: TestContext, plan: Partial<CallPlan>) {
  const directory = await createDirectory(context);
  const spool = await openSpool(directory);
  const journal = createJobJournal({ spool, receiptsDirectory: directory, owner: 'mine', now: () => 0 });
  const begun = await journal.begin(createRequest(), {});
  const job: OpenJob = { ...begun, plan: { ...createPlan(), ...plan } };
  const shown: Preview[] = [];
  const target = createPreviewTarget({ job, show: (preview) => shown.push(preview), log: silentLog });
  return { job, target, shown };
}

describe('the previews of a job', () => {
  it('are none where the plan has none', async (context) => {
    assert.equal((await openJob(context, {})).target, undefined);
  });

  it('are files of its folder that nobody else can read, and are shown when they are whole', async (context) => {
    const { job, target, shown } = await openJob(context, { partialImages: 2, format: 'jpeg' });
    assert.equal(target?.count, 2);
    for (const [index, text] of ['first', 'second, and longer'].entries()) {
      const sink = await target.openByteSink(index);
      for (const piece of [text.slice(0, 3), text.slice(3)]) await sink.write(Buffer.from(piece));
      assert.equal(shown.length, index);
      await sink.close();
      target.arrived(index, text.length);
      const path = job.folder.path(`preview-${index}.jpeg`);
      assert.deepEqual(shown.at(-1), { path, contentType: 'image/jpeg', sizeBytes: text.length });
      assert.equal(await readFile(path, 'utf8'), text);
      assert.equal((await stat(path)).mode & 0o777, 0o600);
    }
  });

  it('that are made anew replace what was there, and disappear with the job', async (context) => {
    const { job, target } = await openJob(context, { partialImages: 1 });
    for (const text of ['a long preview', 'short']) {
      const sink = await target?.openByteSink(0);
      await sink?.write(Buffer.from(text));
      await sink?.close();
    }
    assert.equal(await readFile(job.folder.path('preview-0.png'), 'utf8'), 'short');
    const unfinished = await target?.openByteSink(0);
    await unfinished?.discard();
    await job.folder.remove();
    await assert.rejects(readdir(job.folder.path('.')), { code: 'ENOENT' });
  });

  it('fail at once where they cannot be written, without waiting for room', async (context) => {
    const { job, target } = await openJob(context, { partialImages: 1 });
    await job.folder.remove();
    await assert.rejects(async () => target?.openByteSink(0), { code: 'ENOENT' });
    target?.failed(new Error('no such folder'));
  });
});
