import type { AccountHead, Entry, TransferState } from './guild-account.ts';
import type { MemberAccount } from './member-account.ts';
import { applyMovement, emptyHead, hashEntry, memberOf } from './guild-account.ts';
import { emptyMember } from './member-account.ts';
import { unlessTooLarge } from './money.ts';
import type { Period } from './period.ts';
import { dayOfSnowflake, periodOfSnowflake } from './period.ts';

/** What was found where an entry should be. */
export type JournalLine = Entry | 'missing' | 'unreadable';

/** Something in a journal that an honest ledger cannot have written. */
export type JournalFault = {
  /** The number of the entry. */
  readonly seq: number;
  readonly problem: string;
};

/** Everything that follows from a guild's journal of one month. */
export type ReplayedJournal = {
  readonly head: AccountHead;
  readonly transfers: ReadonlyMap<string, TransferState>;
  readonly members: ReadonlyMap<string, MemberAccount>;
  /** False after an entry that could not be read, until the next one tells its hash. */
  readonly isLastHashKnown: boolean;
  readonly faults: readonly JournalFault[];
};

export function emptyJournal(): ReplayedJournal {
  return { head: emptyHead(), transfers: new Map(), members: new Map(), isLastHashKnown: true, faults: [] };
}

/**
 * Replays a month's journal, or the rest of one, and answers everything that it adds up to.
 *
 * Each entry goes once more through the state machine that wrote it, so what is found to be in order here is in order
 * by the rules of the account itself. A fault never stops the replay: what comes after it is told as well.
 */
export async function replayJournal(
  pages: AsyncIterable<readonly JournalLine[]> | Iterable<readonly JournalLine[]>,
  period: Period,
  start: ReplayedJournal = emptyJournal(),
): Promise<ReplayedJournal> {
  const journal: OpenJournal = {
    head: start.head,
    transfers: new Map(start.transfers),
    members: new Map(start.members),
    isLastHashKnown: start.isLastHashKnown,
    faults: [...start.faults],
  };
  for await (const page of pages) for (const line of page) replayLine(journal, line, period);
  return journal;
}

type OpenJournal = {
  head: AccountHead;
  readonly transfers: Map<string, TransferState>;
  readonly members: Map<string, MemberAccount>;
  isLastHashKnown: boolean;
  readonly faults: JournalFault[];
};

function replayLine(journal: OpenJournal, line: JournalLine, period: Period): void {
  const seq = journal.head.seq + 1;
  if (typeof line === 'string') {
    journal.faults.push({ seq, problem: line === 'missing' ? 'is missing' : 'cannot be read' });
    journal.head = { ...journal.head, seq };
    journal.isLastHashKnown = false;
    return;
  }
  if (line.seq !== seq) journal.faults.push({ seq, problem: `calls itself entry ${line.seq}` });
  if (journal.isLastHashKnown && line.prevHash !== journal.head.lastHash) {
    const problem =
      seq === 1 ? 'does not begin the chain' : `has another SHA-256 than the one that entry ${seq} carries on`;
    journal.faults.push({ seq: Math.max(1, seq - 1), problem });
  }
  const problem = applyEntry(journal, line, period);
  if (problem !== undefined) journal.faults.push({ seq, problem });
  // The chain goes on from the entry as it stands, so that one that was changed is told once and not ever after.
  journal.head = { ...journal.head, seq, lastHash: hashEntry(line) };
  journal.isLastHashKnown = true;
}

/** Adds one entry to the totals, or answers why it cannot be. */
function applyEntry(journal: OpenJournal, entry: Entry, period: Period): string | undefined {
  const { v: _version, seq: _number, prevHash: _chain, transfer, at, held, ...movement } = entry;
  if (periodOfSnowflake(transfer) !== period) return `is of transfer ${transfer}, which belongs to another month`;
  const current = journal.transfers.get(transfer);
  const member = memberOf(current, movement) ?? '';
  // Budgets were another day's: what was granted is taken as granted.
  const day = dayOfSnowflake(transfer);
  const order = { transfer, period, day, at, movement, limit: Number.MAX_SAFE_INTEGER };
  // Amounts that no honest ledger would have taken are no reason to end the replay.
  const outcome = unlessTooLarge(() =>
    applyMovement({ head: journal.head, member: journal.members.get(member) ?? emptyMember() }, current, order),
  );
  if (outcome === 'too-large') return 'adds up to more than can be counted';
  if (outcome.refused !== undefined) {
    return `is a ${movement.type} of transfer ${transfer} after ${current?.type ?? 'nothing'} (${outcome.refused})`;
  }
  journal.head = outcome.head;
  journal.transfers.set(transfer, outcome.transfer);
  journal.members.set(member, outcome.member);
  return outcome.entry.held === held ? undefined : `says that ${held} was held, and it was ${outcome.entry.held}`;
}
