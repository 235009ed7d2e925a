import { lostRace, untilCommitted } from '../storage/lost-race.ts';
import type { Store } from '../storage/store.ts';
import { StoreFailure } from '../storage/store.ts';
import type {
  AccountHead,
  Applied,
  Charge,
  Entry,
  Movement,
  MovementType,
  Refusal,
  RequestDetails,
  TransferState,
} from './guild-account.ts';
import { applyMovement, emptyHead } from './guild-account.ts';
import { createGuildIndex } from './guild-index.ts';
import { entryKey, headKey, transferKey } from './ledger-keys.ts';
import { createMutex } from './mutex.ts';
import type { NanoUsd } from './money.ts';
import type { Period } from './period.ts';
import { periodOfSnowflake } from './period.ts';

/** A request in one guild's account. The transfer's id is the id of its interaction. */
export type TransferRef = { readonly guild: string; readonly transfer: string };

export type Ledger = {
  /** Checks the budget and holds the estimate, in one step. */
  reserve(
    ref: TransferRef,
    order: { amount: NanoUsd; limit: NanoUsd; expiresAt: number; details: RequestDetails },
  ): Promise<Applied | Refusal>;
  /** The fence before the network call: unless this is granted, the call must not be made. */
  dispatch(ref: TransferRef, expiresAt: number): Promise<Applied | Refusal>;
  /** Replaces the hold, or a former unknown, by what the call cost. */
  post(ref: TransferRef, charge: Charge, details: RequestDetails): Promise<Applied | Refusal>;
  /** Frees the hold: provably nothing was made. */
  void(ref: TransferRef, reason: string): Promise<Applied | Refusal>;
  /** Frees the hold of a request that never went out; refused as out of order if it did. */
  voidUndispatched(ref: TransferRef, reason: string): Promise<Applied | Refusal>;
  /** Nobody knows what was made: the estimate counts against the budget until somebody finds out. */
  unknown(
    ref: TransferRef,
    why: { reason: string; estimated?: boolean; requestId?: string | undefined },
  ): Promise<Applied | Refusal>;
  /** Gives up an unknown, by a rule or by an administrator. */
  release(ref: TransferRef, why: { reason: string; by: string }): Promise<Applied | Refusal>;
  /** Corrects a posted transfer by a signed amount. */
  adjust(ref: TransferRef, correction: { amount: NanoUsd; reason: string; by: string }): Promise<Applied | Refusal>;

  transfer(ref: TransferRef): Promise<TransferState | undefined>;
  head(guild: string, period: Period): Promise<AccountHead>;
  /** The journal in order, a page of entries at a time. */
  entries(guild: string, period: Period): AsyncGenerator<readonly Entry[]>;
  /**
   * Ends every hold that nobody waits for any more: a request that never went out is freed, one that did is unknown.
   * @returns how many holds were ended.
   */
  expireHolds(guild: string, period: Period): Promise<number>;
  /** The guilds that have entries in a month. */
  guilds(period: Period): Promise<readonly string[]>;
};

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
  // Within one process the guild's requests take turns, so that they do not lose races against each other.
  const mutex = createMutex();

  async function move(ref: TransferRef, movement: Movement, conditions: Conditions = {}): Promise<Applied | Refusal> {
    const period = periodOfSnowflake(ref.transfer);
    const key = headKey(ref.guild, period);
    return mutex.run(key, async () =>
      untilCommitted(parts, async () => {
        const head = await store.read<AccountHead>(key);
        const current = await store.read<TransferState>(transferKey(ref.guild, ref.transfer));
        const order = { transfer: ref.transfer, period, at: now(), movement, ...conditions };
        const outcome = applyMovement(head?.value ?? emptyHead(), current?.value, order);
        if (outcome.refused !== undefined) return outcome;
        // Before a guild's first entry: an index that names a guild too many is harmless, one too few is not.
        if (!head) await index.add(ref.guild, period);
        const isCommitted = await store.commit({
          guard: { key, expected: head?.version, next: outcome.head },
          writes: [
            { key: entryKey(ref.guild, period, outcome.entry.seq), value: outcome.entry },
            { key: transferKey(ref.guild, ref.transfer), value: outcome.transfer },
          ],
        });
        return isCommitted ? outcome : lostRace;
      }),
    );
  }

  const readHead: Ledger['head'] = async (guild, period) =>
    (await store.read<AccountHead>(headKey(guild, period)))?.value ?? emptyHead();

  return {
    reserve: async (ref, { limit, ...order }) => move(ref, { type: 'reserve', ...order }, { limit }),
    dispatch: async (ref, expiresAt) => move(ref, { type: 'dispatch', expiresAt }),
    post: async (ref, charge, details) => move(ref, { type: 'post', charge, details }),
    void: async (ref, reason) => move(ref, { type: 'void', reason }),
    voidUndispatched: async (ref, reason) => move(ref, { type: 'void', reason }, { onlyAfter: 'reserve' }),
    unknown: async (ref, why) => move(ref, { type: 'unknown', ...why }),
    release: async (ref, why) => move(ref, { type: 'release', ...why }),
    adjust: async (ref, correction) => move(ref, { type: 'adjust', ...correction }),
    transfer: async (ref) => (await store.read<TransferState>(transferKey(ref.guild, ref.transfer)))?.value,
    head: readHead,
    entries: (guild, period) => readEntries(store, guild, period, readHead),
    guilds: async (period) => index.list(period),

    async expireHolds(guild, period) {
      const { open } = await readHead(guild, period);
      const expired = Object.entries(open).filter(([, hold]) => hold.expiresAt <= now());
      let ended = 0;
      for (const [transfer, hold] of expired) {
        // The state is checked again within the commit: a call that went out in the meantime must never be freed.
        const outcome =
          hold.state === 'reserved'
            ? await move({ guild, transfer }, { type: 'void', reason: 'expired' }, { onlyAfter: 'reserve' })
            : await move({ guild, transfer }, { type: 'unknown', reason: 'expired' }, { onlyAfter: 'dispatch' });
        if (outcome.refused === undefined) ended += 1;
      }
      return ended;
    },
  };
}

/** What must hold at the moment of the commit, besides the order of movements. */
type Conditions = { readonly limit?: NanoUsd; readonly onlyAfter?: MovementType };

async function* readEntries(
  store: Store,
  guild: string,
  period: Period,
  readHead: Ledger['head'],
): AsyncGenerator<readonly Entry[]> {
  const { seq: last } = await readHead(guild, period);
  for (let first = 1; first <= last; first += ENTRIES_PER_PAGE) {
    const seqs = Array.from({ length: Math.min(ENTRIES_PER_PAGE, last - first + 1) }, (_, offset) => first + offset);
    const page = await store.readMany<Entry>(seqs.map((seq) => entryKey(guild, period, seq)));
    yield page.map((entry, offset) => {
      if (!entry) throw new StoreFailure(`entry ${seqs[offset]} of guild ${guild} in ${period} is missing`);
      return entry;
    });
  }
}
