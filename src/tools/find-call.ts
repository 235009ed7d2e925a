import type { Ledger } from '../billing/ledger.ts';
import { transferKey } from '../billing/ledger-keys.ts';
import type { Period } from '../billing/period.ts';
import { formatPeriod, periodOfSnowflake } from '../billing/period.ts';
import type { Store } from '../storage/store.ts';
import { ToolRefusal } from './command-line.ts';
import type { ProviderCall } from './provider-calls.ts';
import { readProviderCalls } from './provider-calls.ts';

const GUILDS_PER_READ = 500;
const TRANSFER_PATTERN = /^\d{1,20}$/;

/**
 * Finds a call by its transfer, in the guild that is named or in whichever has it.
 * @throws {ToolRefusal} when there is none, or more than one, or when its month was pruned
 */
export async function findCall(
  parts: { readonly store: Store; readonly ledger: Ledger },
  transfer: string,
  guild: string | undefined,
): Promise<ProviderCall> {
  if (!TRANSFER_PATTERN.test(transfer)) throw new ToolRefusal(`${transfer} is no transfer; its id is a number`);
  const { ledger } = parts;
  const period = periodOfSnowflake(transfer);
  const only = guild ?? (await findGuild(parts, transfer, period));
  if ((await ledger.head(only, period)).pruned) {
    const month = formatPeriod(period);
    throw new ToolRefusal(`${month} of guild ${only} was pruned: its entries are in an archive, and stay as they are`);
  }
  const calls = await readProviderCalls(ledger, { guild: only, period });
  const call = calls.find((candidate) => candidate.transfer === transfer);
  return call ?? refuse(`guild ${only} has made no call for a transfer ${transfer}`);
}

async function findGuild(
  { store, ledger }: { readonly store: Store; readonly ledger: Ledger },
  transfer: string,
  period: Period,
): Promise<string> {
  const guilds = await ledger.guilds(period);
  const [only, ...others] = await guildsWith(store, guilds, transfer);
  if (others.length > 0) {
    throw new ToolRefusal(`${others.length + 1} guilds have a transfer ${transfer}; name one with --guild`);
  }
  if (only !== undefined) return only;
  const isPruned = await wasPruned(ledger, guilds, period);
  const hint = `; ${formatPeriod(period)} was pruned, so it may be in an archive, and what is there stays as it is`;
  return refuse(`no guild has a transfer ${transfer}${isPruned ? hint : ''}`);
}

/** Pruning takes the transfers of a month away, so nobody can tell any more which of its guilds had one. */
async function wasPruned(ledger: Ledger, guilds: readonly string[], period: Period): Promise<boolean> {
  for (const guild of guilds) if ((await ledger.head(guild, period)).pruned) return true;
  return false;
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

function refuse(message: string): never {
  throw new ToolRefusal(message);
}
