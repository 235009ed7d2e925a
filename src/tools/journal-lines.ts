import type { JournalLine } from '../billing/journal-replay.ts';
import { entryKey } from '../billing/ledger-keys.ts';
import { isEntry } from '../billing/stored-entry.ts';
import type { Store } from '../storage/store.ts';
import { UnreadableValue } from '../storage/store.ts';
import type { Account } from './accounts.ts';

const LINES_PER_PAGE = 500;

/**
 * Reads the entries of an account by their numbers, and tells where there is none or none that can be understood.
 * @param range the first and the last number to read
 */
export async function* readJournalLines(
  store: Store,
  { guild, period }: Account,
  range: { readonly first: number; readonly last: number },
): AsyncGenerator<readonly JournalLine[]> {
  for (let first = range.first; first <= range.last; first += LINES_PER_PAGE) {
    const count = Math.min(LINES_PER_PAGE, range.last - first + 1);
    const keys = Array.from({ length: count }, (_, offset) => entryKey(guild, period, first + offset));
    yield (await readValues(store, keys)).map(toLine);
  }
}

/** A value that is there and cannot be understood. */
export const unreadable = Symbol('unreadable');

/** Reads several values; one that cannot be understood does not hide the others. */
export async function readValues(store: Store, keys: readonly string[]): Promise<readonly unknown[]> {
  try {
    return await store.readMany(keys);
  } catch (error) {
    if (!(error instanceof UnreadableValue)) throw error;
    const values: unknown[] = [];
    for (const key of keys) values.push(await readValue(store, key));
    return values;
  }
}

/** Reads one value, or answers that it cannot be understood. */
export async function readValue(store: Store, key: string): Promise<unknown> {
  try {
    return (await store.read(key))?.value;
  } catch (error) {
    if (!(error instanceof UnreadableValue)) throw error;
    return unreadable;
  }
}

function toLine(value: unknown): JournalLine {
  if (value === undefined) return 'missing';
  return isEntry(value) ? value : 'unreadable';
}
