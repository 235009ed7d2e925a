import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreFailure } from '../../src/storage/store.ts';
import { spendInSeveralProcesses } from './spending.ts';
import type { Promises, SharedStoreUnderTest, StoreUnderTest } from './store-under-test.ts';
import { create, requireValue } from './store-under-test.ts';
import { values } from './store-values.ts';

/** What every store of the ledger has to do, whatever it is made of. Each promise is tried on a store of its own. */
export function describeStoreContract(name: string, createSubject: () => Promise<StoreUnderTest>): void {
  describeGroups(name, createSubject, { reading, committing, 'values and keys': values, 'several writers': writers });
}

/** The same, and what is asked of a store that several processes use besides. */
export function describeSharedStoreContract(name: string, createSubject: () => Promise<SharedStoreUnderTest>): void {
  const groups = { reading, committing, 'values and keys': values, 'several writers': writers };
  describeGroups(name, createSubject, { ...groups, 'several processes': processes });
}

function describeGroups<Subject extends StoreUnderTest>(
  name: string,
  createSubject: () => Promise<Subject>,
  groups: Readonly<Record<string, Promises<Subject>>>,
): void {
  describe(`${name} keeps the contract of a store`, () => {
    for (const [group, promises] of Object.entries(groups)) {
      describe(group, () => {
        for (const [what, check] of Object.entries(promises)) {
          it(what, async () => {
            const subject = await createSubject();
            try {
              await check(subject);
            } finally {
              await subject.dispose();
            }
          });
        }
      });
    }
  });
}

const reading: Promises = {
  async 'answers undefined for what was never written'({ connect }) {
    const store = await connect();
    assert.equal(await store.read('head'), undefined);
    assert.deepEqual(await store.readMany(['one', 'two']), [undefined, undefined]);
    assert.deepEqual(await store.readMany([]), []);
  },

  async 'reads three values together, each with the version that it has by itself'({ connect }) {
    const store = await connect();
    await create(store, 'one', { seq: 1 });
    await create(store, 'three', 'three');
    const together = await store.readTogether<unknown, unknown, unknown>(['three', 'two', 'one']);
    assert.deepEqual(together, [await store.read('three'), undefined, await store.read('one')]);
  },

  async 'reads many values in the order in which they were asked for, gaps included'({ connect }) {
    const store = await connect();
    // More than fit into one statement of any store.
    const numbers = Array.from({ length: 1_100 }, (_, number) => number);
    const writes = numbers.filter((number) => number % 7 !== 0).map((value) => ({ key: `entry:${value}`, value }));
    await store.commit({ guard: { key: 'head', expected: undefined, next: 'written' }, writes });
    const backwards = numbers.toReversed();
    assert.deepEqual(
      await store.readMany(backwards.map((number) => `entry:${number}`)),
      backwards.map((number) => (number % 7 === 0 ? undefined : number)),
    );
  },

  async 'fails loudly where a value cannot be understood'(subject) {
    const store = await subject.connect();
    await create(store, 'head', { seq: 1 });
    for (const text of ['{"value":{"seq":', 'null', '{}', '"1"', '', 'seq 1']) {
      await subject.overwrite('head', text);
      await assert.rejects(async () => store.read('head'), StoreFailure, `reading ${text}`);
      await assert.rejects(async () => store.readMany(['head']), StoreFailure, `reading many with ${text}`);
      await assert.rejects(async () => store.readTogether(['head', 'tx', 'member']), StoreFailure, `among ${text}`);
    }
  },

  async 'tells whether it can be written, also while others ask'({ connect }) {
    const stores = await Promise.all([connect(), connect(), connect()]);
    const asked = stores.flatMap((store) => [store, store, store]).map(async (store) => store.isWritable());
    assert.deepEqual(new Set(await Promise.all(asked)), new Set([true]));
    const [first] = stores;
    await first?.close();
    assert.equal(await first?.isWritable(), false);
  },
};

