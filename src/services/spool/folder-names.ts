import { dirname } from 'node:path';
import { syncNames } from './durable-file.ts';

/** What is known of the names of a folder's files: which are new, and which would outlive a loss of power. */
export type FolderNames = {
  /** Those that are on the disk for sure; with them the folder itself, under the name that it was made with. */
  readonly durable: ReadonlySet<string>;
  /** Those that were written to since the folder was made, or made somebody's. */
  readonly written: ReadonlySet<string>;
  /** Whether the folder was somebody else's before, and may be again with a loss of power. */
  readonly isUsedAgain: boolean;
  /** A file is about to be written, and is there or comes to be at once. */
  note(name: string): void;
  /** A file is removed. */
  forget(name: string): void;
  /** Makes all of them durable, and that the folder is there. */
  makeDurable(): Promise<void>;
};

/** Among the names that are durable it stands for the folder's own. */
const OWN_NAME = '.';

/** @param durableNames what somebody knows of a folder that was used before */
export function createFolderNames(folder: string, durableNames: ReadonlySet<string> = new Set()): FolderNames {
  const durable = new Set(durableNames);
  const written = new Set<string>();
  const isUsedAgain = durable.has(OWN_NAME);
  // A folder that is used again may go back to an older name with a loss of power: its record says whose it is.
  const unsure = new Set(isUsedAgain ? [] : [OWN_NAME]);

  return {
    durable,
    written,
    isUsedAgain,
    note(name) {
      written.add(name);
      if (!durable.has(name)) unsure.add(name);
    },
    forget: (name) => void durable.delete(name),
    async makeDurable() {
      if (unsure.size === 0) return;
      const names = [...unsure];
      await syncNames(folder);
      if (unsure.has(OWN_NAME)) await syncNames(dirname(folder));
      for (const name of names) {
        unsure.delete(name);
        durable.add(name);
      }
    },
  };
}
