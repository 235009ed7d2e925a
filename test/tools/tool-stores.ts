import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { createPostgresDatabase } from '../contracts/postgres-database.ts';
import { POSTGRES_URL, REDIS_URL, whyMissing } from '../contracts/servers.ts';
import { makeDirectory, openLedgerOnStage } from './ledger-fixture.ts';

/** A kind of store on which an operator's tools have to work. */
export type StoreOfTools = {
  readonly name: string;
  /** Why it cannot be tried on this machine. */
  readonly skip: string | false;
  /** Opens one of its own for a test, of which nothing is left. */
  readonly open: (test: TestContext) => Promise<Store>;
};

/** Every kind of store that there is. */
export const stores: readonly StoreOfTools[] = [
  { name: 'memory', skip: false, open: async () => createMemoryDatabase().connect() },
  {
    name: 'SQLite',
    skip: false,
    open: async (test) => (await openLedgerOnStage(test, await makeDirectory(test))).store,
  },
  { name: 'PostgreSQL', skip: (await whyMissing(POSTGRES_URL)) ?? false, open: openOnPostgres },
  { name: 'Redis', skip: (await whyMissing(REDIS_URL)) ?? false, open: openOnRedis },
];

async function openOnPostgres(test: TestContext): Promise<Store> {
  const database = await createPostgresDatabase();
  const store = await openStore(database.url, 'ledger');
  test.after(async () => {
    await store.close();
    await database.drop();
  });
  return store;
}

async function openOnRedis(test: TestContext): Promise<Store> {
  const store = await openStore(REDIS_URL, `easel-test-${randomBytes(6).toString('hex')}`);
  const written = new Set<string>();
  test.after(async () => {
    await store.remove([...written]);
    await store.close();
  });
  return {
    ...store,
    async commit(change) {
      [change.guard, ...change.writes].forEach(({ key }) => written.add(key));
      return store.commit(change);
    },
  };
}
