import { existsSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * An exclusive lock on a file. The operating system lets go of it at the very moment the process that holds it dies,
 * however it dies; there is no heartbeat to wait for and no clock to trust. The lock is taken through SQLite because
 * Node has no file locks of its own.
 */
export type FileLock = { release(): void };

/** A file can only be removed between its making and the lock; twice in a row is bad luck, ten a fault. */
const ATTEMPTS_MAX = 10;
/** How long somebody who takes a lock waits for one who only looks whether it is held. */
const LOOK_WAIT_MS_MAX = 100;

/**
 * Takes the lock that lasts until it is released, on a file that others can see.
 * @returns undefined if somebody else has it
 */
export function takeFileLock(path: string): FileLock | undefined {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const own = lock(path, LOOK_WAIT_MS_MAX);
    if (!own) return undefined;
    // Somebody who found the file without its lock has removed it: what is locked now, nobody else can find.
    if (existsSync(path)) return { release: () => own.close() };
    own.close();
  }
  throw new Error(`the file ${path} is removed again and again while it is being locked`);
}

/** Whether somebody holds the lock. Only reads, so that several can look at once, and nothing is made by looking. */
export function isFileLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.exec('SELECT 1 FROM sqlite_schema');
    return false;
  } catch {
    // Locked, or removed in the meantime.
    return existsSync(path);
  } finally {
    database?.close();
  }
}

/** Removes a lock file while holding its lock, so that nobody can take it in between; leaves it where it is held. */
export function removeUnlockedFile(path: string): void {
  const taken = lock(path, 0);
  if (!taken) return;
  rmSync(path, { force: true });
  taken.close();
}

/** Takes the lock, or answers undefined if somebody else has it. */
function lock(path: string, waitMsMax: number): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: waitMsMax });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;');
    return database;
  } catch {
    database.close();
    return undefined;
  }
}
