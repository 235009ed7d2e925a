import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as z from 'zod';
import type { Entry } from '../../src/billing/guild-account.ts';
import { entryKey, memberKey, transferKey } from '../../src/billing/ledger-keys.ts';
import { resultKey } from '../../src/services/result-records.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { ToolRefusal } from '../../src/tools/command-line.ts';
import { ledgerTool } from '../../src/tools/ledger-tool.ts';
import { replayJournal } from '../audit.ts';
import { chargeOf, details } from '../billing/account-fixture.ts';
import type { MemoryDatabase } from '../billing/memory-store.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import type { LedgerOnStage } from './ledger-fixture.ts';
import {
  AUGUST,
  book,
  GUILD,
  granted,
  ledgerOn,
  makeDirectory,
  NOVEMBER,
  openLedgerOnStage,
  OTHER_GUILD,
  snowflake,
} from './ledger-fixture.ts';

const LIMIT = 1_000_000;
const MONTH = ['--month', '2026-08'];

/** Three closed requests of August in one guild and one in another, and one of November that must stay. */
async function fill(stage: LedgerOnStage): Promise<void> {
  for (const [index, ending] of (['posted', 'void', 'released'] as const).entries()) {
    await book(stage, { at: AUGUST, number: index + 1, ending });
  }
  await book(stage, { guild: OTHER_GUILD, at: AUGUST, number: 9, ending: 'adjusted' });
  await book(stage, { at: NOVEMBER, number: 4, ending: 'posted' });
  for (const transfer of [snowflake(AUGUST, 1), snowflake(NOVEMBER, 4)]) {
    const guard = { key: resultKey(GUILD, transfer), expected: undefined, next: { prompt: 'a fox' } };
    await stage.store.commit({ guard, writes: [] });
  }
}

async function prune(stage: LedgerOnStage, archive: string) {
  return stage.run(ledgerTool, 'prune', ...MONTH, '--archive', archive, '--yes');
}

/** What is still stored of August, besides heads, the index and the probe of a store. */
function leftoversOf(database: MemoryDatabase): readonly string[] {
  const august = [1, 2, 3, 9].map((number) => snowflake(AUGUST, number));
  return database
    .rows()
    .map(([key]) => key)
    .filter((key) => /^(entry|member):\{\d+\}:202608/.test(key) || august.some((transfer) => key.endsWith(transfer)));
}

/** Dies at the given step of changing the store, for good: what comes after fails as well. */
function dyingAt(store: Store, step: number, when: 'before' | 'after'): { store: Store; hasDied: () => boolean } {
  let steps = 0;
  const pass = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    steps += 1;
    if (steps > step || (steps === step && when === 'before')) throw new StoreFailure('the process is no more');
    const result = await work();
    if (steps === step) throw new StoreFailure('the process is no more');
    return result;
  };
  return {
    hasDied: () => steps >= step,
    store: {
      ...store,
      commit: async (change) => pass(async () => store.commit(change)),
      async remove(keys) {
        for (const key of keys) await pass(async () => store.remove([key]));
      },
    },
  };
}

