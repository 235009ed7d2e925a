import type { KeyvSqlite } from '@keyv/sqlite';

/** Rows that are written together, and only if the guarded key still holds the expected text. */
export type AtomicChange = {
  readonly guardKey: string;
  readonly expected: string | undefined;
  readonly rows: readonly { readonly key: string; readonly value: string }[];
};

/**
 * Compare-and-set of several keys in one SQL statement, which SQLite runs as one transaction.
 *
 * Keyv's own `set` can neither compare nor write two keys at once; this goes to the same table through the official
 * adapter's connection, and the values stay readable by plain `Keyv.get`.
 */
export async function commitOnSqlite(adapter: KeyvSqlite, namespace: string, change: AtomicChange): Promise<boolean> {
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
