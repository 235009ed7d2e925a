import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyvPostgres } from '@keyv/postgres';
import * as z from 'zod';
import type { AtomicChange, Backend, StoreLog } from './backend.ts';
import { requireText } from './backend.ts';
import { withinDeadline } from './deadline.ts';

/** Also the longest wait for one of the connections to become free. */
const CONNECT_WAIT_MS_MAX = 5_000;
const STATEMENT_WAIT_MS_MAX = 4_000;
/** Longer, so that wherever the server can still tell how it ended, it is the server who does. */
const ANSWER_WAIT_MS_MAX = 5_000;
const CONNECTIONS_MAX = 10;
const OPEN_ATTEMPTS_MAX = 4;
const OPEN_PAUSE_MS = 250;

/** PostgreSQL: safe among many processes on many machines. */
export async function openPostgresBackend(url: string, namespace: string, log: StoreLog): Promise<Backend> {
  const adapter = await connect(url, namespace, log);
  return {
    readText: async (key) => requireText(key, await adapter.get(key)),
    async readTexts(keys) {
      const answers = await adapter.getMany([...keys]);
      return keys.map((key, index) => requireText(key, answers[index]));
    },
    commitTexts: async (change) => commitOnPostgres(adapter, namespace, change),
    async remove(key) {
      await adapter.delete(key);
    },
    weaknesses: async () => findWeaknesses(adapter),
    close: async () => withinDeadline(ANSWER_WAIT_MS_MAX, async () => adapter.disconnect()),
  };
}

/**
 * The adapter makes its table when it connects. Where several processes do so at the same moment it gives up silently
 * and goes on without, so it has to be asked again until a commit is possible.
 */
async function connect(url: string, namespace: string, log: StoreLog): Promise<KeyvPostgres> {
  const probe = { key: 'probe', value: '' };
  for (let attempt = 1; ; attempt += 1) {
    const adapter = createAdapter(url, log);
    adapter.namespace = namespace;
    try {
      // Nothing is ever stored as this text, so this changes nothing.
      await commitOnPostgres(adapter, namespace, { guardKey: probe.key, expected: probe.value, rows: [probe] });
      return adapter;
    } catch (error) {
      await adapter.disconnect();
      if (attempt === OPEN_ATTEMPTS_MAX) throw error;
      await sleep(OPEN_PAUSE_MS * attempt);
    }
  }
}

function createAdapter(url: string, log: StoreLog): KeyvPostgres {
  return new KeyvPostgres({
    uri: url,
    // Adapters with the same options share their connections, and the first that is closed would take them from all.
    application_name: `easel ${randomBytes(4).toString('hex')}`,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_WAIT_MS_MAX,
    statement_timeout: STATEMENT_WAIT_MS_MAX,
    query_timeout: ANSWER_WAIT_MS_MAX,
    keepAlive: true,
    log: createErrorListener(log),
  });
}

/**
 * Listens to the errors of the adapter's pool, which would end the process where nobody does: one comes whenever an
 * idle connection breaks. The adapter keeps its pool to itself, and the pool shows itself to nobody but its own log,
 * which it calls as a method, for the first time before its first connection.
 */
function createErrorListener(log: StoreLog): (this: EventEmitter) => void {
  return function listen() {
    if (this.listenerCount('error') > 0) return;
    this.on('error', (error) =>
      log.warn({ err: error }, 'an idle connection to PostgreSQL broke; others take its place'),
    );
  };
}

/**
 * Compare-and-set of several keys in one statement. The guard's row is changed or made first, under its lock; whoever
 * finds it changed writes nothing at all.
 *
 * Keyv's own `set` can neither compare nor write two keys at once; this goes to the same table through the official
 * adapter's connections.
 */
async function commitOnPostgres(adapter: KeyvPostgres, namespace: string, change: AtomicChange): Promise<boolean> {
  const table = tableOf(adapter);
  const others = change.rows.filter(({ key }) => key !== change.guardKey);
  const guard =
    change.expected === undefined
      ? `INSERT INTO ${table} (key, value, namespace) SELECT $2, $3, $1 WHERE $4::text IS NULL
         ON CONFLICT DO NOTHING RETURNING key`
      : `UPDATE ${table} SET value = $3 WHERE key = $2 AND namespace = $1 AND value = $4 RETURNING key`;
  const [answer] = await query(
    adapter,
    `WITH guard AS (${guard}),
     written AS (
       INSERT INTO ${table} (key, value, namespace)
       SELECT row.key, row.value, $1 FROM unnest($5::text[], $6::text[]) AS row (key, value)
       WHERE EXISTS (SELECT 1 FROM guard)
       ON CONFLICT (key, COALESCE(namespace, '')) DO UPDATE SET value = excluded.value
     )
     SELECT count(*)::int AS guards FROM guard`,
    [
      namespace,
      change.guardKey,
      change.rows.find(({ key }) => key === change.guardKey)?.value,
      change.expected ?? null,
      others.map(({ key }) => key),
      others.map(({ value }) => value),
    ],
  );
  return answer?.['guards'] === 1;
}

function tableOf(adapter: KeyvPostgres): string {
  return `"${adapter.schema}"."${adapter.table}"`;
}

const answerSchema = z.array(z.record(z.string(), z.unknown()));

/** The adapter's own way to its connections, which it has for this but does not declare. */
async function query(adapter: KeyvPostgres, sql: string, values: readonly unknown[] = []) {
  return answerSchema.parse(await adapter['query'](sql, values));
}

async function findWeaknesses(adapter: KeyvPostgres): Promise<string[]> {
  const [settings] = await query(
    adapter,
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
       (SELECT relpersistence FROM pg_class WHERE oid = $1::regclass) = 'u' AS is_unlogged`,
    [tableOf(adapter)],
  );
  const lost = 'what was booked last can be lost when the database server goes down';
  return [
    ...(settings?.['fsync'] === 'off' ? [`PostgreSQL runs with fsync = off: ${lost}; set it to on`] : []),
    ...(settings?.['synchronous_commit'] === 'off'
      ? [`PostgreSQL runs with synchronous_commit = off: ${lost}; set it to on for this database`]
      : []),
    ...(settings?.['is_unlogged'] === true
      ? [`The ledger's table is unlogged: ${lost}; ALTER TABLE ${tableOf(adapter)} SET LOGGED`]
      : []),
  ];
}
