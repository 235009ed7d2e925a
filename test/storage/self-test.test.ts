import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testStore } from '../../src/storage/self-test.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';

/** Ways in which a store can say one thing and do another. Each is given an honest one, and spoils it. */
const lies: Readonly<Record<string, (honest: Store) => Partial<Store>>> = {
  'forgets what it was given': () => ({ commit: async () => 'a version' }),
  'writes nothing but the guard': (honest) => ({ commit: async ({ guard }) => honest.commit({ guard, writes: [] }) }),
  'does not compare'(honest) {
    return {
      async commit({ guard, writes }) {
        const expected = (await honest.read(guard.key))?.version;
        return honest.commit({ guard: { ...guard, expected }, writes });
      },
    };
  },
  'says that it lost a race that it won'(honest) {
    return {
      async commit(change) {
        await honest.commit(change);
        return undefined;
      },
    };
  },
  'never replaces anything'(honest) {
    return { commit: async (change) => (change.guard.expected === undefined ? honest.commit(change) : undefined) };
  },
  'writes in spite of a lost race'(honest) {
    return {
      async commit({ guard, writes }) {
        const written = await honest.commit({ guard, writes });
        if (written !== undefined) return written;
        const version = (await honest.read(guard.key))?.version;
        await honest.commit({ guard: { ...guard, expected: version }, writes });
        return undefined;
      },
    };
  },
  'tells of a version that nobody can read': (honest) => ({
    commit: async (change) => ((await honest.commit(change)) === undefined ? undefined : 'another version'),
  }),
  'reads something else together': (honest) => ({
    readTogether: async () => honest.readTogether(['one', 'two', 'three']),
  }),
  'does not remove': () => ({ remove: async () => undefined }),
  'reads where it did not write'() {
    const elsewhere = createMemoryDatabase().connect();
    return { readMany: async (keys) => elsewhere.readMany(keys) };
  },
};

describe('testStore', () => {
  it('trusts a store that keeps its word, and leaves nothing behind', async () => {
    const database = createMemoryDatabase();
    await testStore(database.connect(), 'one');
    await testStore(database.connect(), 'two');
    assert.deepEqual(database.rows(), []);
  });

  for (const [lie, spoil] of Object.entries(lies)) {
    it(`finds out a store that ${lie}`, async () => {
      const honest = createMemoryDatabase().connect();
      const liar = { ...honest, ...spoil(honest) };
      await assert.rejects(
        async () => testStore(liar, 'one'),
        (error) =>
          error instanceof StoreFailure && /STORE_URL.*cannot be trusted.*choose another store/.test(error.message),
      );
    });
  }
});
