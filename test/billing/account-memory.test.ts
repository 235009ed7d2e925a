import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RememberedAccount } from '../../src/billing/account-memory.ts';
import { createAccountMemory } from '../../src/billing/account-memory.ts';
import { emptyHead } from '../../src/billing/guild-account.ts';
import type { Ledger } from '../../src/billing/ledger.ts';
import { createLedger } from '../../src/billing/ledger.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { chargeOf, details, granted } from './account-fixture.ts';
import type { MemoryDatabase } from './memory-store.ts';
import { createMemoryDatabase } from './memory-store.ts';

const GUILD = 'guild';
const PERIOD = '202611';
const FIRST_ID = BigInt(Date.UTC(2026, 10, 15) - Date.UTC(2015, 0, 1)) << 22n;
const LATER = 1_000;
const ref = (number: number) => ({ guild: GUILD, transfer: (FIRST_ID + BigInt(number)).toString() });

/** A ledger of a process of its own, which counts how often it asks the store. */
function openLedger(database: MemoryDatabase, changes: Partial<Store> = {}) {
  const store = { ...database.connect(), ...changes };
  const asked = { reads: 0, commits: 0 };
  const ledger = createLedger({
    store: {
      ...store,
      async read(key) {
        asked.reads += 1;
        return store.read(key);
      },
      async readTogether(keys) {
        asked.reads += 1;
        return store.readTogether(keys);
      },
      async commit(change) {
        asked.commits += 1;
        return store.commit(change);
      },
    },
    now: () => 0,
    random: () => 0,
    sleep: async () => undefined,
  });
  return { ledger, asked };
}

async function reserve(ledger: Ledger, number: number, { limit = LATER, member = details.member } = {}) {
  const order = { amount: 100, limit, expiresAt: LATER, details: { ...details, member } };
  return ledger.reserve(ref(number), order);
}

