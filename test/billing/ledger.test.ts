import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Applied, Entry, Refusal } from '../../src/billing/guild-account.ts';
import type { Ledger } from '../../src/billing/ledger.ts';
import { createLedger } from '../../src/billing/ledger.ts';
import type { Store } from '../../src/storage/store.ts';
import { transferKey } from '../../src/billing/ledger-keys.ts';
import { StoreFailure, UnreadableValue } from '../../src/storage/store.ts';
import { chargeOf, details } from './account-fixture.ts';
import { createFailingStore } from './failing-store.ts';
import type { MemoryDatabase } from './memory-store.ts';
import { createMemoryDatabase } from './memory-store.ts';

const GUILD = 'guild';
const LIMIT = 1_000;
const LAST_SECOND_OF_NOVEMBER = Date.UTC(2026, 10, 30, 23, 59, 59);

/** An interaction's id at a moment, told apart from others of that moment by a number. */
function snowflake(at: number, number = 0): string {
  return ((BigInt(at - Date.UTC(2015, 0, 1)) << 22n) | BigInt(number)).toString();
}

function openLedger(database: MemoryDatabase = createMemoryDatabase(), changes: Partial<Store> = {}) {
  const clock = { now: LAST_SECOND_OF_NOVEMBER };
  const ledger = createLedger({
    store: { ...database.connect(), ...changes },
    now: () => clock.now,
    random: () => 0,
    sleep: async () => undefined,
  });
  return { ledger, clock, database };
}

const ref = (number: number) => ({ guild: GUILD, transfer: snowflake(LAST_SECOND_OF_NOVEMBER, number) });

async function failing(): Promise<never> {
  throw new StoreFailure('the store failed to answer');
}

async function reserve(ledger: Ledger, number: number, expiresAt: number): Promise<Applied | Refusal> {
  return ledger.reserve(ref(number), { amount: 100, limit: LIMIT, expiresAt, details });
}

async function readPages(ledger: Ledger): Promise<(readonly Entry[])[]> {
  const pages: (readonly Entry[])[] = [];
  for await (const page of ledger.entries(GUILD, '202611')) pages.push(page);
  return pages;
}

describe('the month of a request', () => {
  it('is that of its interaction, whatever the clock says when it is settled', async () => {
    const { ledger, clock } = openLedger();
    await reserve(ledger, 1, clock.now + 60_000);
    clock.now += 30_000;
    await ledger.dispatch(ref(1), clock.now + 60_000);
    await ledger.post(ref(1), chargeOf(70), details);
    assert.equal((await ledger.head(GUILD, '202611')).settled, 70);
    assert.equal((await ledger.head(GUILD, '202612')).seq, 0);
    assert.deepEqual([await ledger.guilds('202611'), await ledger.guilds('202612')], [[GUILD], []]);
  });
});

describe("a member's limits", () => {
  it('hold among processes that reserve at the same moment', async () => {
    const database = createMemoryDatabase();
    const ledgers = [openLedger(database).ledger, openLedger(database).ledger, openLedger(database).ledger];
    const memberLimits = { nanoUsdPerMonth: 250 };
    const order = { amount: 100, limit: LIMIT, memberLimits, expiresAt: Infinity, details };
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, async (_, number) => ledgers[number % ledgers.length]?.reserve(ref(number), order)),
    );
    const refusals = outcomes.filter((outcome) => outcome?.refused !== undefined);
    assert.equal(refusals.length, 10);
    for (const refusal of refusals) assert.deepEqual(refusal, { refused: 'over-member-budget', remaining: 50 });
    const [ledger] = ledgers;
    const { held, imagesByDay } = (await ledger?.member(GUILD, '202611', details.member)) ?? assert.fail();
    assert.deepEqual({ held, imagesByDay }, { held: 200, imagesByDay: { '20261130': 2 } });
  });

  it("count a request in its interaction's day and month, also what is freed after midnight", async () => {
    const { ledger, clock } = openLedger();
    await reserve(ledger, 1, clock.now + 60_000);
    await reserve(ledger, 2, clock.now + 60_000);
    clock.now += 30_000;
    await ledger.void(ref(1), 'moderation');
    const november = await ledger.member(GUILD, '202611', details.member);
    assert.deepEqual([november.held, november.imagesByDay], [100, { '20261130': 1 }]);
    assert.deepEqual((await ledger.member(GUILD, '202612', details.member)).imagesByDay, {});
  });
});

