import type { EmulatedGuild } from '../discord/world.ts';
import type { Bill } from '../provider/billing-log.ts';
import type { Accounts } from './journal.ts';
import { accountKey } from './journal.ts';
import type { BillRow, BillView } from './view.ts';

export type BillComparison = {
  readonly guild: Pick<EmulatedGuild, 'id' | 'name'>;
  /** A moment of the month, in milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Undefined where the provider is a real one, whose bills are not ours to see. */
  readonly bills: readonly Bill[] | undefined;
  readonly accounts: Accounts;
};

/** How many calls are listed; the sums are of all. */
const ROWS_MAX = 20;

/**
 * Puts the provider's bill of a server's month beside what the ledger says. The provider knows of no servers, so its
 * calls are told apart by its own request ids, which the journals keep. The amounts come from the provider alone.
 */
export function compareBill({ guild, atMs, bills, accounts }: BillComparison): BillView {
  const month = new Date(atMs).toISOString().slice(0, 'YYYY-MM'.length);
  const account = accounts.get(accountKey(guild.id, month.replace('-', '')));
  const costs = account?.costByRequestId ?? new Map<string, number>();
  const own = (bills ?? []).filter(({ requestId }) => costs.has(requestId));
  const isBooked = (requestId: string): boolean =>
    [...accounts.values()].some(({ costByRequestId }) => costByRequestId.has(requestId));
  const unbooked = (bills ?? []).filter(({ requestId }) => !isBooked(requestId));
  const rows = own.map((bill) => toRow(bill, costs.get(bill.requestId) ?? null));
  const providerNanoUsd = own.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
  const ledgerNanoUsd = account?.settledNanoUsd ?? 0;
  const isEachEqual = rows.every((row) => row.providerNanoUsd === row.ledgerNanoUsd) && own.length === costs.size;
  return {
    guildName: guild.name,
    month,
    providerNanoUsd: bills === undefined ? null : providerNanoUsd,
    ledgerNanoUsd,
    heldNanoUsd: account?.heldNanoUsd ?? 0,
    unknownNanoUsd: account?.unknownNanoUsd ?? 0,
    isEqual: providerNanoUsd === ledgerNanoUsd && isEachEqual && account?.fault === undefined,
    journalFault: account?.fault ?? null,
    rows: rows.slice(-ROWS_MAX),
    unbooked: unbooked.slice(-ROWS_MAX).map((bill) => toRow(bill, null)),
  };
}

function toRow({ requestId, model, at, costNanoUsd }: Bill, ledgerNanoUsd: number | null): BillRow {
  return { requestId, model, atMs: at, providerNanoUsd: costNanoUsd, ledgerNanoUsd };
}