const committing: Promises = {
  async 'creates a value only where there is none'({ connect }) {
    const store = await connect();
    const write = { key: 'entry', value: 'first' };
    const first = { guard: { key: 'head', expected: undefined, next: 1 }, writes: [write] };
    assert.ok(await store.commit(first));
    const second = { guard: { key: 'head', expected: undefined, next: 2 }, writes: [{ ...write, value: 'second' }] };
    assert.equal(await store.commit(second), undefined);
    assert.deepEqual(await store.readMany(['head', 'entry']), [1, 'first']);
  },

  async 'changes nothing where somebody else was first'({ connect }) {
    const [mine, theirs] = await Promise.all([connect(), connect()]);
    await create(mine, 'head', { seq: 1 });
    const { version } = await requireValue(mine, 'head');
    const write = (by: string) => ({
      guard: { key: 'head', expected: version, next: { seq: 2, by } },
      writes: [{ key: 'entry:2', value: by }],
    });
    assert.ok(await theirs.commit(write('them')));
    assert.equal(await mine.commit(write('me')), undefined);
    assert.deepEqual(await mine.readMany(['head', 'entry:2']), [{ seq: 2, by: 'them' }, 'them']);
  },

  async 'does not take a value for one that is gone'({ connect }) {
    const store = await connect();
    const change = { guard: { key: 'head', expected: '{"value":1}', next: 2 }, writes: [{ key: 'entry', value: 2 }] };
    assert.equal(await store.commit(change), undefined);
    assert.deepEqual(await store.readMany(['head', 'entry']), [undefined, undefined]);
  },

  async 'writes everything, new rows and old ones'({ connect }) {
    const store = await connect();
    await create(store, 'tx', 'reserve');
    await create(store, 'head', 1);
    const { version } = await requireValue(store, 'head');
    const writes = [
      { key: 'entry', value: 'new' },
      { key: 'tx', value: 'dispatch' },
    ];
    assert.ok(await store.commit({ guard: { key: 'head', expected: version, next: 2 }, writes }));
    assert.deepEqual(await store.readMany(['head', 'entry', 'tx']), [2, 'new', 'dispatch']);
    assert.notEqual((await requireValue(store, 'head')).version, version);
  },

  async 'writes all or nothing, whichever row it fails at'(subject) {
    const store = await subject.connect();
    for (const broken of ['entry', 'tx', 'head']) {
      const [head, entry, tx] = ['head', 'entry', 'tx'].map((key) => `where ${broken} fails:${key}`);
      assert.ok(head !== undefined && entry !== undefined && tx !== undefined);
      await create(store, head, 'old');
      const { version } = await requireValue(store, head);
      const mend = await subject.failOnWriting(`where ${broken} fails:${broken}`);
      const writes = [entry, tx].map((key) => ({ key, value: 'new' }));
      const change = { guard: { key: head, expected: version, next: 'new' }, writes };
      await assert.rejects(async () => store.commit(change), StoreFailure, `failing at ${broken}`);
      const read = async (): Promise<string> => (await store.readMany([head, entry, tx])).join();
      // As long as it fails, it may also refuse to tell.
      assert.match(await read().catch(refusalToTell), /^(old,,|new,new,new|refused)$/, `while ${broken} fails`);
      await mend();
      assert.match(await read(), /^(old,,|new,new,new)$/, `after ${broken} failed`);
    }
  },

  async 'tells the version of what it has written, also of odd texts'({ connect }) {
    const store = await connect();
    let expected: string | undefined;
    for (const next of [{ seq: 1 }, ':colon', { ':': [':', null, 1.5] }, 'ü"\\\u0000', {}]) {
      const version = await store.commit({ guard: { key: 'head', expected, next }, writes: [] });
      assert.deepEqual(await store.read('head'), { value: next, version });
      expected = version;
    }
  },

  async 'keeps changes apart that are made at one moment'({ connect }) {
    const store = await connect();
    const keys = Array.from({ length: 100 }, (_, number) => `head:${number}`);
    for (const key of keys.slice(0, 50)) await create(store, key, 'taken');
    const commitAll = async (expected: string | undefined, next: string) =>
      Promise.all(
        keys.map(async (key) =>
          store.commit({ guard: { key, expected, next }, writes: [{ key: `entry of ${key}`, value: next }] }),
        ),
      );
    const versions = await commitAll(undefined, 'new');
    assert.deepEqual(
      versions.map((version) => version !== undefined),
      keys.map((_, number) => number >= 50),
    );
    assert.deepEqual(
      await store.readMany(keys.flatMap((key) => [key, `entry of ${key}`])),
      keys.flatMap((_, number) => (number < 50 ? ['taken', undefined] : ['new', 'new'])),
    );
  },

  async 'lets one through of several that replace the same value at one moment'({ connect }) {
    const store = await connect();
    await create(store, 'head', 0);
    const { version: expected } = await requireValue(store, 'head');
    const numbers = [1, 2, 3, 4, 5];
    const versions = await Promise.all(
      numbers.map(async (next) =>
        store.commit({ guard: { key: 'head', expected, next }, writes: [{ key: 'entry', value: next }] }),
      ),
    );
    const winners = numbers.filter((_, place) => versions[place] !== undefined);
    assert.equal(winners.length, 1);
    assert.deepEqual(await store.readMany(['head', 'entry']), [winners[0], winners[0]]);
  },

  async 'removes what it is told to, and nothing else'({ connect }) {
    const store = await connect();
    for (const key of ['one', 'two', 'three']) await create(store, key, key);
    await store.remove(['one', 'three', 'never there']);
    assert.deepEqual(await store.readMany(['one', 'two', 'three']), [undefined, 'two', undefined]);
    await create(store, 'one', 'again');
    assert.deepEqual(await store.readMany(['one']), ['again']);
  },

  async 'keeps what it reported, for whoever comes later'({ connect }) {
    const store = await connect();
    await create(store, 'head', { seq: 7 });
    await store.close();
    assert.deepEqual((await requireValue(await connect(), 'head')).value, { seq: 7 });
  },

  async 'fails loudly when it is closed'({ connect }) {
    const store = await connect();
    await store.close();
    await assert.rejects(async () => store.read('head'), StoreFailure);
    await assert.rejects(async () => store.readMany(['head']), StoreFailure);
    await assert.rejects(async () => store.readTogether(['head', 'tx', 'member']), StoreFailure);
    await assert.rejects(async () => create(store, 'head', 1), StoreFailure);
    await assert.rejects(async () => store.remove(['head']), StoreFailure);
    await store.close();
  },
};

