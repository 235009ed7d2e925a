import type { Store } from '../storage/store.ts';
import { StoreFailure, UnreadableValue } from '../storage/store.ts';
import type {
  AccountHead,
  Applied,
  Charge,
  Entry,
  Hold,
  Refusal,
  RequestDetails,
  TransferState,
} from './guild-account.ts';
import type { MemberAccount, MemberLimits } from './member-account.ts';
import { emptyHead } from './guild-account.ts';
import { emptyMember } from './member-account.ts';
import { createGuildIndex } from './guild-index.ts';
import { entryKey, headKey, memberKey, transferKey } from './ledger-keys.ts';
import type { TransferRef } from './movements.ts';
import { createMovements } from './movements.ts';
import type { NanoUsd } from './money.ts';
import type { Period } from './period.ts';
import { periodOfSnowflake, periodsBack } from './period.ts';

export type Ledger = {
  /** Checks the budget and the member's limits and holds the estimate, in one step. */
  reserve(
    ref: TransferRef,
    order: {
      amount: NanoUsd;
      limit: NanoUsd;
      memberLimits?: MemberLimits;
      expiresAt: number;
      details: RequestDetails;
    },
  ): Promise<Applied | Refusal>;
  /** The fence before the network call: unless this is granted, the call must not be made. */
  dispatch(ref: TransferRef, expiresAt: number): Promise<Applied | Refusal>;
  /** Replaces the hold, or a former unknown, by what the call cost. */
  post(ref: TransferRef, charge: Charge, details: RequestDetails): Promise<Applied | Refusal>;
  /** Frees the hold, or a former unknown: provably nothing was made. */
  void(ref: TransferRef, reason: string): Promise<Applied | Refusal>;
  /** Frees the hold of a request that never went out; refused as out of order if it did. */
  voidUndispatched(ref: TransferRef, reason: string): Promise<Applied | Refusal>;
  /** Nobody knows what was made: the estimate counts against the budget until somebody finds out. */
  unknown(
    ref: TransferRef,
    why: { reason: string; estimated?: boolean; requestId?: string | undefined },
  ): Promise<Applied | Refusal>;
  /** Gives up an unknown, as the operator has decided. */
  release(ref: TransferRef, why: { reason: string; by: string }): Promise<Applied | Refusal>;
  /**
   * Corrects a posted transfer by a signed amount.
   * @param from what the amount was worked out from; refused as out of order where the transfer is not booked at that
   */
  adjust(
    ref: TransferRef,
    correction: { amount: NanoUsd; reason: string; by: string },
    from?: NanoUsd,
  ): Promise<Applied | Refusal>;

  transfer(ref: TransferRef): Promise<TransferState | undefined>;
  head(guild: string, period: Period): Promise<AccountHead>;
  member(guild: string, period: Period, member: string): Promise<MemberAccount>;
  /** The journal in order, a page of entries at a time; nothing where it was pruned, as the head says. */
  entries(guild: string, period: Period, range?: EntryRange): AsyncGenerator<readonly Entry[]>;
  /**
   * Ends every hold that nobody waits for any more: a request that never went out is freed, one that did is unknown.
   * @returns how many holds were ended.
   */
  expireHolds(guild: string, period: Period): Promise<number>;
  /** The guilds that have entries in a month. */
  guilds(period: Period): Promise<readonly string[]>;
  /** The months up to this one in which a guild has entries, the latest first. */
  periods(guild: string, last: Period): Promise<readonly Period[]>;
};

/** A part of a journal, by the numbers of its entries: from the one behind `after` up to and including `upTo`. */
export type EntryRange = { readonly after: number; readonly upTo: number };

const ENTRIES_PER_PAGE = 500;

/**
 * The ledger: the journal of every guild's month, its head, and the state of every transfer, changed together or not
 * at all. It is safe among several processes on one store.
 */
