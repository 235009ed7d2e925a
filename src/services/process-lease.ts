import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isFileLocked, removeUnlockedFile, takeFileLock } from '../storage/file-lock.ts';
import { PRIVATE_FOLDER_MODE } from '../storage/private-modes.ts';

/**
 * Tells whether the process that owns a job is still alive, so that recovery takes over from the dead and never from
 * the living, also while two versions of the bot run side by side on one data directory.
 *
 * A process holds the lock on a file of its own, which ends with the process, however it ends.
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
  await mkdir(directory, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  const pathOf = (name: string): string => join(directory, `${name}.lock`);
  const own = takeFileLock(pathOf(owner));
  if (!own) throw new Error('a process of this name already runs on this data directory');

  return {
    owner,
    isAlive: (name) => name === owner || isFileLocked(pathOf(name)),
    async clean() {
      const files = (await readdir(directory)).filter((file) => file.endsWith('.lock'));
      for (const file of files) if (file !== `${owner}.lock`) removeUnlockedFile(join(directory, file));
    },
    release: () => own.release(),
  };
}
