import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KeyvPostgres } from '@keyv/postgres';
import { Keyv } from 'keyv';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import type { PostgresDatabase } from '../contracts/postgres-database.ts';
import { createPostgresDatabase } from '../contracts/postgres-database.ts';
import { POSTGRES_URL, whyMissing } from '../contracts/servers.ts';
import type { SharedStoreUnderTest } from '../contracts/store-under-test.ts';
import { describeSharedStoreContract } from '../contracts/store-contract.ts';
import { describeOutages } from './outages.ts';
import { collectLog } from './store-log.ts';

// Most of the time is spent on waiting.
describe('PostgreSQL', { skip: (await whyMissing(POSTGRES_URL)) ?? false, concurrency: true }, () => {
  let database: PostgresDatabase;
  let subjects = 0;
  before(async () => {
    database = await createPostgresDatabase();
  });
  after(async () => database.drop());

  describeSharedStoreContract('PostgreSQL', async () => {
    subjects += 1;
    return createSubject(database, `subject ${subjects}`);
  });

  describeOutages('PostgreSQL', () => ({ url: database.url, namespace: 'outage' }));

  it('can be opened by many at once where there is no table yet', async () =>
    withFreshDatabase(async ({ url, query }) => {
      await query('DROP TABLE keyv');
      const stores = await Promise.all(Array.from({ length: 8 }, async () => openStore(url, 'ledger')));
      await Promise.all(stores.map(async (store) => store.close()));
    }));

  it('says what weakens it', async () =>
    withFreshDatabase(async ({ url, query }) => {
      const open = async (): Promise<readonly string[]> => {
        const { log, lines } = collectLog();
        const store = await openStore(url, 'ledger', { log });
        await store.close();
        return lines;
      };
      assert.deepEqual(await open(), []);
      const [settings] = await query('SELECT current_database() AS name');
      await query(`ALTER DATABASE ${String(settings?.['name'])} SET synchronous_commit = off`);
      await query('ALTER TABLE keyv SET UNLOGGED');
      const [first, second, ...more] = await open();
      assert.match(first ?? '', /synchronous_commit = off.*set it to on/);
      assert.match(second ?? '', /unlogged.*SET LOGGED/);
      assert.deepEqual(more, []);
    }));

  it('is refused where it only reads', async () => {
    const readOnly = new URL(database.url);
    readOnly.searchParams.set('options', '-c default_transaction_read_only=on');
    await assert.rejects(async () => openStore(readOnly.href, 'ledger'), StoreFailure);
  });
});

async function withFreshDatabase(use: (database: PostgresDatabase) => Promise<void>): Promise<void> {
  const database = await createPostgresDatabase();
  try {
    await use(database);
  } finally {
    await database.drop();
  }
}

async function createSubject(database: PostgresDatabase, namespace: string): Promise<SharedStoreUnderTest> {
  const opened: Store[] = [];
  const readers: KeyvPostgres[] = [];
  return {
    url: database.url,
    namespace,
    async connect(name = namespace) {
      const store = await openStore(database.url, name);
      opened.push(store);
      return store;
    },
    plainKeyv() {
      // Options of its own, because adapters with the same ones share their connections.
      const reader = new KeyvPostgres({ uri: database.url, application_name: namespace });
      readers.push(reader);
      return new Keyv({ store: reader, namespace });
    },
    async overwrite(key, text) {
      const sql = 'UPDATE keyv SET value = $1 WHERE key = $2 AND namespace = $3 RETURNING key';
      assert.equal((await database.query(sql, [text, key, namespace])).length, 1);
    },
    async failOnWriting(key) {
      await database.query(
        `CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
         AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$`,
      );
      await database.query(
        `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON keyv FOR EACH ROW
         WHEN (NEW.key = '${key}' AND NEW.namespace = '${namespace}') EXECUTE FUNCTION refuse()`,
      );
      return async () => void (await database.query('DROP TRIGGER refuse ON keyv'));
    },
    readBooks: async () => database.readBooks(namespace),
    async dispose() {
      await Promise.all(opened.map(async (store) => store.close().catch(() => undefined)));
      await Promise.all(readers.map(async (reader) => reader.disconnect()));
    },
  };
}