describe('prune', () => {
  it('moves a month into an archive that replays to the same totals', async (test) => {
    const directory = await makeDirectory(test);
    const stage = await openLedgerOnStage(test, directory);
    await fill(stage);
    const before = await stage.ledger.head(GUILD, '202608');
    const archive = join(directory, 'archive');

    assert.equal((await prune(stage, archive)).exitCode, 0);
    const folder = join(archive, '2026-08', GUILD);
    const manifestText = await readFile(join(folder, 'manifest.json'), 'utf8');
    const manifest = z
      .object({
        entries: z.number(),
        settledNanoUsd: z.number(),
        lastHash: z.string(),
        files: z.array(z.object({ name: z.string(), sha256: z.string() })),
      })
      .parse(JSON.parse(manifestText));
    const jsonl = await readFile(join(folder, 'entries.jsonl'), 'utf8');
    const entries = jsonl
      .trimEnd()
      .split('\n')
      .map((line): Entry => JSON.parse(line));
    const sum = replayJournal(entries, LIMIT);
    assert.deepEqual([sum.settled, sum.lastHash, entries.length], [before.settled, before.lastHash, before.seq]);
    assert.deepEqual(
      [manifest.settledNanoUsd, manifest.lastHash, manifest.entries],
      [before.settled, before.lastHash, before.seq],
    );
    for (const { name, sha256 } of manifest.files) assert.equal(sha256Of(await readFile(join(folder, name))), sha256);

    const { pruned, ...head } = await stage.ledger.head(GUILD, '202608');
    assert.deepEqual(head, before);
    assert.deepEqual(pruned, { manifestSha256: sha256Of(Buffer.from(manifestText)), at: NOVEMBER });
    const gone = [
      entryKey(GUILD, '202608', 1),
      entryKey(GUILD, '202608', before.seq),
      memberKey(GUILD, '202608', 'mira'),
      transferKey(GUILD, snowflake(AUGUST, 1)),
      resultKey(GUILD, snowflake(AUGUST, 1)),
    ];
    assert.deepEqual(
      await stage.store.readMany(gone),
      gone.map(() => undefined),
    );
    assert.equal((await stage.ledger.head(GUILD, '202611')).settled, 70, 'November was touched');
    assert.ok(await stage.store.read(resultKey(GUILD, snowflake(NOVEMBER, 4))), "November's results were touched");
    assert.equal((await stage.run(ledgerTool, 'verify', '--archive', archive)).exitCode, 0);
  });

  it('takes a line of the archive to its end, whatever the texts of its entry hold', async (test) => {
    const directory = await makeDirectory(test);
    const stage = ledgerOn(createMemoryDatabase().connect());
    const ends = '\n \r \r\n \u000B \u000C \u0085 \u2028 \u2029';
    const usage = { note: ends };
    for (let number = 1; number <= 40; number += 1) {
      const ref = { guild: GUILD, transfer: await book(stage, { at: AUGUST, number, ending: 'unknown' }) };
      // Some of them are longer than what a stream reads at once, and many of the others come in two pieces.
      const charge = { ...chargeOf(70, 'req_1'), usage: { ...usage, padding: 'é'.repeat(number * 1_000) } };
      if (number % 2 === 0) granted(await stage.ledger.post(ref, charge, details));
      else granted(await stage.ledger.release(ref, { reason: `the bill of August${ends}`, by: 'a test' }));
    }
    assert.equal((await prune(stage, directory)).exitCode, 0);
    assert.ok((await stage.ledger.head(GUILD, '202608')).pruned);
    assert.equal((await stage.run(ledgerTool, 'verify', '--archive', directory)).exitCode, 0);
  });

  it('takes nothing more in a month that lies in an archive', async (test) => {
    const directory = await makeDirectory(test);
    const stage = await openLedgerOnStage(test, directory);
    await fill(stage);
    await prune(stage, directory);
    const ref = { guild: GUILD, transfer: snowflake(AUGUST, 1) };
    const outcome = await stage.ledger.reserve(ref, { amount: 1, limit: LIMIT, expiresAt: NOVEMBER + 1, details });
    assert.equal(outcome.refused, 'out-of-order');
  });

  it('changes nothing without --yes', async (test) => {
    const directory = await makeDirectory(test);
    const database = createMemoryDatabase();
    const stage = ledgerOn(database.connect());
    await fill(stage);
    const before = database.rows();
    const { exitCode, lines } = await stage.run(ledgerTool, 'prune', ...MONTH, '--archive', directory);
    assert.equal(exitCode, 0);
    assert.match(lines.join('\n'), /would be pruned/);
    assert.deepEqual(database.rows(), before);
  });

  it('refuses the month that runs and the one before it', async (test) => {
    const stage = ledgerOn(createMemoryDatabase().connect());
    const directory = await makeDirectory(test);
    for (const month of ['2026-11', '2026-10', '2027-01']) {
      await assert.rejects(
        stage.run(ledgerTool, 'prune', '--month', month, '--archive', directory, '--yes'),
        ToolRefusal,
      );
    }
    assert.equal((await stage.run(ledgerTool, 'prune', '--month', '2026-09', '--archive', directory)).exitCode, 0);
  });

  for (const [ending, says] of [
    ['unknown', /is unknown/],
    ['arrived', /is unknown/],
  ] as const) {
    it(`prunes no account of a month in which a request is ${ending}, and says which`, async (test) => {
      const directory = await makeDirectory(test);
      const database = createMemoryDatabase();
      const stage = ledgerOn(database.connect());
      await fill(stage);
      const transfer = await book(stage, { guild: OTHER_GUILD, at: AUGUST, number: 7, ending });
      const before = database.rows();
      const { exitCode, lines } = await prune(stage, directory);
      assert.equal(exitCode, 1);
      const line = lines.find((candidate) => candidate.includes(transfer)) ?? assert.fail(lines.join('\n'));
      assert.match(line, says);
      assert.deepEqual(database.rows(), before);
    });
  }

  it('ends what was held for too long, and prunes unless a call went out', async (test) => {
    const directory = await makeDirectory(test);
    const stage = ledgerOn(createMemoryDatabase().connect());
    await fill(stage);
    const [waiting, out] = [snowflake(AUGUST, 6), snowflake(AUGUST, 7)];
    stage.clock.now = AUGUST;
    const order = { amount: 1, limit: LIMIT, expiresAt: AUGUST + 1, details };
    for (const transfer of [waiting, out]) granted(await stage.ledger.reserve({ guild: GUILD, transfer }, order));
    granted(await stage.ledger.dispatch({ guild: GUILD, transfer: out }, AUGUST + 1));
    stage.clock.now = NOVEMBER;
    const dry = await stage.run(ledgerTool, 'prune', ...MONTH, '--archive', directory);
    assert.equal(dry.exitCode, 1);
    for (const transfer of [waiting, out]) {
      assert.match(
        dry.lines.join('\n'),
        new RegExp(`${transfer} is still open; its time is over, and with --yes it ends`),
      );
    }
    const first = await prune(stage, directory);
    assert.deepEqual(
      [first.exitCode, first.lines.at(0)],
      [1, `2026-08  guild ${GUILD}  2 holds were over and have ended`],
    );
    assert.match(first.lines.join('\n'), new RegExp(`${out} is unknown; release or post it first`));
    assert.ok(!first.lines.some((line) => line.includes(waiting)));
    granted(await stage.ledger.release({ guild: GUILD, transfer: out }, { reason: 'not on the bill', by: 'ada' }));
    assert.equal((await prune(stage, directory)).exitCode, 0);
  });

  it('prunes no account of a month in which a hold is not over', async (test) => {
    const directory = await makeDirectory(test);
    const database = createMemoryDatabase();
    const stage = ledgerOn(database.connect());
    const ref = { guild: GUILD, transfer: snowflake(AUGUST, 6) };
    granted(await stage.ledger.reserve(ref, { amount: 1, limit: LIMIT, expiresAt: NOVEMBER + 1, details }));
    const before = database.rows();
    const { exitCode, lines } = await prune(stage, directory);
    assert.equal(exitCode, 1);
    assert.match(lines.join('\n'), /is still open$/m);
    assert.deepEqual(database.rows(), before);
  });

  it('prunes nothing that verify would complain about', async (test) => {
    const directory = await makeDirectory(test);
    const stage = ledgerOn(createMemoryDatabase().connect());
    await fill(stage);
    await stage.store.remove([entryKey(GUILD, '202608', 2)]);
    const { exitCode, lines } = await prune(stage, directory);
    assert.equal(exitCode, 1);
    assert.match(lines.join('\n'), /entry 2 is missing/);
  });

  it('can be killed at any step, and the same command finishes', async (test) => {
    const directory = await makeDirectory(test);
    let deaths = 0;
    for (const when of ['before', 'after'] as const) {
      for (let step = 1; ; step += 1) {
        const database = createMemoryDatabase();
        const stage = ledgerOn(database.connect());
        await fill(stage);
        const archive = join(directory, `${when}-${step}`);
        const dying = dyingAt(database.connect(), step, when);
        await ledgerOn(dying.store)
          .run(ledgerTool, 'prune', ...MONTH, '--archive', archive, '--yes')
          .catch((error: unknown) => assert.ok(error instanceof StoreFailure, String(error)));
        if (!dying.hasDied()) break;
        deaths += 1;

        const halfWay = await stage.run(ledgerTool, 'verify', '--archive', archive);
        const isCutShort = halfWay.lines.some((line) => line.includes('pruning was cut short'));
        assert.equal(halfWay.exitCode, isCutShort ? 1 : 0, `${when} step ${step}: ${halfWay.lines.join('\n')}`);
        assert.equal((await prune(stage, archive)).exitCode, 0);
        assert.deepEqual(leftoversOf(database), [], `${when} step ${step}`);
        assert.equal((await stage.run(ledgerTool, 'verify', '--archive', archive)).exitCode, 0);
        assert.equal((await stage.ledger.head(GUILD, '202608')).settled, 70);
        assert.equal((await stage.ledger.head(OTHER_GUILD, '202608')).settled, 50);
      }
    }
    assert.ok(deaths > 40, `it was killed ${deaths} times only`);
  });

  it('writes over what a killed attempt has left of an archive', async (test) => {
    const directory = await makeDirectory(test);
    const stage = ledgerOn(createMemoryDatabase().connect());
    await fill(stage);
    const folder = join(directory, '2026-08', GUILD);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'entries.jsonl.partial'), '{"v":1,"seq":1,"tran');
    await writeFile(join(folder, 'entries.jsonl'), '{"v":1}\n');
    assert.equal((await prune(stage, directory)).exitCode, 0);
    assert.equal((await stage.run(ledgerTool, 'verify', '--archive', directory)).exitCode, 0);
  });

  it('never writes over the archive of another ledger', async (test) => {
    const directory = await makeDirectory(test);
    const one = ledgerOn(createMemoryDatabase().connect());
    await fill(one);
    await prune(one, directory);
    const database = createMemoryDatabase();
    const other = ledgerOn(database.connect());
    await book(other, { at: AUGUST, number: 1, ending: 'void' });
    const before = database.rows();
    await assert.rejects(prune(other, directory), /archive of something else/);
    assert.deepEqual(database.rows(), before);
    assert.equal((await one.run(ledgerTool, 'verify', '--archive', directory)).exitCode, 0);
  });

  it('removes nothing by an archive that was changed since', async (test) => {
    const directory = await makeDirectory(test);
    const database = createMemoryDatabase();
    const stage = ledgerOn(database.connect());
    await fill(stage);
    const dying = dyingAt(database.connect(), 2, 'before');
    await assert.rejects(
      ledgerOn(dying.store).run(ledgerTool, 'prune', ...MONTH, '--archive', directory, '--yes'),
      StoreFailure,
    );
    assert.ok((await stage.ledger.head(GUILD, '202608')).pruned, 'the test is to begin between mark and removal');
    await appendFile(join(directory, '2026-08', GUILD, 'entries.jsonl'), '\n');
    const before = database.rows();
    await assert.rejects(prune(stage, directory), /entries.jsonl was changed/);
    assert.deepEqual(database.rows(), before);
    const { exitCode, lines } = await stage.run(ledgerTool, 'verify', '--archive', directory);
    assert.equal(exitCode, 1);
    assert.match(lines.join('\n'), /entries.jsonl was changed/);
  });

  it('gives way to an entry that comes while the archive is written', async (test) => {
    const directory = await makeDirectory(test);
    const database = createMemoryDatabase();
    const stage = ledgerOn(database.connect());
    const transfer = await book(stage, { at: AUGUST, number: 1, ending: 'posted' });
    const store = database.connect();
    const late = ledgerOn({
      ...store,
      async commit(change) {
        const correction = { amount: 5, reason: 'late', by: 'a test' };
        granted(await stage.ledger.adjust({ guild: GUILD, transfer }, correction));
        return store.commit(change);
      },
    });
    await assert.rejects(prune(late, directory), /has had a new entry/);
    assert.equal((await stage.ledger.head(GUILD, '202608')).pruned, undefined);
    assert.equal((await stage.run(ledgerTool, 'verify')).exitCode, 0);
  });
});

