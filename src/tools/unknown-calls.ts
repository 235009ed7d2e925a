import type { Charge } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import { transferKey } from '../billing/ledger-keys.ts';
import type { NanoUsd } from '../billing/money.ts';
import { periodOfSnowflake } from '../billing/period.ts';
import type { Store } from '../storage/store.ts';
import { ToolRefusal } from './command-line.ts';
import type { ProviderCall } from './provider-calls.ts';
import { readProviderCalls } from './provider-calls.ts';

/** Who decides what becomes of an unknown call, and why. Both stand in the entry. */
export type Decision = { readonly by: string; readonly reason: string };

/** What stands in the place of a price list's version where a person named the price. */
const RECONCILED_PRICE_VERSION = 'reconcile-1';
const GUILDS_PER_READ = 500;
const TRANSFER_PATTERN = /^\d{1,20}$/;

/**
 * Finds a call by its transfer, in the guild that is named or in whichever has it.
 * @throws {ToolRefusal} when there is none, or more than one, or when its outcome is known
 */
export async function findUnknownCall(
  { store, ledger }: { readonly store: Store; readonly ledger: Ledger },
  transfer: string,
  guild: string | undefined,
): Promise<ProviderCall> {
  if (!TRANSFER_PATTERN.test(transfer)) throw new ToolRefusal(`${transfer} is no transfer; its id is a number`);
  const period = periodOfSnowflake(transfer);
  const guilds = guild === undefined ? await guildsWith(store, await ledger.guilds(period), transfer) : [guild];
  const [only, ...others] = guilds;
  if (only === undefined) throw new ToolRefusal(`no guild has a transfer ${transfer}`);
  if (others.length > 0)
    throw new ToolRefusal(`${guilds.length} guilds have a transfer ${transfer}; name one with --guild`);
  const calls = await readProviderCalls(ledger, { guild: only, period });
  const call = calls.find((candidate) => candidate.transfer === transfer);
  if (!call) throw new ToolRefusal(`guild ${only} has made no call for a transfer ${transfer}`);
  if (call.state === 'unknown' || call.state === 'released') return call;
  throw new ToolRefusal(`transfer ${transfer} is ${call.state}, and not unknown`);
}

async function guildsWith(store: Store, guilds: readonly string[], transfer: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let first = 0; first < guilds.length; first += GUILDS_PER_READ) {
    const batch = guilds.slice(first, first + GUILDS_PER_READ);
    const states = await store.readMany(batch.map((guild) => transferKey(guild, transfer)));
    found.push(...batch.filter((_guild, index) => states[index] !== undefined));
  }
  return found;
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
