import { hash } from 'node:crypto';
import type { MemberAccount, MemberLimits, Totals } from './member-account.ts';
import { remainingAllowance, spentOrHeld } from './member-account.ts';
import type { NanoUsd } from './money.ts';
import { requireNanoUsd } from './money.ts';

/**
 * A guild's account for one month, as a pure state machine: head, member, transfer and movement in; next head, member
 * and transfer and an entry out, or a refusal. Everything that can go wrong with storage happens elsewhere; everything
 * that can go wrong with money is decided here.
 *
 *     reserve ─▶ dispatch ─▶ post ─▶ adjust
 *        │          ├─────▶ void
 *        └─▶ void   └─────▶ unknown ─▶ post, void, or release ─▶ post
 */

/** What an entry of the journal does to the account. */
export type MovementType = 'reserve' | 'dispatch' | 'post' | 'void' | 'unknown' | 'release' | 'adjust';

/** A request that is in flight: its estimate is held, and nobody else can spend it. */
export type Hold = {
  readonly amount: NanoUsd;
  readonly member: string;
  readonly state: 'reserved' | 'dispatched';
  /** Milliseconds since the epoch; after it nobody waits for this request any more. */
  readonly expiresAt: number;
};

export type AccountHead = {
  readonly v: 1;
  /** The number of the last entry; entries are numbered from 1 without holes. */
  readonly seq: number;
  readonly settled: NanoUsd;
  /** The sum of the open holds. */
  readonly held: NanoUsd;
  /** The sum of calls whose outcome is not known. Counts against the budget until somebody finds out. */
  readonly exposure: NanoUsd;
  readonly counts: Readonly<Record<MovementType, number>>;
  readonly open: Readonly<Record<string, Hold>>;
  /** The SHA-256 of the last entry, in hex; the next entry carries it. */
  readonly lastHash: string;
  /** The entries lie in an archive, and no longer here. */
  readonly pruned?: PrunedMark;
};

