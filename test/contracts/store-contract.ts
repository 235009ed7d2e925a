import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Keyv } from 'keyv';
import type { Store, Versioned } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import type { Books } from '../audit.ts';
import { spendInSeveralProcesses } from './spending.ts';

/** One fresh store of the kind that is held to the contract, and what lies behind its back. */
export type StoreUnderTest = {
  /** By which any process can open it. */
  readonly url: string;
  /** Opens one more connection, which is closed in the end. */
  readonly connect: (namespace?: string) => Promise<Store>;
  /** A Keyv as somebody would open it who only wants to read. */
  readonly plainKeyv: () => Keyv;
  /** Puts another text under a key. */
  readonly overwrite: (key: string, text: string) => Promise<void>;
  /** From now on the store fails when it comes to writing this key. */
  readonly failOnWriting: (key: string) => Promise<void>;
  readonly readBooks: () => Books;
  readonly dispose: () => Promise<void>;
};

type Check = (subject: StoreUnderTest) => Promise<void>;
type Promises = Readonly<Record<string, Check>>;

/** What every store of the ledger has to do, whatever it is made of. Each promise is tried on a store of its own. */
export function describeStoreContract(name: string, createSubject: () => Promise<StoreUnderTest>): void {
  const groups = { reading, committing, 'values and keys': values, 'several writers': writers };
  describe(`${name} keeps the contract of a store`, () => {
    for (const [group, promises] of Object.entries(groups)) {
      describe(group, () => {
        for (const [what, check] of Object.entries<Check>(promises)) {
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

/** Puts a first value under a key. */
async function create(store: Store, key: string, value: unknown): Promise<void> {
  assert.equal(await store.commit({ guard: { key, expected: undefined, next: value }, writes: [] }), true);
}

async function requireValue(store: Store, key: string): Promise<Versioned<unknown>> {
  const versioned = await store.read<unknown>(key);
  assert.ok(versioned, `${key} is not there`);
  return versioned;
}

const reading: Promises = {
  async 'answers undefined for what was never written'({ connect }) {
    const store = await connect();
    assert.equal(await store.read('head'), undefined);
    assert.deepEqual(await store.readMany(['one', 'two']), [undefined, undefined]);
    assert.deepEqual(await store.readMany([]), []);
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
    assert.equal(await store.commit(first), true);
    const second = { guard: { key: 'head', expected: undefined, next: 2 }, writes: [{ ...write, value: 'second' }] };
    assert.equal(await store.commit(second), false);
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
    assert.equal(await theirs.commit(write('them')), true);
    assert.equal(await mine.commit(write('me')), false);
    assert.deepEqual(await mine.readMany(['head', 'entry:2']), [{ seq: 2, by: 'them' }, 'them']);
  },

  async 'does not take a value for one that is gone'({ connect }) {
    const store = await connect();
    const change = { guard: { key: 'head', expected: '{"value":1}', next: 2 }, writes: [{ key: 'entry', value: 2 }] };
    assert.equal(await store.commit(change), false);
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
    assert.equal(await store.commit({ guard: { key: 'head', expected: version, next: 2 }, writes }), true);
    assert.deepEqual(await store.readMany(['head', 'entry', 'tx']), [2, 'new', 'dispatch']);
    assert.notEqual((await requireValue(store, 'head')).version, version);
  },

  async 'writes all or nothing, whichever row it fails at'(subject) {
    const store = await subject.connect();
    await create(store, 'head', 1);
    const { version } = await requireValue(store, 'head');
    for (const broken of ['entry', 'tx', 'head']) {
      await subject.failOnWriting(broken);
      const writes = ['entry', 'tx'].map((key) => ({ key, value: broken }));
      const change = { guard: { key: 'head', expected: version, next: 2 }, writes };
      await assert.rejects(async () => store.commit(change), StoreFailure, `failing at ${broken}`);
      assert.deepEqual(await store.readMany(['head', 'entry', 'tx']), [1, undefined, undefined], `after ${broken}`);
    }
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
    await assert.rejects(async () => create(store, 'head', 1), StoreFailure);
  },
};

/** Everything that a provider's usage object can hold; whatever JSON does not have is not among it. */
const jsonValues = fc.jsonValue({ stringUnit: 'binary' }).map((value): unknown => JSON.parse(JSON.stringify(value)));

const values: Promises = {
  async 'gives back every value as it was'({ connect }) {
    const store = await connect();
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(jsonValues, { minLength: 10, maxLength: 10 }), async (written) => {
        round += 1;
        const writes = written.map((value, index) => ({ key: `${round}:${index}`, value: [value] }));
        await store.commit({ guard: { key: `${round}`, expected: undefined, next: 0 }, writes });
        assert.deepEqual(
          await store.readMany(writes.map(({ key }) => key)),
          written.map((value) => [value]),
        );
      }),
      { numRuns: 30 },
    );
  },

  async 'gives back fields with odd names, and texts that look like its own marks'({ connect }) {
    const store = await connect();
    const usage: unknown = JSON.parse(
      '{"10":1,"9":2,"01":3,"":4,"__proto__":{"a":5},"constructor":6,"text":":base64:AAAA","colon":":","nul":"\\u0000"}',
    );
    await create(store, 'entry', usage);
    const { value } = await requireValue(store, 'entry');
    assert.deepEqual(value, usage);
    assert.equal(JSON.stringify(value), JSON.stringify(usage), 'a hash over the value is still the same');
  },

  async 'keeps a value of several megabytes'({ connect }) {
    const store = await connect();
    const large = { text: 'ü"\\\n'.repeat(1_000_000) };
    await create(store, 'large', large);
    assert.deepEqual((await requireValue(store, 'large')).value, large);
  },

  async 'tells keys apart, whatever they are made of'({ connect }) {
    const store = await connect();
    const keys = [
      'a_b',
      'a%b',
      'aXb',
      'a_',
      '%',
      '_',
      "a'b",
      'a"b',
      'a\\b',
      'ab ',
      'ab',
      'AB',
      'ä',
      'a:b',
      '{a}:b',
      '?1',
    ];
    for (const key of keys) await create(store, key, `the value of ${key}`);
    const { version } = await requireValue(store, 'a_b');
    assert.equal(await store.commit({ guard: { key: 'a_b', expected: version, next: 'changed' }, writes: [] }), true);
    assert.deepEqual(
      await store.readMany(keys),
      keys.map((key) => (key === 'a_b' ? 'changed' : `the value of ${key}`)),
    );
  },

  async 'keeps namespaces apart'({ connect }) {
    const [ledger, other] = await Promise.all([connect('ledger'), connect('other')]);
    await create(ledger, 'head', 'of the ledger');
    assert.equal(await other.read('head'), undefined);
    await create(other, 'head', 'of the other');
    assert.equal((await requireValue(ledger, 'head')).value, 'of the ledger');
  },

  async 'can be read by any Keyv'({ connect, plainKeyv }) {
    const store = await connect();
    const head = { seq: 1, usage: { text: ':colon', nested: [null, 1.5] } };
    const writes = [{ key: 'entry:{guild}:202611:00000001', value: ['an entry'] }];
    await store.commit({ guard: { key: 'head:{guild}:202611', expected: undefined, next: head }, writes });
    const keyv = plainKeyv();
    assert.deepEqual(await keyv.get('head:{guild}:202611'), head);
    assert.deepEqual(await keyv.get('entry:{guild}:202611:00000001'), ['an entry']);
  },
};

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

  'holds one budget against several processes that are all asked the same': spendInSeveralProcesses,
};