describe('the journal', () => {
  it('is read in order, page by page', async () => {
    const { ledger, clock } = openLedger();
    const requests = 301;
    for (let number = 0; number < requests; number += 1) {
      await reserve(ledger, number, clock.now + 1);
      await ledger.void(ref(number), 'moderation');
    }
    const pages = await readPages(ledger);
    assert.ok(pages.length > 1);
    assert.deepEqual(
      pages.flat().map(({ seq, type }) => ({ seq, type })),
      Array.from({ length: 2 * requests }, (_, index) => ({ seq: index + 1, type: index % 2 ? 'void' : 'reserve' })),
    );
  });

  it('is not read over a gap', async () => {
    const database = createMemoryDatabase();
    const store = database.connect();
    const { ledger, clock } = openLedger(database, {
      async readMany<Value>(keys: readonly string[]) {
        return (await store.readMany<Value>(keys)).map((value, index) =>
          keys[index]?.endsWith('2') ? undefined : value,
        );
      },
    });
    await reserve(ledger, 1, clock.now + 1);
    await ledger.dispatch(ref(1), clock.now + 1);
    await assert.rejects(async () => readPages(ledger), StoreFailure);
  });
});

describe('expireHolds', () => {
  it('frees what never went out, and takes what did for unknown', async () => {
    const { ledger, clock } = openLedger();
    await reserve(ledger, 1, clock.now + 10);
    await reserve(ledger, 2, clock.now + 10);
    await ledger.dispatch(ref(2), clock.now + 10);
    await reserve(ledger, 3, clock.now + 11);
    clock.now += 10;
    assert.equal(await ledger.expireHolds(GUILD, '202611'), 2);
    assert.equal((await ledger.transfer(ref(1)))?.type, 'void');
    assert.equal((await ledger.transfer(ref(2)))?.type, 'unknown');
    assert.equal((await ledger.transfer(ref(3)))?.type, 'reserve');
    const { held, exposure } = await ledger.head(GUILD, '202611');
    assert.deepEqual({ held, exposure }, { held: 100, exposure: 100 });
    assert.equal(await ledger.expireHolds(GUILD, '202611'), 0);
  });

  it('ends what it can where one of them cannot be read, and says so then', async () => {
    const store = createFailingStore();
    const before = openLedger(undefined, store);
    const expiresAt = before.clock.now + 10;
    for (const number of [1, 2, 3]) await reserve(before.ledger, number, expiresAt);
    store.spoil(transferKey(GUILD, ref(2).transfer));
    const { ledger, clock } = openLedger(undefined, store);
    clock.now = expiresAt;
    await assert.rejects(async () => ledger.expireHolds(GUILD, '202611'), UnreadableValue);
    assert.equal((await ledger.transfer(ref(1)))?.type, 'void');
    assert.equal((await ledger.transfer(ref(3)))?.type, 'void');
    assert.deepEqual(Object.keys((await ledger.head(GUILD, '202611')).open), [ref(2).transfer]);
  });
});

describe('a store that is not at its best', () => {
  it('is tried again after a lost race, from what is there now', async () => {
    const database = createMemoryDatabase();
    const other = openLedger(database).ledger;
    const store = database.connect();
    let races = 0;
    const { ledger, clock } = openLedger(database, {
      async commit(change) {
        races += 1;
        // Somebody else is always a little faster, three times.
        if (races <= 3) await reserve(other, 100 + races, clock.now + 1);
        return store.commit(change);
      },
    });
    await reserve(ledger, 1, clock.now + 1);
    assert.equal((await ledger.transfer(ref(1)))?.seq, 4);
    assert.equal((await ledger.head(GUILD, '202611')).held, 400);
  });

  it('is given up when somebody else is always faster', async () => {
    const { ledger, clock } = openLedger(createMemoryDatabase(), { commit: async () => undefined });
    await assert.rejects(async () => reserve(ledger, 1, clock.now + 1), StoreFailure);
  });

  it('grants nothing when it cannot be read or written', async () => {
    for (const changes of [{ read: failing, readTogether: failing }, { commit: failing }]) {
      const database = createMemoryDatabase();
      const { ledger: sound, clock } = openLedger(database);
      await reserve(sound, 1, clock.now + 1);
      const before = await sound.head(GUILD, '202611');
      const { ledger: failed } = openLedger(database, changes);
      await assert.rejects(async () => reserve(failed, 2, clock.now + 1), StoreFailure);
      await assert.rejects(async () => failed.dispatch(ref(1), clock.now + 1), StoreFailure);
      assert.deepEqual(await sound.head(GUILD, '202611'), before);
    }
  });
});

describe('a request that comes to be while another process looks for it', () => {
  it("is settled in its own member's part", async () => {
    const other = openLedger();
    const far = other.clock.now + 60_000;
    const store = other.database.connect();
    let looks = 0;
    const { ledger } = openLedger(other.database, {
      async read(key) {
        const found = await store.read<never>(key);
        if ((looks += 1) > 1) return found;
        await reserve(other.ledger, 1, far);
        await other.ledger.dispatch(ref(1), far);
        await other.ledger.unknown(ref(1), { reason: 'timeout' });
        return found;
      },
    });
    const released = await ledger.release(ref(1), { reason: 'nothing was made', by: 'admin' });
    assert.equal(released.refused, undefined);
    const { exposure, held, imagesByDay } = await ledger.member(GUILD, '202611', details.member);
    assert.deepEqual({ exposure, held, images: Object.values(imagesByDay) }, { exposure: 0, held: 0, images: [0] });
  });
});