/** Where the entries of a month went. */
export type PrunedMark = {
  /** The SHA-256 of the archive's manifest, in hex. */
  readonly manifestSha256: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

/** Where a transfer stands. Its id is the interaction's, so an interaction can be paid for once only. */
export type TransferState = {
  readonly period: string;
  readonly seq: number;
  /** An adjusted transfer is still a posted one, so that it can be adjusted again. */
  readonly type: Exclude<MovementType, 'adjust'>;
  /** What was estimated, or for a posted transfer what it cost. */
  readonly amount: NanoUsd;
  readonly member: string;
  /** How many images were asked for. */
  readonly images: number;
  /** Why it ended, where it ended without a picture. */
  readonly reason?: string;
};

/** What a reservation and a charge tell about the request; the entries between take it from there. */
export type RequestDetails = {
  readonly member: string;
  readonly model: string;
  readonly size: string;
  readonly quality: string;
  readonly count: number;
  readonly promptSha256: string;
};

/** What the provider charged, and how we know. */
export type Charge = {
  readonly cost: NanoUsd;
  /** The provider's usage object as it was sent, unknown fields included. */
  readonly usage: unknown;
  readonly priceVersion: string;
  readonly rule: string;
  readonly requestId?: string | undefined;
  /** Who found the cost out and how, where it was not the provider's answer that told it. */
  readonly reconciled?: { readonly by: string; readonly reason: string };
};

export type Movement =
  | { readonly type: 'reserve'; readonly amount: NanoUsd; readonly expiresAt: number; readonly details: RequestDetails }
  | { readonly type: 'dispatch'; readonly expiresAt: number }
  | { readonly type: 'post'; readonly charge: Charge; readonly details: RequestDetails }
  | { readonly type: 'void'; readonly reason: string }
  | {
      readonly type: 'unknown';
      readonly reason: string;
      /** The pictures arrived, only their price did not: the estimate stands in for it. */
      readonly estimated?: boolean;
      readonly requestId?: string | undefined;
    }
  | { readonly type: 'release'; readonly reason: string; readonly by: string }
  | { readonly type: 'adjust'; readonly amount: NanoUsd; readonly reason: string; readonly by: string };

/** One immutable line of the journal: the movement, when it happened, and the chain to the line before. */
export type Entry = Movement & {
  readonly v: 1;
  readonly seq: number;
  readonly transfer: string;
  readonly at: number;
  /** The estimate that the transfer held, so that replaying needs nothing but the journal. */
  readonly held: NanoUsd;
  readonly prevHash: string;
};

export type Refusal =
  | { readonly refused: 'duplicate'; readonly transfer: TransferState }
  | { readonly refused: 'over-budget'; readonly remaining: NanoUsd }
  | { readonly refused: 'over-member-budget'; readonly remaining: NanoUsd }
  | { readonly refused: 'too-many-images'; readonly remaining: number }
  | { readonly refused: 'too-many-open'; readonly whose: 'server' | 'member' }
  | { readonly refused: 'expired' }
  | { readonly refused: 'out-of-order'; readonly transfer: TransferState | undefined };

export type Applied = {
  readonly refused?: undefined;
  readonly head: AccountHead;
  readonly member: MemberAccount;
  readonly entry: Entry;
  readonly transfer: TransferState;
};

/** The most requests that one guild can have in flight. */
export const OPEN_HOLDS_MAX = 32;
const NO_HASH = '0'.repeat(64);

export function emptyHead(): AccountHead {
  return {
    v: 1,
    seq: 0,
    settled: 0,
    held: 0,
    exposure: 0,
    counts: { reserve: 0, dispatch: 0, post: 0, void: 0, unknown: 0, release: 0, adjust: 0 },
    open: {},
    lastHash: NO_HASH,
  };
}

/** What may still be reserved under a limit. Negative after a call that cost more than its estimate. */
export function remainingBudget(head: AccountHead, limit: NanoUsd): NanoUsd {
  return limit - spentOrHeld(head);
}

/** Whose part of the account a movement changes. */
export function memberOf(current: TransferState | undefined, movement: Movement): string | undefined {
  return movement.type === 'reserve' ? movement.details.member : current?.member;
}

/** The parts of an account that every movement changes together. */
type Account = { readonly head: AccountHead; readonly member: MemberAccount };

/** What a movement is measured against, besides the order of movements. */
export type Conditions = {
  /** The month's budget; only a reservation is measured against it. */
  readonly limit?: NanoUsd;
  /** What the member may spend and make; only a reservation is measured against it. */
  readonly memberLimits?: MemberLimits;
  /** The one movement that this one may follow, where the account's own order is not narrow enough. */
  readonly onlyAfter?: MovementType;
  /** What the transfer must still be booked at, for a correction that was worked out from it. */
  readonly onlyFrom?: NanoUsd;
};

/** A movement of a transfer, and what must hold for it. */
type Order = Conditions & {
  readonly transfer: string;
  readonly period: string;
  /** The UTC day of the request, as `YYYYMMDD`. */
  readonly day: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly movement: Movement;
};

/** Applies one movement to an account, or says why it must not be. */
export function applyMovement(
  { head, member }: Account,
  current: TransferState | undefined,
  order: Order,
): Applied | Refusal {
  const { transfer, movement } = order;
  const hold = head.open[transfer];
  const refusal = refuse({ head, member }, current, hold, order);
  if (refusal) return refusal;

  const held = hold?.amount ?? (movement.type === 'reserve' ? movement.amount : (current?.amount ?? 0));
  const seq = head.seq + 1;
  const entry: Entry = { v: 1, seq, transfer, at: order.at, held, ...movement, prevHash: head.lastHash };
  return {
    entry,
    head: {
      ...head,
      ...totalsAfter(head, current, held, movement),
      seq,
      counts: { ...head.counts, [movement.type]: head.counts[movement.type] + 1 },
      open: openAfter(head.open, transfer, movement),
      lastHash: hashEntry(entry),
    },
    member: {
      ...member,
      ...totalsAfter(member, current, held, movement),
      imagesByDay: imagesAfter(member.imagesByDay, order.day, current, movement),
    },
    transfer: {
      period: order.period,
      seq,
      type: movement.type === 'adjust' ? 'post' : movement.type,
      amount: amountAfter(current, held, movement),
      member: memberOf(current, movement) ?? '',
      images: movement.type === 'reserve' ? movement.details.count : (current?.images ?? 0),
      ...('reason' in movement ? { reason: movement.reason } : {}),
    },
  };
}

const allowedAfter: Readonly<Record<TransferState['type'] | 'nothing', readonly MovementType[]>> = {
  nothing: ['reserve'],
  reserve: ['dispatch', 'void'],
  dispatch: ['post', 'void', 'unknown'],
  // The answer that nobody waited for any more turns up, and may be a refusal.
  unknown: ['post', 'void', 'release'],
  // A charge that shows up after the operator gave it up is still a charge.
  release: ['post'],
  post: ['adjust'],
  void: [],
};

function refuse(
  { head, member }: Account,
  current: TransferState | undefined,
  hold: Hold | undefined,
  order: Order,
): Refusal | undefined {
  const { movement } = order;
  // What lies in an archive is closed: a request that is as old as that cannot come again.
  if (head.pruned) return { refused: 'out-of-order', transfer: current };
  if (movement.type === 'reserve' && current) return { refused: 'duplicate', transfer: current };
  const isInOrder = allowedAfter[current?.type ?? 'nothing'].includes(movement.type);
  if (!isInOrder || (order.onlyAfter && order.onlyAfter !== current?.type)) {
    return { refused: 'out-of-order', transfer: current };
  }
  // Two corrections that were worked out from the same cost would correct it twice.
  if (order.onlyFrom !== undefined && order.onlyFrom !== current?.amount) {
    return { refused: 'out-of-order', transfer: current };
  }
  if (movement.type === 'dispatch' && (!hold || hold.expiresAt <= order.at)) return { refused: 'expired' };
  if (movement.type !== 'reserve') return undefined;

  const holds = Object.values(head.open);
  if (holds.length >= OPEN_HOLDS_MAX) return { refused: 'too-many-open', whose: 'server' };
  const own = holds.filter(({ member: holder }) => holder === movement.details.member);
  if (!(own.length < (order.memberLimits?.openHolds ?? Infinity))) return { refused: 'too-many-open', whose: 'member' };
  const remaining = remainingBudget(head, requireNanoUsd(order.limit ?? 0));
  if (movement.amount > remaining) return { refused: 'over-budget', remaining };
  return refuseMember(member, movement, order.day, order.memberLimits ?? {});
}

function refuseMember(
  member: MemberAccount,
  movement: Extract<Movement, { type: 'reserve' }>,
  day: string,
  limits: MemberLimits,
): Refusal | undefined {
  const { nanoUsd, images } = remainingAllowance(member, limits, day);
  if (movement.amount > nanoUsd) return { refused: 'over-member-budget', remaining: nanoUsd };
  return movement.details.count <= images ? undefined : { refused: 'too-many-images', remaining: images };
}

function totalsAfter(before: Totals, current: TransferState | undefined, held: NanoUsd, movement: Movement): Totals {
  const isExposed = current?.type === 'unknown';
  const isReleased = current?.type === 'release';
  const totals = { settled: before.settled, held: before.held, exposure: before.exposure };
  switch (movement.type) {
    case 'reserve':
      totals.held += movement.amount;
      break;
    case 'dispatch':
      break;
    case 'post':
      if (isExposed) totals.exposure -= held;
      else if (!isReleased) totals.held -= held;
      totals.settled += movement.charge.cost;
      break;
    case 'void':
      if (isExposed) totals.exposure -= held;
      else totals.held -= held;
      break;
    case 'unknown':
      totals.held -= held;
      totals.exposure += held;
      break;
    case 'release':
      totals.exposure -= held;
      break;
    case 'adjust':
      totals.settled += movement.amount;
      break;
  }
  requireNanoUsd(totals.settled);
  requireNanoUsd(totals.held);
  requireNanoUsd(totals.exposure);
  return totals;
}

/** Images count from their reservation on, and not while it is held to be certain that they were not made. */
function imagesAfter(
  imagesByDay: MemberAccount['imagesByDay'],
  day: string,
  current: TransferState | undefined,
  movement: Movement,
): MemberAccount['imagesByDay'] {
  const before = imagesByDay[day] ?? 0;
  const images = current?.images ?? 0;
  if (movement.type === 'reserve') return { ...imagesByDay, [day]: before + movement.details.count };
  if (movement.type === 'void' || movement.type === 'release') return { ...imagesByDay, [day]: before - images };
  // Given up, and made after all.
  if (movement.type === 'post' && current?.type === 'release') return { ...imagesByDay, [day]: before + images };
  return imagesByDay;
}

function openAfter(open: AccountHead['open'], transfer: string, movement: Movement): AccountHead['open'] {
  if (movement.type === 'reserve') {
    const { amount, expiresAt, details } = movement;
    return { ...open, [transfer]: { amount, member: details.member, state: 'reserved', expiresAt } };
  }
  const { [transfer]: hold, ...others } = open;
  if (movement.type === 'dispatch' && hold) {
    return { ...others, [transfer]: { ...hold, state: 'dispatched', expiresAt: movement.expiresAt } };
  }
  return others;
}

function amountAfter(current: TransferState | undefined, held: NanoUsd, movement: Movement): NanoUsd {
  if (movement.type === 'post') return movement.charge.cost;
  if (movement.type === 'adjust') return (current?.amount ?? 0) + movement.amount;
  return held;
}

/** The SHA-256 of an entry in hex, over the JSON in which it is stored. */
export function hashEntry(entry: Entry): string {
  return hash('sha256', JSON.stringify(entry), 'hex');
}
