import type { Stats } from 'node:fs';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Accounts } from './journal.ts';
import { readAccounts } from './journal.ts';

/** A change of the database shows in one of these. */
const WATCHED_FILES = ['easel.sqlite', 'easel.sqlite-wal'];
/**
 * For how long after a write the files are read at every look. A commit is in the file before readers are shown it,
 * for as long as the disk takes, and two writes within one tick of the file system's clock look like one.
 */
const SETTLING_MS = 2000;

/** Answers the accounts as they are on disk, and reads them again only where the bot has written since. */
export function watchAccounts(dataDirectory: string): () => Accounts {
  let mark = '';
  let accounts: Accounts = new Map();
  return () => {
    const lookedAtMs = Date.now();
    const files = WATCHED_FILES.map((name) => statSync(join(dataDirectory, name), { throwIfNoEntry: false }));
    const current = files.map(describeFile).join();
    if (current === mark) return accounts;
    try {
      accounts = readAccounts(dataDirectory);
      const isSettled = files.every((file) => file === undefined || lookedAtMs - file.mtimeMs > SETTLING_MS);
      if (isSettled) mark = current;
    } catch {
      // The bot is about to create its database, or recovers it: what was read before stands until the next look.
    }
    return accounts;
  };
}

function describeFile(stats: Stats | undefined): string {
  return stats === undefined ? '-' : `${stats.size}:${stats.mtimeMs}`;
}
