import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Charge, Entry } from '../../../src/billing/guild-account.ts';
import type { UsageRollup } from '../../../src/services/usage/usage-rollup.ts';
import { emptyRollup, foldEntry } from '../../../src/services/usage/usage-rollup.ts';
import { chargeOf, details } from '../../billing/account-fixture.ts';
import { journals, requestOn } from './usage-journal.ts';

describe('a rollup of a journal', () => {
  it('adds up to the totals of the account', () => {
    fc.assert(
      fc.property(journals, ({ entries, head }) => {
        const rollup = foldAll(entries);
        assert.deepEqual(totalsOf(rollup), { settled: head.settled, held: head.held, exposure: head.exposure });
        assert.equal(rollup.seq, head.seq);
        const { requests, voided } = countsOf(rollup);
        assert.deepEqual({ requests, voided }, { requests: head.counts.post, voided: head.counts.void });
      }),
      { numRuns: 500 },
    );
  });

  it('counts a request on the day of its id, whenever its charge comes', () => {
    const transfer = requestOn(30);
    const afterMidnight = Date.UTC(2026, 11, 1, 0, 5);
    const rollup = foldAll([
      { ...line(1, transfer), type: 'reserve', amount: 5, expiresAt: 0, details },
      { ...line(2, transfer), at: afterMidnight, type: 'post', charge: chargeOf(7), details },
    ]);
    assert.deepEqual([...rollup.days.keys()], ['20261130']);
    assert.equal(countsOf(rollup).cost, 7);
  });

  it('counts each kind of token by itself, and what was not split apart', () => {
    const split = { text_tokens: 10, image_tokens: 20, cached_tokens_details: { text_tokens: 3, image_tokens: 4 } };
    const rollup = foldAll([
      {
        ...line(1, requestOn(1)),
        type: 'post',
        details,
        charge: chargeWith({ input_tokens: 30, output_tokens: 40, input_tokens_details: split }),
      },
      { ...line(2, requestOn(2)), type: 'post', details, charge: chargeWith({ input_tokens: 50, output_tokens: 60 }) },
      { ...line(3, requestOn(3)), type: 'post', details, charge: chargeWith('a price for each image') },
    ]);
    const { textIn, imageIn, unsplitIn, cachedIn, out, requests } = countsOf(rollup);
    assert.deepEqual(
      { textIn, imageIn, unsplitIn, cachedIn, out, requests },
      { textIn: 10, imageIn: 20, unsplitIn: 50, cachedIn: 7, out: 100, requests: 3 },
    );
  });

  it('counts a charge for the model that made it, where another one was asked first', () => {
    const transfer = requestOn(1);
    const rollup = foldAll([
      { ...line(1, transfer), type: 'reserve', amount: 5, expiresAt: 0, details },
      { ...line(2, transfer), type: 'post', charge: chargeOf(7), details: { ...details, model: 'its successor' } },
    ]);
    const models = [...(rollup.days.get('20261101')?.counts.get(details.member)?.keys() ?? [])];
    assert.deepEqual(models, ['its successor']);
  });
});

function chargeWith(usage: unknown): Charge {
  return { ...chargeOf(1), usage };
}

function line(seq: number, transfer: string) {
  return { v: 1, seq, transfer, at: 0, held: 5, prevHash: '' } as const;
}

function foldAll(entries: readonly Entry[]): UsageRollup {
  const rollup = emptyRollup();
  for (const entry of entries) foldEntry(rollup, entry);
  return rollup;
}

function countsOf({ days }: UsageRollup) {
  const cells = [...days.values()].flatMap(({ counts }) =>
    [...counts.values()].flatMap((models) => [...models.values()]),
  );
  const sum = (name: keyof (typeof cells)[number]): number => cells.reduce((total, cell) => total + cell[name], 0);
  return {
    cost: sum('cost'),
    requests: sum('requests'),
    voided: sum('voided'),
    textIn: sum('textIn'),
    imageIn: sum('imageIn'),
    unsplitIn: sum('unsplitIn'),
    cachedIn: sum('cachedIn'),
    out: sum('out'),
  };
}

function totalsOf(rollup: UsageRollup) {
  const standings = [...rollup.days.values()].flatMap((day) => [...day.standings.values()]);
  const sum = (isUnknown: boolean): number =>
    standings.filter((standing) => standing.isUnknown === isUnknown).reduce((total, { amount }) => total + amount, 0);
  const corrections = [...rollup.corrections.values()].reduce((total, amount) => total + amount, 0);
  return { settled: countsOf(rollup).cost + corrections, held: sum(false), exposure: sum(true) };
}
