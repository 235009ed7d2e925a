import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLedger } from '../src/billing/ledger.ts';
import { auditBooks, sortBooks } from './audit.ts';
import { chargeOf, details } from './billing/account-fixture.ts';
import { createMemoryDatabase } from './billing/memory-store.ts';

const NOW = Date.UTC(2026, 10, 15);
const LIMIT = 1_000;
const FIRST_ID = BigInt(NOW - Date.UTC(2015, 0, 1)) << 22n;

const transferOf = (number: number): string => String(FIRST_ID + BigInt(number));

/** A call that went out and of which nobody knows what came of it. */
type UnknownCall = { readonly held: number; readonly requestId?: string; readonly isReleased?: boolean };

/** The books of a server in which one call was answered, and billed as `answered`, and these were not. */
async function writeBooks(calls: readonly UnknownCall[]) {
  const database = createMemoryDatabase();
  const ledger = createLedger({
    store: database.connect(),
    now: () => NOW,
    random: () => 0,
    sleep: async () => undefined,
  });
  const goOut = async (number: number, amount: number) => {
    const ref = { guild: 'guild', transfer: transferOf(number) };
    await ledger.reserve(ref, { amount, limit: LIMIT, expiresAt: NOW + 1, details });
    await ledger.dispatch(ref, NOW + 1);
    return ref;
  };
  await ledger.post(await goOut(0, 100), chargeOf(70, 'answered'), details);
  for (const [index, { held, requestId, isReleased = false }] of calls.entries()) {
    const ref = await goOut(index + 1, held);
    await ledger.unknown(ref, { reason: 'timeout', requestId });
    if (isReleased) await ledger.release(ref, { reason: 'not billed', by: 'ada' });
  }
  return sortBooks(database.rows());
}

/** Holds the books of these calls against the bills of the answered one and of others, by request and cost. */
async function audit(
  calls: readonly UnknownCall[],
  costs: Readonly<Record<string, number>>,
  transfers: Readonly<Record<string, string>> = {},
) {
  const bills = Object.entries({ answered: 70, ...costs }).map(([requestId, cost]) => {
    const { usage } = chargeOf(cost, requestId);
    const transfer = transfers[requestId];
    return { requestId, costNanoUsd: cost, usage, ...(transfer === undefined ? {} : { transfer }) };
  });
  return auditBooks(await writeBooks(calls), bills, LIMIT);
}

const LOST = /bills without an entry/;

describe('the audit of bills without an entry', () => {
  it('finds each of them a call of its own that is unknown, or was given up', async () => {
    await audit([], {});
    await audit([{ held: 100 }, { held: 100, isReleased: true }], {});
    await audit([{ held: 100 }], { one: 100 });
    await audit([{ held: 50 }, { held: 100, isReleased: true }], { one: 40, two: 90 });
    await audit([{ held: 100, requestId: 'one' }, { held: 50 }], { one: 90, two: 40 });
    await audit([{ held: 100, requestId: 'one', isReleased: true }], { one: 90 });
  });

  it('calls one lost for which none is left', async () => {
    await assert.rejects(async () => audit([], { one: 1 }), LOST);
    await assert.rejects(async () => audit([{ held: 100 }], { one: 50, two: 50 }), LOST);
  });

  it('calls one lost that is dearer than what was held, whatever else is unknown', async () => {
    await assert.rejects(async () => audit([{ held: 50 }, { held: 50 }], { one: 51 }), LOST);
    await assert.rejects(async () => audit([{ held: 50 }, { held: 100 }], { one: 60, two: 60 }), LOST);
  });

  it('lets a call that knows its request stand for no other', async () => {
    for (const isReleased of [false, true]) {
      await assert.rejects(async () => audit([{ held: 100, requestId: 'one', isReleased }], { two: 50 }), LOST);
    }
  });

  it('goes by the call itself where that is known, at whatever cost', async () => {
    await audit([{ held: 50 }, { held: 100 }], { one: 60, two: 60 }, { one: transferOf(1), two: transferOf(2) });
    const other = { one: transferOf(3) };
    await assert.rejects(async () => audit([{ held: 50 }, { held: 100 }], { one: 10 }, other), LOST);
  });
});
