import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyvSqlite } from '@keyv/sqlite';
import type { AtomicChange, Backend } from './backend.ts';
import { requireText } from './backend.ts';

/** How long a locked database is waited for. The wait is ours, because SQLite's own would stop the event loop. */
const BUSY_WAIT_MS_MAX = 5_000;
const BUSY_PAUSE_MS_MAX = 40;

/**
 * The embedded store: one file, safe among the processes of one machine.
 * @param path created with the directories on the way if it does not exist
 */
export async function openSqliteBackend(path: string, namespace: string): Promise<Backend> {
  await mkdir(dirname(path), { recursive: true });
  const adapter = await connect(path, namespace);
  return {
    readText: async (key) => requireText(key, await whenNotBusy(async () => adapter.get(key))),
    async readTexts(keys) {
      const answers = await whenNotBusy(async () => adapter.getMany([...keys]));
      return keys.map((key, index) => requireText(key, answers[index]));
    },
    commitTexts: async (change) => whenNotBusy(async () => commitOnSqlite(adapter, namespace, change)),
    async remove(key) {
      await whenNotBusy(async () => adapter.delete(key));
    },
    weaknesses: async () => [],
    close: async () => adapter.disconnect(),
  };
}

async function connect(path: string, namespace: string): Promise<KeyvSqlite> {
  const adapter = new KeyvSqlite({
    uri: `sqlite://${path}`,
    driver: 'node:sqlite',
    wal: true,
    busyTimeout: BUSY_WAIT_MS_MAX,
  });
  adapter.namespace = namespace;
  await adapter.ready;
  // A commit is durable when it is reported, also through a loss of power.
  await adapter.query('PRAGMA synchronous = FULL');
  // From here on SQLite answers "busy" at once, and we wait for it without holding up anything else.
  await adapter.query('PRAGMA busy_timeout = 0');
  return adapter;
}

/**
 * Compare-and-set of several keys in one SQL statement, which SQLite runs as one transaction.
 *
 * Keyv's own `set` can neither compare nor write two keys at once; this goes to the same table through the official
 * adapter's connection.
 */
async function commitOnSqlite(adapter: KeyvSqlite, namespace: string, change: AtomicChange): Promise<boolean> {
  const table = `"${adapter.table}"`;
  const written = await adapter.query(
    `INSERT INTO ${table} (key, value, namespace)
     SELECT row.value ->> 'key', row.value ->> 'value', ?
     FROM json_each(?) AS row
     WHERE (SELECT value FROM ${table} WHERE key = ? AND namespace = ?) IS ?
     ON CONFLICT (key, namespace) DO UPDATE SET value = excluded.value
     RETURNING key`,
    namespace,
    JSON.stringify(change.rows),
    change.guardKey,
    namespace,
    change.expected ?? null,
  );
  return written.length === change.rows.length;
}

async function whenNotBusy<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + BUSY_WAIT_MS_MAX;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await sleep(1 + Math.random() * BUSY_PAUSE_MS_MAX);
    }
  }
}

/** SQLite's primary result codes for a database that somebody else has locked just now. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const PRIMARY_RESULT_CODE_MASK = 0xff;

/** Whether an error means "try again in a moment", and not that anything is broken. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  const code = error.errcode & PRIMARY_RESULT_CODE_MASK;
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}
