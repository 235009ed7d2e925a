import type { Versioned } from '../storage/store.ts';
import type { AccountHead, Applied, TransferState } from './guild-account.ts';
import type { MemberAccount } from './member-account.ts';

/** What a movement is decided on: the parts of an account as they were at one moment. */
export type AccountParts = {
  /** Undefined where the account has no entries yet. */
  readonly head: Versioned<AccountHead> | undefined;
  readonly transfer: TransferState | undefined;
  readonly member: MemberAccount | undefined;
};

/**
 * Accounts as they were left by the last commit of this process, as long as something of its own is in flight there. It
 * spares the way of a call through the ledger all reading but the first: one round trip, where there were nine.
 *
 * Nothing here is to be trusted. The parts of transfers and members change only together with the head, so a commit
 * that is guarded by the version of the remembered head cannot get through where anything has changed; a refusal has
 * no such guard, and has to be found on what the store holds.
 */
export type AccountMemory = {
  /** What is remembered of an account, which forgets it: until a commit has got through, nobody knows what is true. */
  take(key: string): RememberedAccount | undefined;
  /** Remembers an account, unless nothing of it is in flight. */
  keep(key: string, account: RememberedAccount): void;
};

/** All parts belong to the version of the head. */
export type RememberedAccount = {
  readonly head: Versioned<AccountHead>;
  /** Those in flight; there can be 32 at the most. */
  readonly transfers: ReadonlyMap<string, TransferState>;
  /** The members of those. */
  readonly members: ReadonlyMap<string, MemberAccount>;
};

/** Far more than are busy at once; some kilobytes each. */
const ACCOUNTS_MAX = 256;

export function createAccountMemory(): AccountMemory {
  const accounts = new Map<string, RememberedAccount>();
  return {
    take(key) {
      const account = accounts.get(key);
      accounts.delete(key);
      return account;
    },
    keep(key, account) {
      if (account.transfers.size === 0) return;
      accounts.set(key, account);
      // Whoever is kept goes last, so the first has been out of use the longest.
      const [longestUnused] = accounts.keys();
      if (accounts.size > ACCOUNTS_MAX && longestUnused !== undefined) accounts.delete(longestUnused);
    },
  };
}

/** What is remembered of one transfer and its account; undefined where the transfer is not remembered. */
export function partsOf(account: RememberedAccount | undefined, transferId: string): AccountParts | undefined {
  const transfer = account?.transfers.get(transferId);
  const member = transfer && account?.members.get(transfer.member);
  return account && member && { head: account.head, transfer, member };
}

/**
 * An account after a commit.
 * @param before what was remembered of it, of which nothing holds any more where the commit was guarded by another version
 * @param guardedBy the version of the head that the commit replaced
 */
export function accountAfter(
  before: RememberedAccount | undefined,
  guardedBy: string | undefined,
  {
    transferId,
    version,
    applied,
  }: { readonly transferId: string; readonly version: string; readonly applied: Applied },
): RememberedAccount {
  const { head, transfer, member } = applied;
  const stillTrue = before?.head.version === guardedBy ? before : undefined;
  const transfers = new Map(stillTrue?.transfers).set(transferId, transfer);
  const members = new Map(stillTrue?.members).set(transfer.member, member);
  if (!(transferId in head.open)) transfers.delete(transferId);
  if (![...transfers.values()].some((other) => other.member === transfer.member)) members.delete(transfer.member);
  return { head: { value: head, version }, transfers, members };
}
