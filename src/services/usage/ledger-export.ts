import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Entry, RequestDetails } from '../../billing/guild-account.ts';
import type { Ledger } from '../../billing/ledger.ts';
import type { NanoUsd } from '../../billing/money.ts';
import { decimalUsd } from '../../billing/money.ts';
import type { Period } from '../../billing/period.ts';
import { readTokenUsage } from '../../billing/token-usage.ts';

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

/** One entry, for people in a table, and whole with its raw usage; each a line with its end. */
export type ExportedLine = { readonly csv: string; readonly jsonl: string };

/** The first line of the table. */
export const CSV_HEADER = `${CSV_COLUMNS.join(',')}\r\n`;

/**
 * Every entry of a guild's month, line by line for files of any length; with a member, only the entries of that member's
 * requests. Adding up the exact integers of either text gives the totals.
 */
export async function* exportLines(
  ledger: Ledger,
  guild: string,
  period: Period,
  member?: string,
): AsyncGenerator<ExportedLine> {
  // Only a reservation and a charge tell of the request, so the lines between and after take it from there.
  const details = createDetailsMemory();
  for await (const page of ledger.entries(guild, period)) {
    for (const entry of page) {
      const told = details.of(entry);
      if (member !== undefined && told?.member !== member) continue;
      yield { csv: `${toCsvLine(entry, guild, told)}\r\n`, jsonl: `${JSON.stringify(entry)}\n` };
    }
    // A store may answer without ever letting go of the event loop, and everybody else waits for it as well.
    await nextTurn();
  }
}

/** What the table tells of a request. */
type ToldDetails = Pick<RequestDetails, 'member' | 'model' | 'size' | 'quality' | 'count'>;

/** Remembers requests by transfer; what many of them have in common is kept once, because a month may have many. */
function createDetailsMemory() {
  const byTransfer = new Map<string, ToldDetails>();
  const distinct = new Map<string, ToldDetails>();
  return {
    of(entry: Entry): ToldDetails | undefined {
      if ('details' in entry) {
        const { member, model, size, quality, count } = entry.details;
        const key = JSON.stringify([member, model, size, quality, count]);
        const details = distinct.get(key) ?? { member, model, size, quality, count };
        distinct.set(key, details);
        byTransfer.set(entry.transfer, details);
      }
      return byTransfer.get(entry.transfer);
    },
  };
}

function toCsvLine(entry: Entry, guild: string, details: ToldDetails | undefined): string {
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
