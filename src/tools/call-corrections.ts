import type { Applied, Charge } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import { ToolRefusal } from './command-line.ts';
import type { Decision } from './decision.ts';
import type { ProviderCall } from './provider-calls.ts';

/** What a person may book for one call, each as a new entry that says who decided it and why. */

/** What stands in the place of a price list's version where a person named the price. */
const RECONCILED_PRICE_VERSION = 'reconcile-1';

/** @throws {ToolRefusal} when it is known what came of the call. One that was given up counts as not known. */
export function requireUnknown({ transfer, state }: ProviderCall): void {
  if (state === 'unknown' || state === 'released') return;
  const advice = state === 'posted' ? '; its cost is corrected by adjust' : '';
  throw new ToolRefusal(`transfer ${transfer} is ${state}, and not unknown${advice}`);
}

/** What to do instead of a correction where nothing is posted. */
const ADVICE: Readonly<Record<Exclude<ProviderCall['state'], 'posted'>, string>> = {
  open: 'it is still under way, and is booked when it ends',
  void: 'it was refused or never made, and its hold was freed, so there is no cost to correct',
  unknown: 'end it by post, with what it cost, or by release, if it cost nothing',
  released: 'if it was charged after all, book that by post',
};

/** @throws {ToolRefusal} when nothing is posted for the call; it says what helps */
export function requirePosted({ transfer, state }: ProviderCall): void {
  if (state === 'posted') return;
  throw new ToolRefusal(`transfer ${transfer} is ${state}, and not posted; ${ADVICE[state]}`);
}

/** Gives an unknown call up: its ceiling no longer counts against the budget. False when it is not unknown any more. */
export async function releaseCall(ledger: Ledger, { guild, transfer }: ProviderCall, why: Decision): Promise<boolean> {
  return (await ledger.release({ guild, transfer }, why)).refused === undefined;
}

/**
 * Books what an unknown call has cost after all. A call that was given up can still turn out to have been charged.
 * @throws {ToolRefusal} when it is known meanwhile what came of it
 */
export async function postCall(ledger: Ledger, call: ProviderCall, cost: NanoUsd, why: Decision): Promise<void> {
  const { guild, transfer, details, requestId } = call;
  const charge: Charge = {
    cost,
    usage: null,
    priceVersion: RECONCILED_PRICE_VERSION,
    rule: 'reconciled',
    requestId,
    reconciled: why,
  };
  const outcome = await ledger.post({ guild, transfer }, charge, details);
  if (outcome.refused !== undefined) {
    throw new ToolRefusal(`transfer ${transfer} is settled meanwhile; look at it once more`);
  }
}

/**
 * Sets what a posted call is booked at, by an entry of the difference. Books nothing where there is none, so that whoever
 * does not know whether this has been done can simply do it again.
 * @returns what was booked, or undefined where nothing was
 * @throws {ToolRefusal} when somebody else has corrected it meanwhile
 */
export async function adjustCall(
  ledger: Ledger,
  { guild, transfer, posted }: ProviderCall,
  cost: NanoUsd,
  why: Decision,
): Promise<Applied | undefined> {
  if (cost === posted) return undefined;
  const outcome = await ledger.adjust({ guild, transfer }, { amount: cost - posted, ...why }, posted);
  if (outcome.refused === undefined) return outcome;
  throw new ToolRefusal(`transfer ${transfer} was corrected meanwhile; look at it once more`);
}
