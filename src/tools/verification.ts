import type { AccountHead } from '../billing/guild-account.ts';
import type { JournalFault, JournalLine, ReplayedJournal } from '../billing/journal-replay.ts';
import { emptyJournal, replayJournal } from '../billing/journal-replay.ts';
import { entryKey, headKey, memberKey, transferKey } from '../billing/ledger-keys.ts';
import type { Store } from '../storage/store.ts';
import type { Account } from './accounts.ts';
import { differences } from './differences.ts';
import { readJournalLines, readValue, readValues, unreadable } from './journal-lines.ts';

/** What a replay of an account has shown. */
export type AccountVerdict = Account & {
  readonly journal: ReplayedJournal;
  /** The head as it is stored, or undefined where there is none that can be read. */
  readonly head: AccountHead | undefined;
  /** Everything that is not as it should be, each in one sentence; none where all is well. */
  readonly findings: readonly string[];
};

const ROWS_PER_READ = 500;
/** Each round catches up with a living bot. A transfer moves some few times, and no member is fast for that long. */
const ROUNDS_MAX = 32;

/**
 * Replays an account from its first entry on, and holds its head, every transfer and every member's part against it.
 * A bot may go on writing meanwhile: what has moved is looked at again.
 * @throws {StoreFailure} when the store does not answer
 */
export async function verifyAccount(store: Store, account: Account): Promise<AccountVerdict> {
  let head = await readHead(store, account);
  let journal = emptyJournal();
  if (typeof head === 'string') return { ...account, journal, head: undefined, findings: [head] };
  if (head.pruned) return { ...account, journal, head, findings: await findLeftovers(store, account, head) };
  let findings: readonly string[] = [];
  let wrongRows: readonly WrongRow[] | undefined;
  for (let round = 1; round <= ROUNDS_MAX; round += 1) {
    journal = await continueReplay(store, account, journal, head.seq);
    findings = compareHead(head, journal);
    wrongRows = await findWrongRows(store, account, journal, wrongRows ?? rowsOf(journal));
    if (wrongRows.length === 0 || findings.length > 0) break;
    const later = await readHead(store, account);
    if (typeof later === 'string' || later.seq === head.seq) break;
    head = later;
  }
  return {
    ...account,
    journal,
    head,
    findings: [
      ...tellFaults(journal.faults),
      ...findings,
      ...(wrongRows ?? []).map(({ name, problem }) => `${name} ${problem}`),
      ...(await findEntryBeyond(store, account, head)),
    ],
  };
}

/** Pruning removes the last entry last, so where that is gone nothing is left. */
async function findLeftovers(store: Store, { guild, period }: Account, head: AccountHead): Promise<readonly string[]> {
  const last = await readValue(store, entryKey(guild, period, head.seq));
  return last === undefined ? [] : ['pruning was cut short; run it again'];
}

/** Reads a head, or answers in one sentence why it is of no use. A guild without one has an empty account. */
async function readHead(store: Store, { guild, period }: Account): Promise<AccountHead | string> {
  const head = await readValue(store, headKey(guild, period));
  if (isHead(head)) return head;
  if (head === unreadable) return 'the head cannot be read';
  if (head !== undefined) return 'the head does not say how many entries there are';
  const first = await readValue(store, entryKey(guild, period, 1));
  return first === undefined ? emptyJournal().head : 'the head is missing';
}

function isHead(value: unknown): value is AccountHead {
  const isObject = typeof value === 'object' && value !== null && 'seq' in value;
  return isObject && typeof value.seq === 'number' && Number.isSafeInteger(value.seq) && value.seq >= 0;
}

/** Replays what has come since, as far as there is anything: a head with a wrong number must not lead into the void. */
async function continueReplay(
  store: Store,
  account: Account,
  journal: ReplayedJournal,
  last: number,
): Promise<ReplayedJournal> {
  const pages = readJournalLines(store, account, { first: journal.head.seq + 1, last });
  return replayJournal(untilNothingFollows(pages), account.period, journal);
}