describe('what a process remembers of an account', () => {
  it('spares a request all reading after its reservation', async () => {
    const { ledger, asked } = openLedger(createMemoryDatabase());
    // The first entry of a month is preceded by a look into the index.
    granted(await reserve(ledger, 1));
    for (const number of [2, 3]) {
      asked.reads = 0;
      granted(await reserve(ledger, number));
      assert.equal(asked.reads, 1);
    }
    asked.reads = 0;
    for (const number of [3, 1]) granted(await ledger.dispatch(ref(number), LATER));
    granted(await ledger.post(ref(1), chargeOf(70), details));
    granted(await ledger.void(ref(3), 'moderation'));
    assert.equal(asked.reads, 0);
    const { seq, settled, held } = await ledger.head(GUILD, PERIOD);
    assert.deepEqual({ seq, settled, held }, { seq: 7, settled: 70, held: 100 });
    const member = await ledger.member(GUILD, PERIOD, details.member);
    assert.deepEqual([member.settled, member.held, member.imagesByDay], [70, 100, { '20261115': 2 }]);
  });

  it('grants nothing that another process has changed in the meantime', async () => {
    const database = createMemoryDatabase();
    const [mine, theirs] = [openLedger(database), openLedger(database)];
    granted(await reserve(mine.ledger, 1));
    granted(await theirs.ledger.dispatch(ref(1), LATER));
    mine.asked.commits = 0;
    const again = await mine.ledger.dispatch(ref(1), LATER);
    assert.equal(again.refused, 'out-of-order');
    assert.equal(mine.asked.commits, 1, 'it tried on what it remembered');
    assert.equal((await mine.ledger.head(GUILD, PERIOD)).counts.dispatch, 1);
  });

  it('refuses nothing that another process has made possible in the meantime', async () => {
    const database = createMemoryDatabase();
    const [mine, theirs] = [openLedger(database).ledger, openLedger(database).ledger];
    granted(await reserve(mine, 1));
    granted(await theirs.dispatch(ref(1), LATER));
    // As it remembers the request, it has not gone out, and could not be charged.
    granted(await mine.post(ref(1), chargeOf(70), details));
    assert.equal((await theirs.head(GUILD, PERIOD)).settled, 70);
  });

  it('does not hold for one request what was read for another', async () => {
    const database = createMemoryDatabase();
    const [mine, theirs] = [openLedger(database).ledger, openLedger(database).ledger];
    granted(await reserve(mine, 1));
    granted(await theirs.dispatch(ref(1), LATER));
    granted(await reserve(mine, 2));
    assert.equal((await mine.dispatch(ref(1), LATER)).refused, 'out-of-order');
    granted(await mine.dispatch(ref(2), LATER));
  });

  it('counts against a budget what another process has held', async () => {
    const database = createMemoryDatabase();
    const [mine, theirs] = [openLedger(database).ledger, openLedger(database).ledger];
    granted(await reserve(mine, 1, { limit: 250 }));
    granted(await reserve(theirs, 2, { limit: 250 }));
    assert.deepEqual(await reserve(mine, 3, { limit: 250 }), { refused: 'over-budget', remaining: 50 });
    granted(await theirs.void(ref(2), 'moderation'));
    granted(await reserve(mine, 3, { limit: 250 }));
  });

  it("keeps each member's part, also where others come in between", async () => {
    const database = createMemoryDatabase();
    const { ledger, asked } = openLedger(database);
    const members = ['mira', 'ada', 'mira'];
    for (const [number, member] of members.entries()) granted(await reserve(ledger, number, { member }));
    asked.reads = 0;
    for (const number of members.keys()) granted(await ledger.dispatch(ref(number), LATER));
    for (const number of [0, 1]) granted(await ledger.post(ref(number), chargeOf(10 + number), details));
    assert.equal(asked.reads, 0);
    const fresh = openLedger(database).ledger;
    const settledAndHeld = async (member: string) => {
      const { settled, held } = await fresh.member(GUILD, PERIOD, member);
      return [settled, held];
    };
    assert.deepEqual(
      [await settledAndHeld('mira'), await settledAndHeld('ada')],
      [
        [10, 100],
        [11, 0],
      ],
    );
  });

  it('is forgotten when nobody can tell whether a commit got through', async () => {
    for (const isMade of [true, false]) {
      const database = createMemoryDatabase();
      const store = database.connect();
      let isFailing = false;
      const { ledger, asked } = openLedger(database, {
        async commit(change) {
          if (!isFailing || isMade) await store.commit(change);
          if (isFailing) throw new StoreFailure('the connection is gone');
          return (await store.read(change.guard.key))?.version;
        },
      });
      granted(await reserve(ledger, 1));
      isFailing = true;
      await assert.rejects(async () => ledger.dispatch(ref(1), LATER), StoreFailure);
      isFailing = false;
      asked.reads = 0;
      const again = await ledger.dispatch(ref(1), LATER);
      assert.equal(again.refused, isMade ? 'out-of-order' : undefined);
      assert.ok(asked.reads > 0);
    }
  });
});

describe('the memory', () => {
  it('gives an account out once, until it is kept again', () => {
    const memory = createAccountMemory();
    memory.keep('head', account('one', 1));
    assert.equal(memory.take('head')?.head.version, 'one');
    assert.equal(memory.take('head'), undefined);
  });

  it('holds nothing of an account in which nothing is in flight', () => {
    const memory = createAccountMemory();
    memory.keep('head', account('one', 0));
    assert.equal(memory.take('head'), undefined);
  });

  it('forgets whoever was out of use the longest', () => {
    const memory = createAccountMemory();
    for (let number = 0; number < 256; number += 1) memory.keep(String(number), account('one', 1));
    memory.keep('0', memory.take('0') ?? assert.fail());
    memory.keep('another', account('one', 1));
    assert.equal(memory.take('1'), undefined);
    assert.ok(memory.take('0') && memory.take('2') && memory.take('another'));
  });
});

function account(version: string, transfers: number): RememberedAccount {
  const transfer = { period: PERIOD, seq: 1, type: 'reserve', amount: 1, member: 'mira', images: 1 } as const;
  return {
    head: { value: emptyHead(), version },
    transfers: new Map(Array.from({ length: transfers }, (_, number) => [String(number), transfer])),
    members: new Map(),
  };
}