export function createLedger(parts: {
  store: Store;
  now: () => number;
  random: () => number;
  sleep: (ms: number) => Promise<unknown>;
}): Ledger {
  const { store, now } = parts;
  const index = createGuildIndex(parts);
  const move = createMovements({ ...parts, index });

  const readMember: Ledger['member'] = async (guild, period, member) =>
    (await store.read<MemberAccount>(memberKey(guild, period, member)))?.value ?? emptyMember();

  const readHead: Ledger['head'] = async (guild, period) =>
    (await store.read<AccountHead>(headKey(guild, period)))?.value ?? emptyHead();

  /** The state is checked again within the commit: a call that went out in the meantime must never be freed. */
  const expire = async (ref: TransferRef, { state }: Hold): Promise<Applied | Refusal> =>
    state === 'reserved'
      ? move(ref, { type: 'void', reason: 'expired' }, { onlyAfter: 'reserve' })
      : move(ref, { type: 'unknown', reason: 'expired' }, { onlyAfter: 'dispatch' });

  return {
    reserve: async (ref, { limit, memberLimits = {}, ...order }) =>
      move(ref, { type: 'reserve', ...order }, { limit, memberLimits }),
    dispatch: async (ref, expiresAt) => move(ref, { type: 'dispatch', expiresAt }),
    post: async (ref, charge, details) => move(ref, { type: 'post', charge, details }),
    void: async (ref, reason) => move(ref, { type: 'void', reason }),
    voidUndispatched: async (ref, reason) => move(ref, { type: 'void', reason }, { onlyAfter: 'reserve' }),
    unknown: async (ref, why) => move(ref, { type: 'unknown', ...why }),
    release: async (ref, why) => move(ref, { type: 'release', ...why }),
    adjust: async (ref, correction, from) =>
      move(ref, { type: 'adjust', ...correction }, from === undefined ? {} : { onlyFrom: from }),
    transfer: async (ref) => (await store.read<TransferState>(transferKey(ref.guild, ref.transfer)))?.value,
    head: readHead,
    member: readMember,
    entries: (guild, period, range) => readEntries(store, { guild, period }, readHead, range),
    guilds: async (period) => index.list(period),
    periods: async (guild, last) => {
      const periods = periodsBack(last, periodOfSnowflake(guild));
      const heads = await store.readMany<AccountHead>(periods.map((period) => headKey(guild, period)));
      return periods.filter((_, place) => heads[place] !== undefined);
    },

    async expireHolds(guild, period) {
      const { open } = await readHead(guild, period);
      const expired = Object.entries(open).filter(([, hold]) => hold.expiresAt <= now());
      let ended = 0;
      let unreadable: UnreadableValue | undefined;
      for (const [transfer, hold] of expired) {
        try {
          const outcome = await expire({ guild, transfer }, hold);
          if (outcome.refused === undefined) ended += 1;
        } catch (error) {
          // It is told of when the others have been ended: they are somebody else's.
          if (!(error instanceof UnreadableValue)) throw error;
          unreadable = error;
        }
      }
      if (unreadable) throw unreadable;
      return ended;
    },
  };
}

async function* readEntries(
  store: Store,
  { guild, period }: { readonly guild: string; readonly period: Period },
  readHead: Ledger['head'],
  range?: EntryRange,
): AsyncGenerator<readonly Entry[]> {
  const head = await readHead(guild, period);
  // What was pruned is read from its archive.
  if (head.pruned) return;
  const last = Math.min(head.seq, range?.upTo ?? head.seq);
  for (let first = 1 + (range?.after ?? 0); first <= last; first += ENTRIES_PER_PAGE) {
    const seqs = Array.from({ length: Math.min(ENTRIES_PER_PAGE, last - first + 1) }, (_, offset) => first + offset);
    const page = await store.readMany<Entry>(seqs.map((seq) => entryKey(guild, period, seq)));
    yield page.map((entry, offset) => {
      if (!entry) throw new StoreFailure(`entry ${seqs[offset]} of guild ${guild} in ${period} is missing`);
      return entry;
    });
  }
}
