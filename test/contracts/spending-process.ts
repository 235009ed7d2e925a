import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Applied, Refusal } from '../../src/billing/guild-account.ts';
import { createLedger } from '../../src/billing/ledger.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { chargeOf, details } from '../billing/account-fixture.ts';

/** A process that spends from one guild's budget as fast as it can, and tells which calls it made. */
export type SpendingOrder = {
  readonly url: string;
  readonly namespace: string;
  readonly limit: number;
  readonly transfers: readonly string[];
  readonly process: number;
};

/** A call to a provider that exists in these tables only. */
export type SpentCall = {
  readonly transfer: string;
  readonly requestId: string;
  readonly usage: unknown;
  /** Undefined where nothing was made. */
  readonly costNanoUsd: number | undefined;
};

const GUILD = 'guild';
const HOLD_MS = 60_000;
const ACTORS = 6;
const ESTIMATE_NANO_USD = 40_000_000;

const { url, namespace, limit, transfers, process: processNumber }: SpendingOrder = JSON.parse(process.argv[2] ?? '');
const store = await openStore(url, namespace);
const ledger = createLedger({ store, now: Date.now, random: Math.random, sleep });
const calls: SpentCall[] = [];

// All begin at one moment, which is when they have all come this far.
process.send?.('ready');
await once(process, 'message');

// Each process begins elsewhere, and all of them come to every request.
const offset = processNumber * ACTORS;
const line = [...transfers.slice(offset), ...transfers.slice(0, offset)];
await Promise.all(
  Array.from({ length: ACTORS }, async () => {
    for (let transfer = line.shift(); transfer !== undefined; transfer = line.shift()) await spendOn(transfer);
  }),
);
await store.close();
process.send?.(calls);
process.disconnect();

async function spendOn(transfer: string): Promise<void> {
  const ref = { guild: GUILD, transfer };
  const number = Number(BigInt(transfer) % 10n);
  const amount = ESTIMATE_NANO_USD + number * 1_000_000;
  const expiresAt = Date.now() + HOLD_MS;
  if (isRefused(await ledger.reserve(ref, { amount, limit, expiresAt, details }))) return;
  if (isRefused(await ledger.dispatch(ref, expiresAt))) return;
  const requestId = `req_${processNumber}_${calls.length}`;
  const isMade = number > 1;
  const charge = chargeOf(amount - number * 1_234_567, requestId);
  calls.push({ transfer, requestId, usage: charge.usage, costNanoUsd: isMade ? charge.cost : undefined });
  if (!isMade) await ledger.void(ref, 'moderation');
  else if (number < 4) await ledger.unknown(ref, { reason: 'timeout' });
  else await ledger.post(ref, charge, details);
}

function isRefused(outcome: Applied | Refusal): boolean {
  return outcome.refused !== undefined;
}
