import type { Entry, RequestDetails } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import { decimalUsd } from '../billing/money.ts';
import type { Period } from '../billing/period.ts';
import { readTokenUsage } from '../billing/token-usage.ts';

/** A month's journal as two texts: a table for people, and the entries whole, raw usage included. */
export type LedgerExport = { readonly csv: string; readonly jsonl: string };

const CSV_COLUMNS = [
  'time',
  'type',
  'transfer',
  'guild',
  'member',
  'model',
  'size',
  'quality',
  'images',
  'text_in',
  'image_in',
  'cached_in',
  'image_out',
  'cost_usd',
  'cost_nano_usd',
  'estimated',
  'price_version',
  'request_id',
] as const;

const COST_DECIMALS = 6;

/**
 * Writes out every entry of a guild's month; with a member, only the entries of that member's requests. Adding up the
 * exact integers of either text gives the guild's totals.
 */
export async function exportLedger(
  ledger: Ledger,
  guild: string,
  period: Period,
  member?: string,
): Promise<LedgerExport> {
  const csv: string[] = [CSV_COLUMNS.join(',')];
  const jsonl: string[] = [];
  // Only a reservation and a charge tell of the request, so the lines between and after take it from there.
  const detailsByTransfer = new Map<string, RequestDetails>();
  for await (const page of ledger.entries(guild, period)) {
    for (const entry of page) {
      if ('details' in entry) detailsByTransfer.set(entry.transfer, entry.details);
      const details = detailsByTransfer.get(entry.transfer);
      if (member !== undefined && details?.member !== member) continue;
      csv.push(toCsvLine(entry, guild, details));
      jsonl.push(JSON.stringify(entry));
    }
  }
  return { csv: `${csv.join('\r\n')}\r\n`, jsonl: jsonl.map((line) => `${line}\n`).join('') };
}

function toCsvLine(entry: Entry, guild: string, details: RequestDetails | undefined): string {
  const amount = amountOf(entry);
  const charge = entry.type === 'post' ? entry.charge : undefined;
  const usage = charge && readTokenUsage(charge.usage);
  const cells: Record<(typeof CSV_COLUMNS)[number], string | number | undefined> = {
    time: new Date(entry.at).toISOString(),
    type: entry.type,
    transfer: entry.transfer,
    guild,
    member: details?.member,
    model: details?.model,
    size: details?.size,
    quality: details?.quality,
    images: details?.count,
    text_in: usage?.inputSplit?.text,
    image_in: usage?.inputSplit?.image,
    cached_in: usage && usage.cached.text + usage.cached.image,
    image_out: usage?.output,
    cost_usd: decimalUsd(amount, COST_DECIMALS),
    cost_nano_usd: amount,
    estimated: String(entry.type === 'unknown' && entry.estimated === true),
    price_version: charge?.priceVersion,
    request_id: charge?.requestId,
  };
  return CSV_COLUMNS.map((column) => toCsvCell(cells[column])).join(',');
}

/** What a line is about in money: the estimate for what is or was held, and the truth for what was charged. */
function amountOf(entry: Entry): NanoUsd {
  switch (entry.type) {
    case 'post':
      return entry.charge.cost;
    case 'adjust':
      return entry.amount;
    default:
      return entry.held;
  }
}

/** Quoted where needed, and never a formula to a spreadsheet. */
function toCsvCell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
