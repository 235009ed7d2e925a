import assert from 'node:assert/strict';
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
} from '../../src/billing/guild-account.ts';
import { applyMovement, emptyHead, memberOf } from '../../src/billing/guild-account.ts';
import type { MemberAccount, MemberLimits } from '../../src/billing/member-account.ts';
import { emptyMember } from '../../src/billing/member-account.ts';

/** A request as the journal tells it. */
export const details: RequestDetails = {
  member: 'mira',
  model: 'gpt-image-2',
  size: '1024x1024',
  quality: 'medium',
  count: 1,
  promptSha256: '0'.repeat(64),
};

export function chargeOf(cost: number, requestId = 'req_1'): Charge {
  return { cost, usage: { output_tokens: cost }, priceVersion: 'test', rule: 'tokens', requestId };
}

/** Every movement there is, so that tables of movements can be checked for gaps. */
export const movementTypes: readonly MovementType[] = [
  'reserve',
  'dispatch',
  'post',
  'void',
  'unknown',
  'release',
  'adjust',
];

export const PERIOD = '202611';
export const DAY = '20261120';
export const LIMIT = 1_000;
export const ESTIMATE = 100;
export const COST = 70;
export const EXPIRES_AT = 50;

export const movements: Readonly<Record<MovementType, Movement>> = {
  reserve: { type: 'reserve', amount: ESTIMATE, expiresAt: EXPIRES_AT, details },
  dispatch: { type: 'dispatch', expiresAt: EXPIRES_AT + 10 },
  post: { type: 'post', charge: chargeOf(COST), details },
  void: { type: 'void', reason: 'moderation' },
  unknown: { type: 'unknown', reason: 'timeout' },
  release: { type: 'release', reason: 'not on the invoice', by: 'ada' },
  adjust: { type: 'adjust', amount: -20, reason: 'credited', by: 'ada' },
};

/** An account that is moved step by step, with everything that it answered on the way. */
export function openAccount(limit = LIMIT) {
  let head: AccountHead = emptyHead();
  const members = new Map<string, MemberAccount>();
  const transfers = new Map<string, TransferState>();
  const entries: Entry[] = [];
  const memberNamed = (id: string): MemberAccount => members.get(id) ?? emptyMember();
  function move(
    movement: Movement,
    transfer = 'tx',
    options: {
      at?: number;
      day?: string;
      onlyAfter?: MovementType;
      onlyFrom?: number;
      memberLimits?: MemberLimits;
    } = {},
  ) {
    const { at = 0, day = DAY, ...conditions } = options;
    const order = { transfer, period: PERIOD, day, at, movement, limit, ...conditions };
    const current = freeze(transfers.get(transfer));
    const id = memberOf(current, movement) ?? '';
    const outcome = applyMovement({ head: freeze(head), member: freeze(memberNamed(id)) }, current, order);
    if (outcome.refused !== undefined) return outcome;
    head = outcome.head;
    members.set(id, outcome.member);
    transfers.set(transfer, outcome.transfer);
    entries.push(outcome.entry);
    return outcome;
  }
  return {
    move,
    /** Moves along a path on which nothing is refused. */
    walk: (path: readonly MovementType[], transfer = 'tx') =>
      path.forEach((type) => granted(move(movements[type], transfer))),
    get head() {
      return head;
    },
    member: memberNamed,
    get totals() {
      return { settled: head.settled, held: head.held, exposure: head.exposure };
    },
    transfers,
    entries,
  };
}

/** Nothing that goes in may be changed: a lost race starts again from what was read. */
function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

export function granted(outcome: Applied | Refusal): Applied {
  assert.equal(outcome.refused, undefined);
  assert.ok('entry' in outcome);
  return outcome;
}

export function reserve(amount: number, changes: Partial<RequestDetails> = {}): Movement {
  return { type: 'reserve', amount, expiresAt: EXPIRES_AT, details: { ...details, ...changes } };
}

/** Every state that a transfer can be in: the way there, what may follow, and what the account's totals are then. */
export const states = [
  { path: [], next: ['reserve'], totals: { settled: 0, held: 0, exposure: 0 } },
  { path: ['reserve'], next: ['dispatch', 'void'], totals: { settled: 0, held: 100, exposure: 0 } },
  {
    path: ['reserve', 'dispatch'],
    next: ['post', 'void', 'unknown'],
    totals: { settled: 0, held: 100, exposure: 0 },
  },
  { path: ['reserve', 'void'], next: [], totals: { settled: 0, held: 0, exposure: 0 } },
  { path: ['reserve', 'dispatch', 'void'], next: [], totals: { settled: 0, held: 0, exposure: 0 } },
  { path: ['reserve', 'dispatch', 'post'], next: ['adjust'], totals: { settled: 70, held: 0, exposure: 0 } },
  {
    path: ['reserve', 'dispatch', 'post', 'adjust'],
    next: ['adjust'],
    totals: { settled: 50, held: 0, exposure: 0 },
  },
  {
    path: ['reserve', 'dispatch', 'unknown'],
    next: ['post', 'void', 'release'],
    totals: { settled: 0, held: 0, exposure: 100 },
  },
  {
    path: ['reserve', 'dispatch', 'unknown', 'post'],
    next: ['adjust'],
    totals: { settled: 70, held: 0, exposure: 0 },
  },
  {
    path: ['reserve', 'dispatch', 'unknown', 'void'],
    next: [],
    totals: { settled: 0, held: 0, exposure: 0 },
  },
  {
    path: ['reserve', 'dispatch', 'unknown', 'release'],
    next: ['post'],
    totals: { settled: 0, held: 0, exposure: 0 },
  },
  {
    path: ['reserve', 'dispatch', 'unknown', 'release', 'post'],
    next: ['adjust'],
    totals: { settled: 70, held: 0, exposure: 0 },
  },
] as const;
