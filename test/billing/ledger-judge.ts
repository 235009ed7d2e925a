import assert from 'node:assert/strict';
import type { Books } from '../audit.ts';
import { accountName, auditBooks, replayJournal, sortBooks } from '../audit.ts';
import type { Aftermath, ProviderCall } from './ledger-world.ts';
import { LIMIT, MEMBER_LIMITS, PERIOD } from './ledger-world.ts';

/** Holds what a scenario left behind against the provider's own log, and against what was promised on the way. */
export function judge({ database, calls, receipts, acknowledged, failures, unfinished }: Aftermath): void {
  assert.deepEqual(failures, [], 'nothing may be thrown');
  assert.deepEqual(unfinished, [], 'nobody may wait for ever');
  const books = sortBooks(database.rows());
  auditBooks(books, billsOf(calls), LIMIT, MEMBER_LIMITS);
  for (const { guild, entry } of acknowledged) {
    const kept = books.entries.get(accountName(guild, PERIOD))?.[entry.seq - 1];
    assert.deepEqual(kept, entry, `entry ${entry.seq} of ${guild} was acknowledged, and is not in the journal`);
  }
  for (const [account, { held, open }] of books.heads) {
    assert.deepEqual(
      { held, open },
      { held: 0, open: {} },
      `${account} still holds money after everything has expired`,
    );
  }
  judgeCalls(books, calls, receipts);
}

function billsOf(calls: readonly ProviderCall[]) {
  return calls.flatMap(({ transfer, requestId, charge }) =>
    charge ? [{ transfer, requestId, costNanoUsd: charge.cost, usage: charge.usage }] : [],
  );
}

function judgeCalls(books: Books, calls: readonly ProviderCall[], receipts: Aftermath['receipts']): void {
  const endings = new Map(
    [...books.entries.values()].flatMap((entries) =>
      [...replayJournal(entries, LIMIT).transfers].map(([transfer, { ending }]) => [transfer, ending] as const),
    ),
  );
  for (const [transfer, ofTransfer] of Map.groupBy(calls, (call) => call.transfer)) {
    const mayHaveBeenMade = ofTransfer.filter(({ isKnownToBeNothing }) => !isKnownToBeNothing);
    assert.ok(mayHaveBeenMade.length <= 1, `transfer ${transfer} was called again though it may have been made`);
    const ending = endings.get(transfer)?.type;
    const billed = ofTransfer.filter(({ charge }) => charge).length;
    const accepted = billed > 0 ? ['post', 'unknown', 'release'] : ['void', 'unknown', 'release'];
    assert.ok(
      ending && accepted.includes(ending),
      `transfer ${transfer} was billed ${billed} times and ended as ${ending}`,
    );
    const isProvenFree = receipts.get(transfer)?.outcome === 'nothing-made';
    assert.ok(!isProvenFree || ending !== 'unknown', `transfer ${transfer} counts, though it provably made nothing`);
  }
}
