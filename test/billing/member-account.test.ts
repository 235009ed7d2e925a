import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COST, DAY, ESTIMATE, granted, LIMIT, movements, openAccount, reserve, states } from './account-fixture.ts';

describe("a member's part", () => {
  const limited = { memberLimits: { nanoUsdPerMonth: 250 } };

  it('is moved by the requests of that member alone, whoever moves them', () => {
    const account = openAccount();
    for (const [transfer, member] of [
      ['a', 'mira'],
      ['b', 'ada'],
      ['c', 'ada'],
    ] as const) {
      granted(account.move(reserve(ESTIMATE, { member }), transfer));
    }
    account.walk(['dispatch', 'post', 'adjust'], 'b');
    account.walk(['dispatch', 'unknown'], 'c');
    const none = { v: 1, settled: 0, held: 0, exposure: 0, imagesByDay: { [DAY]: 1 } };
    assert.deepEqual(account.member('mira'), { ...none, held: ESTIMATE });
    const settled = COST - 20;
    assert.deepEqual(account.member('ada'), { ...none, settled, exposure: ESTIMATE, imagesByDay: { [DAY]: 2 } });
    assert.deepEqual(account.totals, { settled, held: ESTIMATE, exposure: ESTIMATE });
  });

  it('is limited to the last nano-dollar, and counts what is settled, held and unknown', () => {
    const account = openAccount(LIMIT);
    account.walk(['reserve', 'dispatch', 'post'], 'settled');
    account.walk(['reserve', 'dispatch', 'unknown'], 'unknown');
    granted(account.move(reserve(50), 'held'));
    const remaining = 250 - COST - ESTIMATE - 50;
    const refusal = { refused: 'over-member-budget', remaining };
    assert.deepEqual(account.move(reserve(remaining + 1), 'too dear', limited), refusal);
    granted(account.move(reserve(remaining + 1, { member: 'ada' }), 'somebody else', limited));
    granted(account.move(reserve(remaining), 'just right', limited));
    assert.deepEqual(account.move(reserve(1), 'nothing left', limited), { ...refusal, remaining: 0 });
  });

  it('has what a void, a release and a cheaper bill gave back', () => {
    const tight = { memberLimits: { nanoUsdPerMonth: ESTIMATE, imagesPerDay: 1 } };
    for (const path of [['void'], ['dispatch', 'void'], ['dispatch', 'unknown', 'release']] as const) {
      const account = openAccount();
      account.walk(['reserve', ...path], 'first');
      granted(account.move(reserve(ESTIMATE), 'second', tight));
    }
    const account = openAccount();
    account.walk(['reserve', 'dispatch', 'post']);
    const { imagesPerDay: _any, ...dollarsOnly } = tight.memberLimits;
    granted(account.move(reserve(ESTIMATE - COST), 'second', { memberLimits: dollarsOnly }));
  });

  it('cannot go around the budget of the server, which is asked first', () => {
    const account = openAccount(ESTIMATE - 1);
    const order = { memberLimits: { nanoUsdPerMonth: 0, imagesPerDay: 0 } };
    const refusal = { refused: 'over-budget', remaining: ESTIMATE - 1 };
    assert.deepEqual(account.move(movements.reserve, 'tx', order), refusal);
  });

  it('has only so many holds at once, whatever others hold, and another one when one of them has ended', () => {
    const account = openAccount();
    const limit = { memberLimits: { openHolds: 2 } };
    account.walk(['reserve'], 'one');
    account.walk(['reserve', 'dispatch'], 'two');
    granted(account.move(reserve(1, { member: 'ada' }), 'somebody else', limit));
    const refusal = { refused: 'too-many-open', whose: 'member' };
    assert.deepEqual(account.move(reserve(1), 'one more', limit), refusal);
    account.walk(['post'], 'two');
    granted(account.move(reserve(1), 'one more', limit));
    const broken = { memberLimits: { openHolds: Number.NaN } };
    assert.deepEqual(account.move(reserve(1), 'and another', broken), refusal);
  });

  it('is told to be overdrawn after a limit was lowered', () => {
    const account = openAccount();
    account.walk(['reserve']);
    const order = { memberLimits: { nanoUsdPerMonth: 60 } };
    assert.deepEqual(account.move(reserve(0), 'free', order), { refused: 'over-member-budget', remaining: -40 });
  });

  it('is not limited where nobody said so, and never by what is no number', () => {
    const account = openAccount(Number.MAX_SAFE_INTEGER);
    granted(account.move(reserve(10 ** 12, { count: 4_000 })));
    const broken = { memberLimits: { nanoUsdPerMonth: Number.NaN } };
    assert.throws(() => account.move(movements.reserve, 'second', broken), RangeError);
    const alsoBroken = { memberLimits: { imagesPerDay: Number.NaN } };
    assert.equal(account.move(movements.reserve, 'second', alsoBroken).refused, 'too-many-images');
  });
});

describe("a member's images a day", () => {
  const limited = { memberLimits: { imagesPerDay: 5 } };

  it('count from the reservation on, by the day of the request', () => {
    const account = openAccount();
    granted(account.move(reserve(1, { count: 4 }), 'first', limited));
    const refusal = { refused: 'too-many-images', remaining: 1 };
    assert.deepEqual(account.move(reserve(1, { count: 2 }), 'second', limited), refusal);
    granted(account.move(reserve(1, { count: 2, member: 'ada' }), 'somebody else', limited));
    granted(account.move(reserve(1, { count: 1 }), 'just right', limited));
    granted(account.move(reserve(1, { count: 5 }), 'tomorrow', { ...limited, day: '20261121' }));
    assert.deepEqual(account.member('mira').imagesByDay, { [DAY]: 5, '20261121': 5 });
  });

  for (const { path } of states.filter(({ path: steps }) => steps.length > 0)) {
    const isFreed = path.at(-1) === 'void' || path.at(-1) === 'release';
    it(`${path.join(' → ')}: ${isFreed ? 'no longer count' : 'count'}`, () => {
      const account = openAccount();
      granted(account.move(reserve(ESTIMATE, { count: 3 })));
      account.walk(path.slice(1));
      assert.deepEqual(account.member('mira').imagesByDay, { [DAY]: isFreed ? 0 : 3 });
      assert.equal(account.transfers.get('tx')?.images, 3);
    });
  }
});
