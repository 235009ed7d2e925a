import { lostRace, untilCommitted } from '../storage/lost-race.ts';
import type { Store } from '../storage/store.ts';
import type { AccountParts, RememberedAccount } from './account-memory.ts';
import { accountAfter, createAccountMemory, partsOf } from './account-memory.ts';
import type { AccountHead, Applied, Conditions, Movement, Refusal, TransferState } from './guild-account.ts';
import { applyMovement, emptyHead, memberOf } from './guild-account.ts';
import type { GuildIndex } from './guild-index.ts';
import { entryKey, headKey, memberKey, transferKey } from './ledger-keys.ts';
import type { MemberAccount } from './member-account.ts';
import { emptyMember } from './member-account.ts';
import { createMutex } from './mutex.ts';
import type { Period } from './period.ts';
import { dayOfSnowflake, periodOfSnowflake } from './period.ts';

/** A request in one guild's account. The transfer's id is the id of its interaction. */
export type TransferRef = { readonly guild: string; readonly transfer: string };

/**
 * Brings one movement into an account, whole, or says why it must not be.
 * @param conditions what must hold at the moment of the commit
 */
export type Move = (ref: TransferRef, movement: Movement, conditions?: Conditions) => Promise<Applied | Refusal>;

/**
 * The way of every movement: the parts of its account are read or remembered, the account decides, and the entry is
 * committed together with all that it changes, if the head is still the one that was decided on.
 */
export function createMovements(parts: {
  store: Store;
  index: GuildIndex;
  now: () => number;
  random: () => number;
  sleep: (ms: number) => Promise<unknown>;
}): Move {
  const { store, index, now } = parts;
  // Within one process the guild's requests take turns, so that they do not lose races against each other.
  const mutex = createMutex();
  const memory = createAccountMemory();

  return async (ref, movement, conditions = {}) => {
    const period = periodOfSnowflake(ref.transfer);
    const key = headKey(ref.guild, period);
    return mutex.run(key, async () => {
      const account = memory.take(key);
      const order = { ...ref, period, key, movement, conditions };
      const remembered = partsOf(account, ref.transfer);
      const outcome = remembered && (await commitOn(remembered, order, account));
      // What is remembered may be out of date, and nothing but a commit proves that it is not.
      if (outcome && outcome !== lostRace && outcome.refused === undefined) return outcome;
      return untilCommitted(parts, async () => commitOn(await readParts(order), order, account));
    });
  };

  /** Decides on these parts, and commits if they are still true. */
  async function commitOn(
    { head, transfer: current, member = emptyMember() }: AccountParts,
    { guild, transfer, period, key, movement, conditions }: Order,
    account: RememberedAccount | undefined,
  ): Promise<Applied | Refusal | typeof lostRace> {
    const order = { transfer, period, day: dayOfSnowflake(transfer), at: now(), movement, ...conditions };
    const outcome = applyMovement({ head: head?.value ?? emptyHead(), member }, current, order);
    if (outcome.refused !== undefined) return outcome;
    // Before a guild's first entry: an index that names a guild too many is harmless, one too few is not.
    if (!head) await index.add(guild, period);
    const version = await store.commit({
      guard: { key, expected: head?.version, next: outcome.head },
      writes: [
        { key: entryKey(guild, period, outcome.entry.seq), value: outcome.entry },
        { key: transferKey(guild, transfer), value: outcome.transfer },
        { key: memberKey(guild, period, outcome.transfer.member), value: outcome.member },
      ],
    });
    if (version === undefined) return lostRace;
    memory.keep(key, accountAfter(account, head?.version, { transferId: transfer, version, applied: outcome }));
    return outcome;
  }

  /** The parts of the account as the store holds them, all at one moment. */
  async function readParts(order: Order): Promise<AccountParts> {
    const { guild, transfer, movement } = order;
    // A reservation says itself whose it is.
    if (movement.type === 'reserve') return readPartsOf(order, movement.details.member);
    const state = await store.read<TransferState>(transferKey(guild, transfer));
    return readPartsOf(order, state?.value.member);
  }

  async function readPartsOf(order: Order, expected: string | undefined): Promise<AccountParts> {
    const { guild, transfer, period, key, movement } = order;
    const keys = [key, transferKey(guild, transfer), memberKey(guild, period, expected ?? '')] as const;
    const [head, state, member] = await store.readTogether<AccountHead, TransferState, MemberAccount>(keys);
    // A request that came to be since it was looked for has a member after all. Whose it is never changes from then on.
    const found = memberOf(state?.value, movement);
    if (found !== expected) return readPartsOf(order, found);
    return { head, transfer: state?.value, member: member?.value };
  }
}

/** A movement on its way into the account whose head has this key. */
type Order = TransferRef & {
  readonly period: Period;
  readonly key: string;
  readonly movement: Movement;
  readonly conditions: Conditions;
};