function refusalToTell(error: unknown): string {
  assert.ok(error instanceof StoreFailure);
  return 'refused';
}

const writers: Promises = {
  async 'loses no update of several connections'({ connect }) {
    const stores = await Promise.all([connect(), connect(), connect(), connect()]);
    const updatesPerWriter = 10;
    await Promise.all(
      stores.map(async (store, writer) => {
        for (let written = 0; written < updatesPerWriter;) {
          const head = await store.read<number>('head');
          const next = (head?.value ?? 0) + 1;
          const writes = [{ key: `entry:${next}`, value: writer }];
          if (await store.commit({ guard: { key: 'head', expected: head?.version, next }, writes })) written += 1;
        }
      }),
    );
    const [store] = stores;
    assert.ok(store);
    const updates = stores.length * updatesPerWriter;
    assert.equal((await requireValue(store, 'head')).value, updates);
    const authors = await store.readMany<number>(Array.from({ length: updates }, (_, index) => `entry:${index + 1}`));
    const updatesByWriter = Map.groupBy(authors, (writer) => writer);
    stores.forEach((_, writer) => assert.equal(updatesByWriter.get(writer)?.length, updatesPerWriter));
  },
};

const processes: Promises<SharedStoreUnderTest> = {
  'holds one budget against several that are all asked the same': spendInSeveralProcesses,
};
