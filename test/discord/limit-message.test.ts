import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAllowance } from '../../src/discord/limit-message.ts';
import { wordsFor } from '../../src/discord/words.ts';

const english = wordsFor('en-US');
const left = { nanoUsd: 1_250_000_000, images: 3 };

test('says whose the limits are, and what is left of each', () => {
  const both = { source: 'role', nanoUsdPerMonth: 2_500_000_000, imagesPerDay: 20 } as const;
  assert.equal(
    describeAllowance(both, left, english),
    "Your role's limit is $2.50 a month, of which $1.2500 is left, and 20 images a day, of which 3 are left.",
  );
  const one = { source: 'member', imagesPerDay: 5 } as const;
  assert.equal(describeAllowance(one, left, english), 'Your own limit is 5 images a day, of which 3 are left.');
});

test('says nothing where nothing is limited', () => {
  assert.equal(describeAllowance({ source: 'everyone' }, { nanoUsd: Infinity, images: Infinity }, english), undefined);
});

test('tells no debts', () => {
  const limits = { source: 'everyone', nanoUsdPerMonth: 0, imagesPerDay: 0 } as const;
  assert.equal(
    describeAllowance(limits, { nanoUsd: -1, images: -2 }, english),
    'The limit that every member has here is $0.00 a month, of which $0.0000 is left, and 0 images a day, of which 0 are left.',
  );
});
