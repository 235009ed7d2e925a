import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { JobJournal } from '../../src/services/job-journal.ts';
import { createJobJournal } from '../../src/services/job-journal.ts';
import { createKeptResults } from '../../src/services/kept-results.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createDirectory, createPlan, createRequest, JOB_ID } from './job-fixture.ts';

const NOW = Date.UTC(2026, 10, 20);
const MINUTE_MS = 60_000;

/**
 * A result that a dead process has kept, and the process after it, whose recovery takes over what the dead one left.
 * @param recoverAfterListing whether that happens between the moment in which a fetch finds the result and the next one
 */
async function openKept(context: TestContext, { recoverAfterListing = false } = {}) {
  const directory = await createDirectory(context);
  const spool = await openSpool(join(directory, 'spool'));
  const journalOf = (owner: string): JobJournal =>
    createJobJournal({ spool, receiptsDirectory: join(directory, 'receipts'), owner, now: () => NOW });
  const dead = journalOf('dead');
  const job = await dead.writePlan(await dead.begin(createRequest(), {}), createPlan());
  await job.folder.writeFile('image-0', Buffer.from('pixels'));
  await dead.keep(job, NOW + MINUTE_MS);

  const heir = journalOf('heir');
  const recover = async (): Promise<void> => {
    for (const jobOnDisk of await heir.list()) await heir.adopt(jobOnDisk);
  };
  const listKept: JobJournal['listKept'] = async () => {
    const kept = await heir.listKept();
    if (recoverAfterListing) await recover();
    return kept;
  };
  const posted: string[] = [];
  const keptResults = createKeptResults({
    journal: { ...heir, listKept },
    lease: { isAlive: (owner) => owner === 'heir' },
    resumption: { resume: async () => ({ ended: 'refused', refusal: { reason: 'interrupted' } }) },
    conclusion: {
      async conclude(fetched) {
        await recover();
        posted.push(await readFile(fetched.folder.path('image-0'), 'utf8'));
        await heir.end(fetched);
        return 'delivered';
      },
    },
  });
  return { spool, posted, fetch: async () => keptResults.fetch(JOB_ID, 'mira', {}) };
}

describe('a kept result of a process that is gone', () => {
  it('is brought whole, and once, although recovery takes it over meanwhile', async (context) => {
    const { spool, posted, fetch } = await openKept(context);
    assert.equal(await fetch(), 'shown');
    assert.deepEqual([posted, await spool.list()], [['pixels'], []]);
    assert.equal(await fetch(), 'gone');
  });

  it('is found although recovery has just given it another name', async (context) => {
    const { spool, posted, fetch } = await openKept(context, { recoverAfterListing: true });
    assert.equal(await fetch(), 'shown');
    assert.deepEqual([posted, await spool.list()], [['pixels'], []]);
  });
});
