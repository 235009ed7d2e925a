import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { MovementType } from '../../src/billing/guild-account.ts';
import { applyMovement, emptyHead, OPEN_HOLDS_MAX, remainingBudget } from '../../src/billing/guild-account.ts';
import { emptyMember } from '../../src/billing/member-account.ts';
import {
  chargeOf,
  COST,
  DAY,
  details,
  ESTIMATE,
  EXPIRES_AT,
  granted,
  LIMIT,
  movements,
  movementTypes,
  openAccount,
  PERIOD,
  reserve,
  states,
} from './account-fixture.ts';

describe('the way of a transfer', () => {
  for (const { path, next, totals } of states) {
    const name = path.length === 0 ? 'a transfer that nobody has seen' : path.join(' → ');
    it(`${name}: totals, and what may follow`, () => {
      const account = openAccount();
      account.walk(path);
      assert.deepEqual(account.totals, totals);
      const { imagesByDay: _images, v: _version, ...memberTotals } = account.member(details.member);
      assert.deepEqual(memberTotals, totals, 'all of it is the part of the only member');
      const before = account.head;
      const current = account.transfers.get('tx');
      const possible: readonly MovementType[] = next;
      for (const type of movementTypes.filter((movement) => !possible.includes(movement))) {
        const refusal = { refused: type === 'reserve' ? 'duplicate' : 'out-of-order', transfer: current };
        assert.deepEqual(account.move(movements[type]), refusal, type);
      }
      assert.equal(account.head, before, 'a refusal changes nothing');
      for (const type of possible) {
        const branch = openAccount();
        branch.walk([...path, type]);
        assert.equal(branch.head.seq, path.length + 1);
      }
    });
  }

  it('says where it stands: its last movement, its amount, and why it ended', () => {
    const account = openAccount();
    const standing = (type: MovementType): unknown => {
      account.walk([type]);
      return account.transfers.get('tx');
    };
    const base = { period: PERIOD, member: details.member, images: details.count };
    assert.deepEqual(standing('reserve'), { ...base, seq: 1, type: 'reserve', amount: ESTIMATE });
    assert.deepEqual(standing('dispatch'), { ...base, seq: 2, type: 'dispatch', amount: ESTIMATE });
    assert.deepEqual(standing('unknown'), { ...base, seq: 3, type: 'unknown', amount: ESTIMATE, reason: 'timeout' });
    assert.deepEqual(standing('post'), { ...base, seq: 4, type: 'post', amount: COST });
    assert.deepEqual(standing('adjust'), { ...base, seq: 5, type: 'post', amount: COST - 20, reason: 'credited' });
  });

  it('may be narrowed to one state by whoever read it before', () => {
    const account = openAccount();
    account.walk(['reserve', 'dispatch']);
    const outcome = account.move(movements.void, 'tx', { onlyAfter: 'reserve' });
    assert.deepEqual(outcome, { refused: 'out-of-order', transfer: account.transfers.get('tx') });
    assert.deepEqual(account.totals, { settled: 0, held: ESTIMATE, exposure: 0 });
  });

  it('may be narrowed to one cost by whoever worked a correction out from it', () => {
    const account = openAccount();
    account.walk(['reserve', 'dispatch', 'post']);
    granted(account.move(movements.adjust, 'tx', { onlyFrom: COST }));
    const outcome = account.move(movements.adjust, 'tx', { onlyFrom: COST });
    assert.deepEqual(outcome, { refused: 'out-of-order', transfer: account.transfers.get('tx') });
    granted(account.move(movements.adjust, 'tx', { onlyFrom: COST - 20 }));
    assert.deepEqual(account.totals, { settled: COST - 40, held: 0, exposure: 0 });
  });
});

describe('a hold', () => {
  it('knows its member, its state and its end', () => {
    const account = openAccount();
    const hold = { amount: ESTIMATE, member: 'mira' };
    account.walk(['reserve']);
    assert.deepEqual(account.head.open, { tx: { ...hold, state: 'reserved', expiresAt: EXPIRES_AT } });
    account.walk(['dispatch']);
    assert.deepEqual(account.head.open, { tx: { ...hold, state: 'dispatched', expiresAt: EXPIRES_AT + 10 } });
    account.walk(['post']);
    assert.deepEqual(account.head.open, {});
  });

  it('goes out until the moment at which it expires, and not at it', () => {
    const account = openAccount();
    account.walk(['reserve'], 'late');
    account.walk(['reserve'], 'in time');
    assert.deepEqual(account.move(movements.dispatch, 'late', { at: EXPIRES_AT }), { refused: 'expired' });
    granted(account.move(movements.dispatch, 'in time', { at: EXPIRES_AT - 1 }));
  });

  it('can be settled after it has expired, because what was made has to be paid', () => {
    const account = openAccount();
    account.walk(['reserve', 'dispatch']);
    granted(account.move(movements.post, 'tx', { at: EXPIRES_AT * 100 }));
    assert.deepEqual(account.totals, { settled: COST, held: 0, exposure: 0 });
  });

  it('is refused beside too many others, and granted again when one of them has ended', () => {
    const account = openAccount(OPEN_HOLDS_MAX * ESTIMATE * 2);
    for (let count = 0; count < OPEN_HOLDS_MAX; count += 1) account.walk(['reserve'], `tx ${count}`);
    assert.deepEqual(account.move(movements.reserve, 'one more'), { refused: 'too-many-open', whose: 'server' });
    account.walk(['void'], 'tx 3');
    account.walk(['reserve'], 'one more');
  });
});

