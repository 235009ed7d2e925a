import { mkdir, readdir, rm } from 'node:fs/promises';
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

/** @param owner a random name of this process: [a-z0-9-]+ */
export async function takeProcessLease(directory: string, owner: string): Promise<ProcessLease> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pathOf = (name: string): string => join(directory, `${name}.lock`);
  const own = lock(pathOf(owner));
  if (!own) throw new Error('a process of this name already runs on this data directory');

  function isAlive(name: string): boolean {
    if (name === owner) return true;
    const taken = lock(pathOf(name));
    taken?.close();
    return taken === undefined;
  }

  return {
    owner,
    isAlive,
    async clean() {
      const names = (await readdir(directory))
        .filter((file) => file.endsWith('.lock'))
        .map((file) => file.slice(0, -5));
      await Promise.all(names.filter((name) => !isAlive(name)).map(async (name) => rm(pathOf(name), { force: true })));
    },
    release: () => own.close(),
  };
}

/** Takes the lock that lasts until the database is closed, or answers undefined if somebody else has it. */
function lock(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;');
    return database;
  } catch {
    database.close();
    return undefined;
  }
}
