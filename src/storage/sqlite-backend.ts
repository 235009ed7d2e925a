import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyvSqlite } from '@keyv/sqlite';
import type { AtomicChange, Backend } from './backend.ts';
import { requireText } from './backend.ts';
import { createCommitGroups } from './commit-groups.ts';
import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from './private-modes.ts';

/** How long a locked database is waited for. The wait is ours, because SQLite's own would stop the event loop. */
const BUSY_WAIT_MS_MAX = 5_000;
const BUSY_PAUSE_MS_MAX = 40;

/**
 * The embedded store: one file, safe among the processes of one machine.
 *
 * The official adapter makes its table, so that any Keyv can read what is in it. The connection is ours, because the
 * adapter prepares each statement anew each time, which takes longer than to run it.
 * @param path created with the directories on the way if it does not exist
 */
export async function openSqliteBackend(path: string, namespace: string): Promise<Backend> {
  // A directory that is there already is the operator's, and keeps the mode they gave it.
  await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE });
  makePrivate(path);
  const database = await whenNotBusy(() => connect(path));
  try {
    const table = await makeTable(path);
    return await whenNotBusy(() => serve(database, table, namespace));
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLite keeps these beside the database, and makes them with the mode that the database has. */
const FILE_SUFFIXES = ['', '-wal', '-shm'];
/** Files of earlier versions have what the umask left them, which everybody on the machine may usually read. */
const READABLE_BY_ALL = 0o004;

/**
 * Sees to it that nobody else on the machine reads what is in a database, be it new or of an earlier version. One that
 * not everybody can read is left as it is: the operator may have opened it to a group, for backups.
 *
 * All of it is done at once, and a file that is there is never opened: a process that closes a file loses every lock
 * that it has on it, also those that SQLite has taken for another connection.
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', PRIVATE_FILE_MODE));
  } catch {
    // It is there, or cannot be made, of which SQLite tells more.
  }
  for (const suffix of FILE_SUFFIXES) {
    const stats = statSync(path + suffix, { throwIfNoEntry: false });
    if (!stats?.isFile() || (stats.mode & READABLE_BY_ALL) === 0) continue;
    try {
      chmodSync(path + suffix, PRIVATE_FILE_MODE);
    } catch {
      // It belongs to somebody else, or its file system knows no modes: the bot is then no worse off than before.
    }
  }
}

function serve(database: DatabaseSync, table: string, namespace: string): Backend {
  const { readOne, readAll, removeOne } = prepareForReading(database, table);
  const commitAll = prepareCommits(database, table, namespace);
  return {
    readText: async (key) => whenNotBusy(() => requireText(key, readOne.get(key, namespace)?.['value'])),
    readTexts: async (keys) =>
      whenNotBusy(() => {
        const rows = readAll.all(namespace, JSON.stringify(keys));
        const texts = new Map(rows.map(({ key, value }) => [key, value]));
        return keys.map((key) => requireText(key, texts.get(key)));
      }),
    commitTexts: createCommitGroups(async (changes) => whenNotBusy(() => commitAll(changes))),
    remove: async (key) => whenNotBusy(() => void removeOne.run(key, namespace)),
    weaknesses: async () => whenNotBusy(() => findSqliteWeaknesses(database)),
    close: async () => database.close(),
  };
}

/** Has the adapter make its table where there is none yet; answers the table's name, ready to stand in a statement. */
async function makeTable(path: string): Promise<string> {
  const adapter = new KeyvSqlite({
    uri: `sqlite://${path}`,
    driver: 'node:sqlite',
    wal: true,
    busyTimeout: BUSY_WAIT_MS_MAX,
  });
  await adapter.ready;
  await adapter.disconnect();
  return `"${adapter.table}"`;
}

/**
 * Connected before the adapter makes its table, because the last connection that leaves a file locks it for everybody
 * who comes just then: with this one there, the adapter's is never the last.
 */
function connect(path: string): DatabaseSync {
  // Where somebody has locked it, SQLite answers "busy" at once, and we wait without holding up anything else.
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // A commit is durable when it is reported, also through a loss of power.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Statements that are kept, of which each is prepared once. */
function prepareForReading(database: DatabaseSync, table: string) {
  return {
    readOne: database.prepare(`SELECT value FROM ${table} WHERE key = ? AND namespace = ?`),
    readAll: database.prepare(
      `SELECT key, value FROM ${table} WHERE namespace = ? AND key IN (SELECT value FROM json_each(?))`,
    ),
    removeOne: database.prepare(`DELETE FROM ${table} WHERE key = ? AND namespace = ?`),
  };
}

/**
 * Compare-and-set of several keys in one SQL statement, which SQLite runs as one transaction; and several of those in
 * one transaction, where each is compared with what those before it have left.
 *
 * Keyv's own `set` can neither compare nor write two keys at once.
 * @returns writes changes, and answers for each whether it was made
 */
function prepareCommits(database: DatabaseSync, table: string, namespace: string) {
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const rollback = database.prepare('ROLLBACK');
  const compareAndSet = database.prepare(
    `INSERT INTO ${table} (key, value, namespace)
     SELECT row.value ->> 'key', row.value ->> 'value', ?
     FROM json_each(?) AS row
     WHERE (SELECT value FROM ${table} WHERE key = ? AND namespace = ?) IS ?
     ON CONFLICT (key, namespace) DO UPDATE SET value = excluded.value`,
  );

  function commitOne({ guardKey, expected, rows }: AtomicChange): boolean {
    const { changes } = compareAndSet.run(namespace, JSON.stringify(rows), guardKey, namespace, expected ?? null);
    return Number(changes) === rows.length;
  }

  return (changes: readonly AtomicChange[]): readonly boolean[] => {
    if (changes.length === 1) return changes.map(commitOne);
    begin.run();
    try {
      const answers = changes.map(commitOne);
      commit.run();
      return answers;
    } catch (error) {
      // Some failures have ended the transaction already.
      if (database.isTransaction) rollback.run();
      throw error;
    }
  };
}

/** What `PRAGMA synchronous` answers where a commit waits for the disk: FULL and EXTRA. */
const DURABLE_LEVELS: readonly unknown[] = [2, 3];

/** What of a connection is not as it was asked for: SQLite keeps silent where it cannot do what a pragma says. */
export function findSqliteWeaknesses(database: DatabaseSync): string[] {
  const read = (name: string): unknown => database.prepare(`PRAGMA ${name}`).get()?.[name];
  const weaknesses: string[] = [];
  const synchronous = read('synchronous');
  if (!DURABLE_LEVELS.includes(synchronous)) {
    weaknesses.push(
      `SQLite runs with synchronous ${String(synchronous)}: what was booked last can be lost when the machine goes down`,
    );
  }
  const journalMode = read('journal_mode');
  if (journalMode !== 'wal') {
    weaknesses.push(
      `SQLite runs with journal_mode ${String(journalMode)}: what was booked last can be lost when the machine goes ` +
        'down; put the database on a local disk',
    );
  }
  return weaknesses;
}

async function whenNotBusy<Result>(attempt: () => Result): Promise<Result> {
  const deadline = performance.now() + BUSY_WAIT_MS_MAX;
  for (;;) {
    try {
      return attempt();
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
