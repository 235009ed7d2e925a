import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyvPostgres } from '@keyv/postgres';
import * as z from 'zod';
import type { Books } from '../audit.ts';
import { sortBooks } from '../audit.ts';
import { POSTGRES_URL } from './servers.ts';

/** A database that only one test file uses. */
export type PostgresDatabase = {
  readonly url: string;
  readonly query: (sql: string, values?: readonly unknown[]) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly readBooks: (namespace: string) => Promise<Books>;
  readonly drop: () => Promise<void>;
};

const rowsSchema = z.array(z.record(z.string(), z.unknown()));

/** Makes a database on the tests' server. The adapter is the way in, and makes a schema of its own for that. */
export async function createPostgresDatabase(): Promise<PostgresDatabase> {
  const name = `easel_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(POSTGRES_URL);
  url.pathname = `/${name}`;
  const server = new KeyvPostgres({ uri: POSTGRES_URL, schema: name, application_name: name });
  await server['query'](`CREATE DATABASE ${name}`);
  const database = new KeyvPostgres({ uri: url.href });
  const query: PostgresDatabase['query'] = async (sql, values = []) =>
    rowsSchema.parse(await database['query'](sql, values));
  return {
    url: url.href,
    query,
    async readBooks(namespace) {
      const rows = await query('SELECT key, value FROM keyv WHERE namespace = $1 ORDER BY key', [namespace]);
      return sortBooks(rows.map((row) => [String(row['key']), String(row['value'])]));
    },
    async drop() {
      await database.disconnect();
      await untilDropped(async () => server['query'](`DROP DATABASE ${name}`));
      await server['query'](`DROP SCHEMA ${name} CASCADE`);
      await server.disconnect();
    },
  };
}

const DROP_ATTEMPTS_MAX = 100;
const DROP_PAUSE_MS = 50;

/** A connection that was closed a moment ago still counts as one, for a moment. */
async function untilDropped(drop: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await drop();
      return;
    } catch (error) {
      if (attempt === DROP_ATTEMPTS_MAX) throw error;
      await sleep(DROP_PAUSE_MS);
    }
  }
}
