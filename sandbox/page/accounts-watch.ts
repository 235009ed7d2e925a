import type { Stats } from 'node:fs';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Accounts } from './journal.ts';
import { readAccounts } from './journal.ts';

/** A change of the database shows in one of these. */
const WATCHED_FILES = ['easel.sqlite', 'easel.sqlite-wal'];

/** Answers the accounts as they are on disk, and reads them again only where the bot has written since. */
export function watchAccounts(dataDirectory: string): () => Accounts {
  let mark = '';
  let accounts: Accounts = new Map();
  return () => {
    const current = WATCHED_FILES.map((name) => describeFile(join(dataDirectory, name))).join();
    if (current === mark) return accounts;
    try {
      accounts = readAccounts(dataDirectory);
      mark = current;
    } catch {
      // The bot is about to create its database, or recovers it: what was read before stands until the next look.
    }
    return accounts;
  };
}

function describeFile(path: string): string {
  const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? '-' : `${stats.size}:${stats.mtimeMs}`;
}
