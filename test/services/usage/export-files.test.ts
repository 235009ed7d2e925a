import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { Entry } from '../../../src/billing/guild-account.ts';
import { createLedger } from '../../../src/billing/ledger.ts';
import type { ExportFile } from '../../../src/services/usage/export-files.ts';
import { createExportFiles } from '../../../src/services/usage/export-files.ts';
import { createMemoryDatabase } from '../../billing/memory-store.ts';
import type { Journal } from './usage-journal.ts';
import { GUILD, journals, PERIOD, storeJournal } from './usage-journal.ts';

const ORDER = { guild: GUILD, period: PERIOD, member: undefined, sizeBytesMax: Number.MAX_SAFE_INTEGER };

test('the JSON lines of an export are the journal', async (t) => {
  const exports = await prepare(t);
  await fc.assert(
    fc.asyncProperty(journals, async (journal) => {
      const { files } = await exports.of(journal);
      const text = await files.withFiles(ORDER, async ([, jsonl]) => read(jsonl));
      const entries = text.split('\n').flatMap((line): Entry[] => (line === '' ? [] : [JSON.parse(line)]));
      assert.deepEqual(entries, journal.entries);
    }),
    { numRuns: 50 },
  );
});

test('files are gone when they were used, also where that went wrong, and nobody else can read them before', async (t) => {
  const exports = await prepare(t);
  const { files } = await exports.of(longJournal());
  await files.withFiles(ORDER, async (written) => {
    assert.deepEqual(
      written.map(({ name }) => name),
      ['easel-2026-11.csv', 'easel-2026-11.jsonl'],
    );
    for (const { path, sizeBytes } of written) {
      const { mode, size } = await stat(path);
      assert.equal(mode & 0o077, 0);
      assert.equal(size, sizeBytes);
    }
  });
  const failing = files.withFiles(ORDER, async () => {
    throw new Error('the message could not be sent');
  });
  await assert.rejects(failing, /could not be sent/);
  assert.deepEqual(await readdir(exports.directory), []);
});

test('a file that is too large is compressed, and says the same', async (t) => {
  const exports = await prepare(t);
  const { files } = await exports.of(longJournal());
  const [plain, packed] = await files.withFiles(ORDER, async (whole) =>
    files.withFiles({ ...ORDER, sizeBytesMax: 1_000 }, async (smaller) => [
      await Promise.all(whole.map(read)),
      await Promise.all(
        smaller.map(async ({ path, name, contentType }) => {
          assert.match(name, /\.(csv|jsonl)\.gz$/);
          assert.equal(contentType, 'application/gzip');
          return gunzipSync(await readFile(path)).toString('utf8');
        }),
      ),
    ]),
  );
  assert.deepEqual(packed, plain);
});

test('an export of a member has the entries of their requests, and no others', async (t) => {
  const exports = await prepare(t);
  const journal = longJournal();
  const { files } = await exports.of(journal);
  const owners = new Map(
    journal.entries.flatMap((entry) =>
      entry.type === 'reserve' ? [[entry.transfer, entry.details.member] as const] : [],
    ),
  );
  const expected = journal.entries.filter(({ transfer }) => owners.get(transfer) === 'otto').map(({ seq }) => seq);
  assert.ok(expected.length > 0 && expected.length < journal.entries.length);
  await files.withFiles({ ...ORDER, member: 'otto' }, async ([csv, jsonl]) => {
    const lines = (await read(jsonl)).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => {
        const { seq }: Entry = JSON.parse(line);
        return seq;
      }),
      expected,
    );
    assert.equal((await read(csv)).trimEnd().split('\r\n').length, expected.length + 1, 'and the names of the columns');
    assert.equal(csv?.name, 'easel-2026-11-otto.csv');
  });
});

test('what a killed process left behind is removed with the next export, and what is in use is not', async (t) => {
  const exports = await prepare(t);
  const { files } = await exports.of(longJournal());
  const [leftover, inUse] = [join(exports.directory, 'export-old'), join(exports.directory, 'export-new')];
  await Promise.all([mkdir(leftover), mkdir(inUse)]);
  await writeFile(join(leftover, 'easel-2026-11.csv'), 'time,type');
  const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000);
  await utimes(leftover, twoHoursAgo, twoHoursAgo);
  await files.withFiles(ORDER, async () => undefined);
  assert.deepEqual(await readdir(exports.directory), ['export-new']);
});

test('a store that fails leaves no file behind', async (t) => {
  const exports = await prepare(t);
  const { files } = await exports.of(longJournal(), { fails: true });
  await assert.rejects(
    files.withFiles(ORDER, async () => assert.fail('there is nothing to use')),
    /the store is gone/,
  );
  assert.deepEqual(await readdir(exports.directory), []);
});

async function prepare(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'easel-export-test-'));
  t.after(async () => rm(directory, { recursive: true, force: true }));
  return {
    directory,
    async of(journal: Journal, { fails = false } = {}) {
      const store = createMemoryDatabase().connect();
      await storeJournal(store, journal);
      const ledger = createLedger({
        store: fails ? { ...store, readMany: rejectAll } : store,
        now: () => 0,
        random: () => 0,
        sleep: async () => undefined,
      });
      return { files: createExportFiles({ ledger, directory, now: Date.now }) };
    },
  };
}

async function rejectAll(): Promise<never> {
  throw new Error('the store is gone');
}

async function read(file: ExportFile | undefined): Promise<string> {
  assert.ok(file && existsSync(file.path));
  return readFile(file.path, 'utf8');
}

function longJournal(): Journal {
  const [journal] = fc
    .sample(journals, { numRuns: 100, seed: 2 })
    .toSorted((one, other) => other.entries.length - one.entries.length);
  return journal ?? assert.fail('there is no journal');
}
