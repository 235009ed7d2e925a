import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry } from '../../src/billing/guild-account.ts';
import { hashEntry } from '../../src/billing/guild-account.ts';
import type { JournalLine } from '../../src/billing/journal-replay.ts';
import { replayJournal } from '../../src/billing/journal-replay.ts';
import { isEntry } from '../../src/billing/stored-entry.ts';
import { replayJournal as judgeJournal } from '../audit.ts';
import { createMemoryDatabase } from './memory-store.ts';
import { book, GUILD, ledgerOn, NOVEMBER, snowflake } from '../tools/ledger-fixture.ts';

const PERIOD = '202611';
const LIMIT = 1_000_000;

/** An honest journal with every kind of entry, as it is read back from a store. */
async function writeJournal() {
  const stage = ledgerOn(createMemoryDatabase().connect());
  for (const [index, ending] of (['posted', 'void', 'released', 'adjusted', 'unknown', 'held'] as const).entries()) {
    await book(stage, { at: NOVEMBER, number: index + 1, ending });
  }
  const entries: Entry[] = [];
  for await (const page of stage.ledger.entries(GUILD, PERIOD)) entries.push(...page);
  return { entries, head: await stage.ledger.head(GUILD, PERIOD) };
}

/** The same entries with a chain that is whole again, as somebody would forge it. */
function rechain(entries: readonly Entry[]): Entry[] {
  let prevHash = '0'.repeat(64);
  return entries.map((entry, index) => {
    const next = { ...entry, seq: index + 1, prevHash };
    prevHash = hashEntry(next);
    return next;
  });
}

const faultsOf = async (lines: readonly JournalLine[]): Promise<readonly string[]> =>
  (await replayJournal([lines], PERIOD)).faults.map(({ seq, problem }) => `${seq}: ${problem}`);

describe('replaying a journal', () => {
  it('gives the head, the transfers and the members that were stored with it', async () => {
    const { entries, head } = await writeJournal();
    const journal = await replayJournal([entries], PERIOD);
    assert.deepEqual(journal.head, head);
    assert.deepEqual(journal.faults, []);
    const judged = judgeJournal(entries, LIMIT);
    assert.deepEqual(
      [journal.head.settled, journal.head.held, journal.head.exposure],
      [judged.settled, judged.held, judged.exposure],
    );
    assert.deepEqual([...journal.transfers.keys()], [...judged.transfers.keys()]);
    const { settled, held, exposure } = journal.members.get('mira') ?? assert.fail();
    assert.deepEqual({ settled, held, exposure }, { settled: head.settled, held: head.held, exposure: head.exposure });
  });

  it('goes on from wherever it was left', async () => {
    const { entries, head } = await writeJournal();
    for (let split = 0; split <= entries.length; split += 1) {
      const first = await replayJournal([entries.slice(0, split)], PERIOD);
      const whole = await replayJournal([entries.slice(split)], PERIOD, first);
      assert.deepEqual(whole.head, head);
      assert.equal(first.head.seq, split, 'what was there before is not touched');
    }
  });

  it('finds two entries that have changed places, whatever their hashes say', async () => {
    const { entries } = await writeJournal();
    const [reserve, dispatch, ...others] = entries;
    assert.ok(reserve && dispatch);
    assert.notDeepEqual(await faultsOf([dispatch, reserve, ...others]), []);
    const [fault] = await faultsOf(rechain([dispatch, reserve, ...others]));
    assert.match(fault ?? '', /^1: is a dispatch of transfer \d+ after nothing \(out-of-order\)$/);
  });

  it('finds an entry that was written twice', async () => {
    const { entries } = await writeJournal();
    const post = entries.find(({ type }) => type === 'post') ?? assert.fail();
    const forged = rechain([...entries.slice(0, 3), post, ...entries.slice(3)]);
    assert.match((await faultsOf(forged))[0] ?? '', /^4: is a post of transfer \d+ after post/);
  });

  it('finds an entry of another month, and one that tells another hold than there was', async () => {
    const { entries } = await writeJournal();
    const strange = snowflake(Date.UTC(2026, 9, 31), 1);
    const moved = rechain(entries.map((entry, index) => (index === 0 ? { ...entry, transfer: strange } : entry)));
    assert.match((await faultsOf(moved))[0] ?? '', /^1: is of transfer \d+, which belongs to another month$/);
    const lying = rechain(entries.map((entry, index) => (index === 2 ? { ...entry, held: 99 } : entry)));
    assert.deepEqual(await faultsOf(lying), ['3: says that 99 was held, and it was 100']);
  });

  it('tells a gap once, and goes on behind it', async () => {
    const { entries } = await writeJournal();
    const lines = entries.map((entry): JournalLine => (entry.type === 'void' ? 'missing' : entry));
    const seq = entries.findIndex(({ type }) => type === 'void') + 1;
    assert.deepEqual(await faultsOf(lines), [`${seq}: is missing`]);
    const unreadable = entries.map((entry): JournalLine => (entry.type === 'void' ? 'unreadable' : entry));
    assert.deepEqual(await faultsOf(unreadable), [`${seq}: cannot be read`]);
  });

  it('is not stopped by amounts that cannot be added up', async () => {
    const { entries } = await writeJournal();
    const forged = entries.map((entry): Entry =>
      entry.type === 'adjust' ? { ...entry, amount: Number.MAX_SAFE_INTEGER } : entry,
    );
    const faults = await faultsOf(rechain(forged));
    assert.ok(
      faults.some((fault) => fault.endsWith('adds up to more than can be counted')),
      faults.join('\n'),
    );
  });
});

describe('an entry that was stored', () => {
  it('is one if it can be replayed, also with fields that are not known yet', async () => {
    const { entries } = await writeJournal();
    for (const entry of entries) {
      assert.ok(isEntry(entry));
      assert.ok(isEntry({ ...entry, addedLater: true }));
      for (const field of ['seq', 'type', 'transfer', 'at', 'held', 'prevHash']) {
        assert.ok(!isEntry({ ...entry, [field]: undefined }), `${entry.type} without ${field}`);
      }
    }
    for (const value of [undefined, null, 'entry', [], {}]) assert.ok(!isEntry(value));
  });
});
