import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createJobJournal } from '../../src/services/job-journal.ts';
import type { FinishedImage } from '../../src/services/job-outcome.ts';
import type { OriginalsLimits } from '../../src/services/kept-originals.ts';
import { createKeptOriginals } from '../../src/services/kept-originals.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { createDirectory, createRequest, silentLog } from './job-fixture.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const PICTURE = Buffer.from('ten bytes!');

/** A disk with a number of results whose originals are kept, an hour between them. */
async function openKept(context: TestContext, results: number, limits?: OriginalsLimits) {
  const directory = await createDirectory(context);
  const spool = await openSpool(join(directory, 'spool'));
  const clock = { now: Date.UTC(2026, 10, 20) };
  const disk = { hasRoom: true };
  const now = (): number => clock.now;
  const journal = createJobJournal({ spool, receiptsDirectory: join(directory, 'receipts'), owner: 'mine', now });
  const kept = createKeptOriginals({
    journal,
    spool: { hasRoom: () => disk.hasRoom },
    ...(limits ? { limits } : {}),
    now,
    log: silentLog,
  });

  async function keep(id: string): Promise<void> {
    const job = await journal.begin(createRequest({ id }), {});
    await job.folder.writeFile('image-0', PICTURE);
    const path = job.folder.path('image-0');
    const image: FinishedImage = { path, name: `${id}-1.png`, contentType: 'image/png', sizeBytes: PICTURE.length };
    await kept.keep(job, [image]);
  }

  for (let id = 1; id <= results; id += 1) {
    await keep(String(id));
    clock.now += HOUR_MS;
  }
  const left = async () => new Set((await spool.list()).map((folder) => folder.split('.')[0]));
  return { kept, journal, keep, left, clock, disk };
}

describe('originals', () => {
  it('are kept for a day, and no longer', async (context) => {
    const { kept, clock } = await openKept(context, 1);
    assert.deepEqual(
      (await kept.read('1'))?.map(({ name, sizeBytes }) => [name, sizeBytes]),
      [['1-1.png', PICTURE.length]],
    );
    assert.equal(await kept.read('2'), undefined);
    clock.now += DAY_MS - HOUR_MS;
    assert.equal(await kept.read('1'), undefined);
  });

  it('are dropped with their result', async (context) => {
    const { kept, left } = await openKept(context, 2);
    await kept.drop('1');
    await kept.drop('1');
    assert.deepEqual(await left(), new Set(['2']));
  });

  it('are never more results than may be, nor more bytes: the oldest go first', async (context) => {
    const byNumber = await openKept(context, 5, { resultsMax: 3, bytesMax: 1_000 });
    await byNumber.kept.trim();
    assert.deepEqual(await byNumber.left(), new Set(['3', '4', '5']));
    const bySize = await openKept(context, 5, { resultsMax: 100, bytesMax: 2 * PICTURE.length });
    await bySize.kept.trim();
    await bySize.kept.trim();
    assert.deepEqual(await bySize.left(), new Set(['4', '5']));
  });

  it('make room when the disk has none, and are not begun to be kept then', async (context) => {
    const { kept, keep, left, disk } = await openKept(context, 2);
    disk.hasRoom = false;
    await keep('3');
    assert.deepEqual(await left(), new Set(['1', '2']));
    await kept.trim();
    assert.deepEqual(await left(), new Set([]));
  });

  it('are all that trimming touches', async (context) => {
    const { kept, journal, left, clock, disk } = await openKept(context, 1, { resultsMax: 0, bytesMax: 0 });
    const undelivered = await journal.begin(createRequest({ id: '7' }), {});
    await journal.keep(undelivered, clock.now + DAY_MS);
    await journal.begin(createRequest({ id: '8' }), {});
    disk.hasRoom = false;
    await kept.trim();
    assert.deepEqual(await left(), new Set(['7', '8']));
    assert.equal(await kept.read('7'), undefined);
  });
});
