import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createLedger } from '../../../src/billing/ledger.ts';
import { headKey, rollupDayKey, rollupKey } from '../../../src/billing/ledger-keys.ts';
import { dayOfSnowflake } from '../../../src/billing/period.ts';
import type { UsageReport } from '../../../src/services/usage/usage-report.ts';
import { createUsageReports } from '../../../src/services/usage/usage-report.ts';
import { createUsageRollups } from '../../../src/services/usage/usage-rollups.ts';
import type { Store } from '../../../src/storage/store.ts';
import { UnreadableValue } from '../../../src/storage/store.ts';
import { createMemoryDatabase } from '../../billing/memory-store.ts';
import type { Journal } from './usage-journal.ts';
import { GUILD, headAfter, journals, MEMBERS, PERIOD, storeJournal } from './usage-journal.ts';

describe('rollups', () => {
  it('say the same whether they were made in one go or piece by piece, by one process or by several', async () => {
    await fc.assert(
      fc.asyncProperty(journals, fc.array(fc.nat({ max: 60 })), async (journal, stops) => {
        const store = createMemoryDatabase().connect();
        for (const stop of stops.toSorted((one, other) => one - other)) {
          await storeFirst(store, journal, stop);
          await open(store).rollups.read(GUILD, PERIOD);
        }
        await storeJournal(store, journal);
        assert.deepEqual(await reportsOf(store), await reportsOf(await freshStoreOf(journal)));
      }),
      { numRuns: 150 },
    );
  });

  it('agree with the account about the server, and with themselves about its members', async () => {
    await fc.assert(
      fc.asyncProperty(journals, async (journal) => {
        const [ofServer, ...ofMembers] = await reportsOf(await freshStoreOf(journal));
        const { settled, held, exposure } = journal.head;
        assert.ok(ofServer);
        assert.deepEqual(
          { settled: ofServer.settled, held: ofServer.held, exposure: ofServer.unknown.amount },
          { settled, held, exposure },
        );
        const sum = (amountOf: (report: UsageReport) => number): number =>
          ofMembers.reduce((total, report) => total + amountOf(report), 0);
        assert.deepEqual(
          [sum((report) => report.settled), sum((report) => report.held), sum((report) => report.unknown.amount)],
          [settled, held, exposure],
          'what the members have adds up to what the server has',
        );
        assert.equal(
          ofServer.daily.reduce((total, { cost }) => total + cost, 0),
          settled,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('read only what is new', async () => {
    const journal = busyJournal();
    const store = await freshStoreOf(journal);
    await open(store).rollups.read(GUILD, PERIOD);
    const counting = countEntries(store);
    await open(counting.store).rollups.read(GUILD, PERIOD);
    assert.equal(counting.read(), 0);

    const earlier = createMemoryDatabase().connect();
    await storeFirst(earlier, journal, journal.entries.length - 2);
    await open(earlier).rollups.read(GUILD, PERIOD);
    await storeJournal(earlier, journal);
    const catchingUp = countEntries(earlier);
    await open(catchingUp.store).rollups.read(GUILD, PERIOD);
    // The first of the new ones is read twice: once to see whether it follows.
    assert.equal(catchingUp.read(), 3);
  });

  const journal = busyJournal();
  const firstDayKey = rollupDayKey(GUILD, dayOfSnowflake(journal.entries[0]?.transfer ?? ''));
  const damages: Readonly<Record<string, (store: Store) => Promise<void>>> = {
    'is of an earlier version': async (store) => overwrite(store, rollupKey(GUILD, PERIOD), { v: 0 }),
    'is of another journal': async (store) => overwrite(store, rollupKey(GUILD, PERIOD), { lastHash: 'f'.repeat(64) }),
    'knows more than the journal': async (store) => overwrite(store, rollupKey(GUILD, PERIOD), { seq: 1_000 }),
    'has a day of another time': async (store) => overwrite(store, firstDayKey, { seq: 0 }),
    'has lost a day': async (store) => store.remove([firstDayKey]),
  };
  for (const [damage, inflict] of Object.entries(damages)) {
    it(`are made anew where what is kept ${damage}`, async () => {
      for (const counted of [journal.entries.length, journal.entries.length - 1]) {
        const store = createMemoryDatabase().connect();
        await storeFirst(store, journal, counted);
        await open(store).rollups.read(GUILD, PERIOD);
        await inflict(store);
        await storeJournal(store, journal);
        assert.deepEqual(await reportsOf(store), await reportsOf(await freshStoreOf(journal)));
        const counting = countEntries(store);
        await open(counting.store).rollups.read(GUILD, PERIOD);
        assert.equal(counting.read(), 0, 'what was made anew is kept');
      }
    });
  }

  it('are made anew where what is kept cannot be read', async () => {
    const store = await freshStoreOf(journal);
    const expected = await reportsOf(store);
    let isUnreadable = true;
    const damaged: Store = {
      ...store,
      read: async (key) => {
        if (isUnreadable && key === rollupKey(GUILD, PERIOD)) throw new UnreadableValue(key);
        return store.read(key);
      },
      remove: async (keys) => {
        isUnreadable = false;
        await store.remove(keys);
      },
    };
    assert.deepEqual(await reportsOf(damaged), expected);
  });

  it('are right for everybody who asks at the same time, in whichever process', async () => {
    const store = await freshStoreOf(journal);
    const [expected] = await reportsOf(await freshStoreOf(journal));
    const processes = [open(store), open(store), open(store)];
    const reports = await Promise.all(
      processes.flatMap(({ reports: asked }) => [asked.read(GUILD, PERIOD), asked.read(GUILD, PERIOD)]),
    );
    for (const report of reports) assert.deepEqual(report, expected);
    assert.deepEqual(await open(store).reports.read(GUILD, PERIOD), expected);
  });

  it('outlive the entries that were pruned, and without them the totals are left', async () => {
    for (const isRolledUp of [true, false]) {
      const store = await freshStoreOf(journal);
      const [before] = await reportsOf(await freshStoreOf(journal));
      assert.ok(before);
      if (isRolledUp) await open(store).rollups.read(GUILD, PERIOD);
      await overwrite(store, headKey(GUILD, PERIOD), { pruned: { manifestSha256: '', at: 0 } });
      const after = await open(store).reports.read(GUILD, PERIOD);
      assert.equal(after.settled, before.settled);
      assert.equal(after.isPruned, !isRolledUp);
      if (isRolledUp) assert.deepEqual(after, before);
      assert.equal((await open(store).reports.read(GUILD, PERIOD, 'nobody')).settled, 0);
    }
  });

  it('catch up on their own where there is enough to do', async () => {
    const store = await freshStoreOf(journal);
    const { rollups } = open(store);
    const count = journal.entries.length;
    assert.equal(await rollups.catchUp(GUILD, PERIOD, count + 1), false);
    assert.equal(await rollups.catchUp(GUILD, PERIOD, count), true);
    assert.equal(await rollups.catchUp(GUILD, PERIOD, 1), false);
    const counting = countEntries(store);
    await open(counting.store).rollups.read(GUILD, PERIOD);
    assert.equal(counting.read(), 0);
  });
});

function open(store: Store) {
  const ledger = createLedger({ store, now: () => 0, random: () => 0, sleep: async () => undefined });
  const rollups = createUsageRollups({ ledger, store });
  return { rollups, reports: createUsageReports(rollups) };
}

/** What is told of the server, and of each of its members. */
async function reportsOf(store: Store): Promise<readonly UsageReport[]> {
  const { reports } = open(store);
  const told: UsageReport[] = [];
  for (const member of [undefined, ...MEMBERS]) told.push(sorted(await reports.read(GUILD, PERIOD, member)));
  return told;
}

/** Days and equally dear lines come in the order in which they were first met. */
function sorted(report: UsageReport): UsageReport {
  const { daily, members, models } = report;
  return {
    ...report,
    daily: daily.toSorted(byText),
    members: members.toSorted(byText),
    models: models.toSorted(byText),
  };
}

function byText(one: object, other: object): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

async function freshStoreOf(journal: Journal): Promise<Store> {
  const store = createMemoryDatabase().connect();
  await storeJournal(store, journal);
  return store;
}

async function storeFirst(store: Store, journal: Journal, count: number): Promise<void> {
  const stored = Math.min(count, journal.entries.length);
  await storeJournal(store, { entries: journal.entries.slice(0, stored), head: headAfter(journal, stored) });
}

/** A journal that is long enough, and the same in each run. */
function busyJournal(): Journal {
  const [journal] = fc
    .sample(journals, { numRuns: 100, seed: 1 })
    .toSorted((one, other) => other.entries.length - one.entries.length);
  return journal ?? assert.fail('there is no journal');
}

async function overwrite(store: Store, key: string, fields: object): Promise<void> {
  const stored = await store.read<object>(key);
  assert.ok(stored, `nothing is kept under ${key}`);
  const next = { ...stored.value, ...fields };
  assert.ok(await store.commit({ guard: { key, expected: stored.version, next }, writes: [] }));
}

function countEntries(store: Store) {
  let count = 0;
  const counting: Store = {
    ...store,
    readMany: async (keys) => {
      count += keys.filter((key) => key.startsWith('entry:')).length;
      return store.readMany(keys);
    },
  };
  return { store: counting, read: () => count };
}
