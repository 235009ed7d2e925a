import { existsSync, rmSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Tells whether the process that owns a job is still alive, so that recovery takes over from the dead and never from
 * the living, also while two versions of the bot run side by side on one data directory.
 *
 * A process holds an exclusive lock on a file of its own. The operating system lets go of it at the very moment the
 * process dies, however it dies; there is no heartbeat to wait for and no clock to trust. The lock is taken through
 * SQLite because Node has no file locks of its own.
 */
export type ProcessLease = {
  /** The name under which this process owns jobs. */
  readonly owner: string;
  /** Whether the process with this name is alive. */
  isAlive(owner: string): boolean;
  /** Removes what dead processes left behind. */
  clean(): Promise<void>;
  release(): void;
};

/** How long a starting process waits for one that looks whether this name is dead. */
const LOOK_WAIT_MS_MAX = 100;
/** A name can only be cleaned away between the making of its file and the lock; twice in a row is bad luck, ten a fault. */
const ATTEMPTS_MAX = 10;

/** @param owner a random name of this process: [a-z0-9-]+ */
export async function takeProcessLease(directory: string, owner: string): Promise<ProcessLease> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pathOf = (name: string): string => join(directory, `${name}.lock`);
  const own = lockForGood(pathOf(owner));
  const isAlive = (name: string): boolean => name === owner || isLocked(pathOf(name));

  return {
    owner,
    isAlive,
    async clean() {
      const files = (await readdir(directory)).filter((file) => file.endsWith('.lock'));
      for (const file of files) if (file !== `${owner}.lock`) removeUnlocked(join(directory, file));
    },
    release: () => own.close(),
  };
}

/** Takes the lock that lasts until the database is closed, on a file that others can see. */
function lockForGood(path: string): DatabaseSync {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const own = lock(path, LOOK_WAIT_MS_MAX);
    if (!own) throw new Error('a process of this name already runs on this data directory');
    // Somebody who found the file without its lock has removed it: what is locked now, nobody else can find.
    if (existsSync(path)) return own;
    own.close();
  }
  throw new Error('the lock of this process is removed again and again');
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

/** Whether somebody holds the lock. Only reads, so that several can look at once, and nothing is made by looking. */
function isLocked(path: string): boolean {
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

/** Removes a lock file while holding its lock, so that nobody can take it in between. */
function removeUnlocked(path: string): void {
  const taken = lock(path, 0);
  if (!taken) return;
  rmSync(path, { force: true });
  taken.close();
}