describe('export', () => {
  it('writes every account as CSV and JSONL, which replay to the totals', async (test) => {
    const directory = await makeDirectory(test);
    const stage = ledgerOn(createMemoryDatabase().connect());
    await fill(stage);
    const out = join(directory, 'out');
    assert.equal((await stage.run(ledgerTool, 'export', '--out', out)).exitCode, 0);
    for (const [guild, month, period] of [
      [GUILD, '2026-08', '202608'],
      [OTHER_GUILD, '2026-08', '202608'],
      [GUILD, '2026-11', '202611'],
    ] as const) {
      const { settled, seq } = await stage.ledger.head(guild, period);
      const jsonl = await readFile(join(out, month, guild, 'entries.jsonl'), 'utf8');
      const entries = jsonl
        .trimEnd()
        .split('\n')
        .map((line): Entry => JSON.parse(line));
      assert.equal(replayJournal(entries, LIMIT).settled, settled);
      const [header = '', ...rows] = (await readFile(join(out, month, guild, 'entries.csv'), 'utf8'))
        .trimEnd()
        .split('\r\n')
        .map((line) => line.split(','));
      assert.equal(rows.length, seq);
      const [type, cost] = ['type', 'cost_nano_usd'].map((name) => header.indexOf(name));
      const booked = rows.filter((row) => ['post', 'adjust'].includes(row[type ?? -1] ?? ''));
      assert.equal(
        booked.reduce((sum, row) => sum + Number(row[cost ?? -1]), 0),
        settled,
      );
    }
  });
});

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
