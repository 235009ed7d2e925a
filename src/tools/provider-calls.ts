import type { Entry, RequestDetails } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import type { Account } from './accounts.ts';

/** A request that went out to the provider, as the journal tells of it. */
export type ProviderCall = {
  readonly guild: string;
  readonly transfer: string;
  readonly details: RequestDetails;
  /** Milliseconds since the epoch. The provider charges for the day on which it worked, which is this one. */
  readonly dispatchedAt: number;
  readonly state: 'open' | 'posted' | 'void' | 'unknown' | 'released';
  /** The most that it can have cost. */
  readonly ceiling: NanoUsd;
  /** What is posted for it, corrections included. */
  readonly posted: NanoUsd;
  /** Why nobody knows its cost, in one word, where that is so or was so. */
  readonly reason?: string;
  /** Its pictures arrived, so it was charged for; only the price did not come with them. */
  readonly hasArrived: boolean;
  readonly requestId?: string | undefined;
};

/** Reads the calls of an account; those that were never made are left out. */
export async function readProviderCalls(ledger: Ledger, { guild, period }: Account): Promise<readonly ProviderCall[]> {
  const calls = new Map<string, ProviderCall>();
  const details = new Map<string, RequestDetails>();
  for await (const page of ledger.entries(guild, period)) {
    for (const entry of page) {
      if (entry.type === 'reserve') details.set(entry.transfer, entry.details);
      const reserved = details.get(entry.transfer);
      const call = entry.type === 'dispatch' && reserved ? callOf(guild, entry, reserved) : calls.get(entry.transfer);
      if (call) calls.set(entry.transfer, { ...call, ...changeBy(entry, call) });
    }
  }
  return [...calls.values()];
}

function callOf(guild: string, { transfer, at, held }: Entry, details: RequestDetails): ProviderCall {
  return { guild, transfer, details, dispatchedAt: at, state: 'open', ceiling: held, posted: 0, hasArrived: false };
}

function changeBy(entry: Entry, call: ProviderCall): Partial<ProviderCall> {
  switch (entry.type) {
    case 'post':
      return { state: 'posted', posted: entry.charge.cost, requestId: entry.charge.requestId };
    case 'adjust':
      return { posted: call.posted + entry.amount };
    case 'void':
      return { state: 'void' };
    case 'unknown': {
      const { reason, estimated = false, requestId } = entry;
      return { state: 'unknown', reason, hasArrived: estimated, requestId };
    }
    case 'release':
      return { state: 'released' };
    case 'reserve':
    case 'dispatch':
      return {};
  }
}