describe('the budget', () => {
  it('counts what is settled, held and unknown, to the last nano-dollar', () => {
    const account = openAccount(LIMIT);
    account.walk(['reserve', 'dispatch', 'post'], 'settled');
    account.walk(['reserve'], 'held');
    account.walk(['reserve', 'dispatch', 'unknown'], 'unknown');
    const remaining = LIMIT - COST - ESTIMATE - ESTIMATE;
    assert.equal(remainingBudget(account.head, LIMIT), remaining);
    assert.deepEqual(account.move(reserve(remaining + 1), 'too dear'), { refused: 'over-budget', remaining });
    granted(account.move(reserve(remaining), 'just right'));
    assert.deepEqual(account.move(reserve(1), 'nothing left'), { refused: 'over-budget', remaining: 0 });
  });

  it('has what a void, a release and a cheaper bill gave back', () => {
    for (const path of [
      ['void'],
      ['dispatch', 'void'],
      ['dispatch', 'unknown', 'void'],
      ['dispatch', 'unknown', 'release'],
    ] as const) {
      const account = openAccount(ESTIMATE);
      account.walk(['reserve', ...path], 'first');
      granted(account.move(reserve(ESTIMATE), 'second'));
    }
    const account = openAccount(ESTIMATE);
    account.walk(['reserve', 'dispatch', 'post']);
    granted(account.move(reserve(ESTIMATE - COST), 'second'));
  });

  it('is told to be overdrawn after a call that cost more than its estimate', () => {
    const account = openAccount(ESTIMATE);
    account.walk(['reserve', 'dispatch']);
    granted(account.move({ type: 'post', charge: chargeOf(ESTIMATE + 30), details }));
    assert.deepEqual(account.totals, { settled: ESTIMATE + 30, held: 0, exposure: 0 });
    assert.deepEqual(account.move(reserve(0), 'free of charge'), { refused: 'over-budget', remaining: -30 });
  });

  it('is nothing where nobody named one', () => {
    const order = { transfer: 'tx', period: PERIOD, day: DAY, at: 0, movement: movements.reserve };
    const account = { head: emptyHead(), member: emptyMember() };
    assert.deepEqual(applyMovement(account, undefined, order), { refused: 'over-budget', remaining: 0 });
  });

  it('never sees an amount that is no whole number', () => {
    for (const amount of [Number.NaN, 0.5]) {
      assert.throws(() => openAccount().move(reserve(amount)), RangeError, String(amount));
    }
    const account = openAccount();
    account.walk(['reserve', 'dispatch']);
    const charge = chargeOf(Number.MAX_SAFE_INTEGER + 1);
    assert.throws(() => account.move({ type: 'post', charge, details }), RangeError);
    assert.throws(() => openAccount(Number.NaN).move(movements.reserve), RangeError);
  });
});

describe('the journal', () => {
  it('numbers its entries and counts them by type', () => {
    const account = openAccount();
    account.walk(['reserve', 'dispatch', 'unknown', 'release', 'post', 'adjust'], 'first');
    account.walk(['reserve', 'void'], 'second');
    assert.deepEqual(
      account.entries.map(({ seq, type, transfer }) => `${seq} ${type} ${transfer}`),
      [
        '1 reserve first',
        '2 dispatch first',
        '3 unknown first',
        '4 release first',
        '5 post first',
        '6 adjust first',
        '7 reserve second',
        '8 void second',
      ],
    );
    const counts = { reserve: 2, dispatch: 1, unknown: 1, release: 1, post: 1, adjust: 1, void: 1 };
    assert.deepEqual(account.head.counts, counts);
    assert.equal(account.head.seq, 8);
  });

  it('chains every entry to the one before', () => {
    const account = openAccount();
    account.walk(['reserve', 'dispatch', 'post']);
    const hashes = account.entries.map((entry) => createHash('sha256').update(JSON.stringify(entry)).digest('hex'));
    assert.deepEqual(
      [...account.entries.map(({ prevHash }) => prevHash), account.head.lastHash],
      ['0'.repeat(64), ...hashes],
    );
  });

  it('tells with every entry when it was made, what it did, and what the transfer held', () => {
    const account = openAccount();
    account.walk(['reserve', 'dispatch']);
    const { entry } = granted(account.move(movements.post, 'tx', { at: 42 }));
    const { prevHash, ...told } = entry;
    assert.equal(prevHash.length, 64);
    assert.deepEqual(told, { v: 1, seq: 3, transfer: 'tx', at: 42, held: ESTIMATE, ...movements.post });
  });
});
