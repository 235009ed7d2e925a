import { closeSync, open, readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrorCode } from './durable-file.ts';
import { createRecordFile } from './record-file.ts';

/**
 * The folders of jobs that have ended, emptied, for the jobs to come.
 *
 * A file that is emptied and filled again costs a third of one that is removed and made again; and that its name is on
 * the disk need only be made sure of once.
 */
export type IdleFolders = {
  /**
   * Empties a folder, and keeps it. Nobody else may know it: whoever still reads a file of it would read the next job's.
   * @param durableNames those of its files whose names would outlive a loss of power; the others are removed. What else
   * is among them is given back with the folder.
   * @param clearedNames those of its records that are known to be cleared, and need not be read to find out
   * @returns false, and nothing is changed, where there are enough of them
   */
  keep(folder: string, durableNames: ReadonlySet<string>, clearedNames?: ReadonlySet<string>): Promise<boolean>;
  /**
   * Gives one of them the name of a new job.
   * @returns the names that were given with it; undefined where there is none
   */
  take(folder: string): ReadonlySet<string> | undefined;
  /** Whether a folder is one of them, and no job. */
  has(folder: string): boolean;
};

/** As many as there may be jobs at once on a busy day; an empty folder takes 4 kB. */
const FOLDERS_MAX = 128;
/** By this the names of records end; all other files are pictures. */
const RECORD_SUFFIX = '.json';
/** Begins the name of a folder that is nobody's, so that whoever looks into the spool sees it. */
export const IDLE_PREFIX = 'idle-';

export function createIdleFolders(directory: string, foldersMax: number = FOLDERS_MAX): IdleFolders {
  /** By the name under which they lie there, also on the way there and back. */
  const known = new Set<string>();
  const free: { readonly name: string; readonly durableNames: ReadonlySet<string> }[] = [];

  return {
    has: (folder) => known.has(folder),
    async keep(folder, durableNames, clearedNames = new Set()) {
      const name = `${IDLE_PREFIX}${folder}`;
      if (known.size >= foldersMax || known.has(name)) return false;
      known.add(name);
      try {
        const files = readdirSync(join(directory, folder));
        await Promise.all(
          files.map(async (file) => {
            const path = join(directory, folder, file);
            if (!durableNames.has(file)) await rm(path);
            else if (!clearedNames.has(file)) await emptyFile(path);
          }),
        );
        renameSync(join(directory, folder), join(directory, name));
      } catch (error) {
        known.delete(name);
        throw error;
      }
      free.push({ name, durableNames });
      return true;
    },
    take(folder) {
      const idle = free.pop();
      if (idle === undefined) return undefined;
      try {
        renameSync(join(directory, idle.name), join(directory, folder));
        return idle.durableNames;
      } catch (error) {
        // Somebody has tidied up; a job that is there already is the caller's business.
        if (isErrorCode(error, 'ENOENT')) return undefined;
        throw error;
      } finally {
        known.delete(idle.name);
      }
    },
  };
}

/** A record takes no time. A picture is let go of by another thread, because that takes as long as it is large. */
async function emptyFile(path: string): Promise<void> {
  if (path.endsWith(RECORD_SUFFIX)) return createRecordFile(path, false).clear();
  const file = await new Promise<number>((resolve, reject) => {
    open(path, 'w', (error, opened) => (error === null ? resolve(opened) : reject(error)));
  });
  closeSync(file);
}
