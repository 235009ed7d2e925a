import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  decimalUsd,
  formatDecidedUsd,
  formatUsd,
  parseUsd,
  requireNanoUsd,
  roundHalfUpToMicroUsd,
  roundUpToMicroUsd,
} from '../../src/billing/money.ts';

/** The largest amount that a decimal string can name: a nano-dollar less than a million dollars. */
const AMOUNT_MAX = 999_999_999_999_999;

describe('parseUsd', () => {
  it('reads decimals to the nano-dollar', () => {
    assert.equal(parseUsd('12.50'), 12_500_000_000);
    assert.equal(parseUsd('0'), 0);
    assert.equal(parseUsd('0.000000001'), 1);
    assert.equal(parseUsd(' 10 '), 10_000_000_000);
    assert.equal(parseUsd('999999.999999999'), AMOUNT_MAX);
  });

  it('refuses whatever is not a plain decimal', () => {
    for (const text of [
      '',
      '-1',
      '+1',
      '1e3',
      '.5',
      '1.',
      '1,5',
      '$1',
      '1.0000000001',
      '1000000',
      'NaN',
      '0x10',
      '1 2',
    ]) {
      assert.throws(() => parseUsd(text), RangeError, JSON.stringify(text));
    }
  });

  it('does not repeat a long text in its error', () => {
    assert.throws(
      () => parseUsd('9'.repeat(10_000)),
      (error: Error) => error.message.length < 100,
    );
  });

  it('reads back every amount that is written with nine decimals', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: AMOUNT_MAX }), (amount) => {
        assert.equal(parseUsd(decimalUsd(amount, 9)), amount);
      }),
    );
  });
});

describe('rounding to a millionth of a dollar', () => {
  it('goes to the nearest, a half upwards, or upwards only', () => {
    const amounts = [0, 1, 499, 500, 999, 1_000, 1_001, 1_499, 1_500];
    assert.deepEqual(amounts.map(roundHalfUpToMicroUsd), [0, 0, 0, 1_000, 1_000, 1_000, 1_000, 1_000, 2_000]);
    assert.deepEqual(amounts.map(roundUpToMicroUsd), [0, 1_000, 1_000, 1_000, 1_000, 1_000, 2_000, 2_000, 2_000]);
    for (const round of [roundHalfUpToMicroUsd, roundUpToMicroUsd]) {
      assert.throws(() => round(0.5), RangeError);
      assert.throws(() => round(Number.MAX_SAFE_INTEGER), RangeError);
    }
  });
});

describe('formatUsd and decimalUsd', () => {
  it('round half up at the last decimal', () => {
    assert.equal(formatUsd(42_150_000), '$0.0422');
    assert.equal(formatUsd(42_149_999), '$0.0421');
    assert.equal(formatUsd(50_000), '$0.0001');
    assert.equal(formatUsd(49_999), '$0.0000');
    assert.equal(formatUsd(999_950_000), '$1.0000');
    assert.equal(decimalUsd(320_750_500, 6), '0.320751');
    assert.equal(decimalUsd(320_750_499, 6), '0.320750');
    assert.equal(decimalUsd(1_500_000_000, 0), '2');
  });

  it('put the sign in front', () => {
    assert.equal(formatUsd(-1_250_000_000), '-$1.2500');
    assert.equal(decimalUsd(-1_250_000_000, 6), '-1.250000');
    assert.deepEqual([formatUsd(-49_999), formatUsd(-50_000)], ['$0.0000', '-$0.0001']);
    assert.deepEqual([decimalUsd(-499, 6), decimalUsd(-500, 6), decimalUsd(-1, 0)], ['0.000000', '-0.000001', '0']);
  });

  it('show what somebody decided on in cents, unless it is finer', () => {
    assert.equal(formatDecidedUsd(25_000_000_000), '$25.00');
    assert.equal(formatDecidedUsd(10_000_000), '$0.01');
    assert.equal(formatDecidedUsd(5_000_000), '$0.0050');
  });

  it('agree with exact arithmetic', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: AMOUNT_MAX }), fc.integer({ min: 1, max: 9 }), (amount, decimals) => {
        const unit = 10n ** BigInt(9 - decimals);
        const rounded = (2n * BigInt(amount) + unit) / (2n * unit);
        const digits = rounded.toString().padStart(decimals + 1, '0');
        assert.equal(decimalUsd(amount, decimals), `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`);
      }),
    );
  });
});

describe('requireNanoUsd', () => {
  it('lets whole, safe numbers through and nothing else', () => {
    assert.equal(requireNanoUsd(-7), -7);
    for (const amount of [0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1]) {
      assert.throws(() => requireNanoUsd(amount), RangeError);
    }
  });
});