async function* untilNothingFollows(
  pages: AsyncIterable<readonly JournalLine[]>,
): AsyncGenerator<readonly JournalLine[]> {
  for await (const page of pages) {
    if (page.every((line) => line === 'missing')) return;
    yield page;
  }
}

function compareHead({ pruned: _pruned, ...head }: AccountHead, journal: ReplayedJournal): readonly string[] {
  const { seq, lastHash } = journal.head;
  if (seq < head.seq) return [`${nameEntries(seq + 1, head.seq)} missing`];
  const isChanged = journal.isLastHashKnown && head.lastHash !== lastHash;
  const chain = isChanged ? [`entry ${seq} has another SHA-256 than the one that the head carries on`] : [];
  const others = differences({ ...head, lastHash: undefined }, { ...journal.head, lastHash: undefined });
  return [...chain, ...others.map((difference) => `the head's ${difference}`)];
}

/** Entries that are missing in a row are told in one line. */
function tellFaults(faults: readonly JournalFault[]): readonly string[] {
  const lines: string[] = [];
  let missing: { readonly first: number; readonly last: number } | undefined;
  const flush = (): void => {
    if (missing) lines.push(`${nameEntries(missing.first, missing.last)} missing`);
    missing = undefined;
  };
  for (const { seq, problem } of faults) {
    if (problem !== 'is missing') {
      flush();
      lines.push(`entry ${seq} ${problem}`);
    } else {
      if (missing && seq !== missing.last + 1) flush();
      missing = { first: missing?.first ?? seq, last: seq };
    }
  }
  flush();
  return lines;
}

function nameEntries(first: number, last: number): string {
  return first === last ? `entry ${first} is` : `entries ${first} to ${last} are`;
}

/** A value that the journal determines. */
type Row = { readonly kind: 'transfer' | 'member'; readonly id: string };
type WrongRow = Row & { readonly name: string; readonly problem: string };

function rowsOf({ transfers, members }: ReplayedJournal): readonly Row[] {
  return [
    ...[...transfers.keys()].map((id) => ({ kind: 'transfer', id }) as const),
    ...[...members.keys()].map((id) => ({ kind: 'member', id }) as const),
  ];
}

/** Answers those of the rows that are not what the journal gives. */
async function findWrongRows(
  store: Store,
  { guild, period }: Account,
  journal: ReplayedJournal,
  rows: readonly Row[],
): Promise<readonly WrongRow[]> {
  const wrong: WrongRow[] = [];
  for (let first = 0; first < rows.length; first += ROWS_PER_READ) {
    const batch = rows.slice(first, first + ROWS_PER_READ);
    const keys = batch.map(({ kind, id }) =>
      kind === 'transfer' ? transferKey(guild, id) : memberKey(guild, period, id),
    );
    const values = await readValues(store, keys);
    batch.forEach((row, index) => {
      const expected = row.kind === 'transfer' ? journal.transfers.get(row.id) : journal.members.get(row.id);
      const problem = problemOf(values[index], expected);
      if (problem !== undefined) wrong.push({ ...row, name: `${row.kind} ${row.id}`, problem });
    });
  }
  return wrong;
}

function problemOf(value: unknown, expected: unknown): string | undefined {
  if (value === undefined) return 'is missing';
  if (value === unreadable) return 'cannot be read';
  const found = differences(value, expected);
  return found.length === 0 ? undefined : `says: ${found.join(', ')}`;
}

/** An older head that was put back would look right in itself; the entry after it gives it away. */
async function findEntryBeyond(store: Store, account: Account, head: AccountHead): Promise<readonly string[]> {
  const { guild, period } = account;
  if ((await readValue(store, entryKey(guild, period, head.seq + 1))) === undefined) return [];
  const later = await readHead(store, account);
  const hasMoved = typeof later !== 'string' && later.seq !== head.seq;
  return hasMoved ? [] : [`entry ${head.seq + 1} is there, and the head ends with entry ${head.seq}`];
}
