import { closeSync, open, readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrorCode } from './durable-file.ts';
import { createRecordFile } from './record-file.ts';

/**
 * The folders of jobs that have ended, for the jobs to come. What their records said is gone when they come here.
 *
 * A file that is filled again costs a third of one that is removed and made again; and that its name is on the disk need
 * only be made sure of once. A picture that is written over the last one costs half of what it costs in an emptied file,
 * and is durable in a third of the time. So the last few folders keep their pictures for a minute. Nobody reads a picture
 * before it is written.
 */
export type IdleFolders = {
  /**
   * Clears a folder, and keeps it. Nobody else may know it: whoever still reads a file of it would read the next job's.
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
  /** Empties the pictures that lie in them. */
  emptyAll(): Promise<void>;
};

export type IdleFolderLimits = {
  readonly foldersMax: number;
  /** How many of them may have pictures in them. */
  readonly picturedMax: number;
  /** How long a picture may lie there. */
  readonly picturesKeptMs: number;
};

const STANDARD_LIMITS: IdleFolderLimits = {
  // As many as there may be jobs at once on a busy day; an empty folder takes 4 kB.
  foldersMax: 128,
  // The folder that came last goes first; more lie there only where several jobs end at the same moment.
  picturedMax: 4,
  picturesKeptMs: 60_000,
};
/** By this the names of records end; all other files are pictures. */
const RECORD_SUFFIX = '.json';
/** Begins the name of a folder that is nobody's, so that whoever looks into the spool sees it. */
export const IDLE_PREFIX = 'idle-';

type IdleFolder = { readonly name: string; readonly durableNames: ReadonlySet<string>; readonly hasPictures: boolean };

export function createIdleFolders(directory: string, limits: Partial<IdleFolderLimits> = {}): IdleFolders {
  const { foldersMax, picturedMax, picturesKeptMs } = { ...STANDARD_LIMITS, ...limits };
  /** By the name under which they lie there, also on the way there and back. */
  const known = new Set<string>();
  /** The one that came last stands last. */
  const free: IdleFolder[] = [];
  let emptying: NodeJS.Timeout | undefined;

  function pictured(): IdleFolder[] {
    return free.filter(({ hasPictures }) => hasPictures);
  }

  /** Meanwhile the folder is given to nobody, because it would be the next job's picture that is emptied. */
  async function emptyPictures(folder: IdleFolder): Promise<void> {
    free.splice(free.indexOf(folder), 1);
    const { name, durableNames } = folder;
    try {
      const pictures = readdirSync(join(directory, name)).filter((file) => !isRecordFile(file));
      await Promise.all(pictures.map(async (file) => emptyFile(join(directory, name, file))));
      free.unshift({ name, durableNames, hasPictures: false });
    } catch {
      // Somebody has tidied up, or the disk fails. As it is not one of ours any more, the next sweep removes it.
      known.delete(name);
    }
  }

  async function emptyAll(): Promise<void> {
    clearTimeout(emptying);
    emptying = undefined;
    await Promise.all(pictured().map(emptyPictures));
  }

  async function boundPictures(): Promise<void> {
    const [oldest, ...newer] = pictured();
    if (oldest === undefined) return;
    emptying ??= setTimeout(() => void emptyAll(), picturesKeptMs).unref();
    if (newer.length >= picturedMax) await emptyPictures(oldest);
  }

  /**
   * Removes what would not be there for sure, and clears the records.
   * @returns whether there are pictures among what is left
   */
  async function clear(
    folder: string,
    durableNames: ReadonlySet<string>,
    clearedNames: ReadonlySet<string>,
  ): Promise<boolean> {
    const files = readdirSync(join(directory, folder));
    const others = files.filter((file) => !durableNames.has(file));
    await Promise.all(others.map(async (file) => rm(join(directory, folder, file))));
    const kept = files.filter((file) => durableNames.has(file));
    for (const file of kept) {
      if (isRecordFile(file) && !clearedNames.has(file)) createRecordFile(join(directory, folder, file), false).clear();
    }
    return !kept.every(isRecordFile);
  }

  return {
    has: (folder) => known.has(folder),
    async keep(folder, durableNames, clearedNames = new Set()) {
      const name = `${IDLE_PREFIX}${folder}`;
      if (known.size >= foldersMax || known.has(name)) return false;
      known.add(name);
      try {
        const hasPictures = await clear(folder, durableNames, clearedNames);
        renameSync(join(directory, folder), join(directory, name));
        free.push({ name, durableNames, hasPictures });
      } catch (error) {
        known.delete(name);
        throw error;
      }
      await boundPictures();
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
    emptyAll,
  };
}

/** By another thread, because letting go of a picture takes as long as it is large. */
async function emptyFile(path: string): Promise<void> {
  const file = await new Promise<number>((resolve, reject) => {
    open(path, 'w', (error, opened) => (error === null ? resolve(opened) : reject(error)));
  });
  closeSync(file);
}

function isRecordFile(file: string): boolean {
  return file.endsWith(RECORD_SUFFIX);
}
