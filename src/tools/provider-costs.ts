import * as z from 'zod';
import type { NanoUsd } from '../billing/money.ts';
import { NANO_USD_PER_USD, requireNanoUsd } from '../billing/money.ts';
import { ToolRefusal } from './command-line.ts';

/** What a provider says it charged, by UTC day as `2026-11-20`. Days that are not there cost nothing. */
export type DailyCosts = ReadonlyMap<string, NanoUsd>;

/**
 * A page of `GET /v1/organization/costs`. The reference shows `amount.value` as a number; what the API sends is a
 * decimal text.
 */
const pageSchema = z.object({
  data: z.array(
    z.object({
      /** Unix seconds. */
      start_time: z.int(),
      results: z.array(
        z.object({
          amount: z.object({ value: z.union([z.number(), z.string()]), currency: z.string() }),
          line_item: z.string().nullish(),
        }),
      ),
    }),
  ),
  has_more: z.boolean(),
  next_page: z.string().nullish(),
});

export type CostsPage = z.infer<typeof pageSchema>;

const AMOUNT_PATTERN = /^-?\d{1,9}(\.\d{1,40})?(e-?\d{1,2})?$/i;
const DAY_PATTERN = /^\d{4}-\d{2}-\d{2}$/;
const MS_PER_SECOND = 1_000;
const SHOWN_LENGTH_MAX = 60;

/**
 * Reads one page as the API sends it.
 * @throws {ToolRefusal}
 */
export function parseCostsPage(value: unknown): CostsPage {
  const page = pageSchema.safeParse(value);
  if (!page.success) throw new ToolRefusal('these are no costs as /v1/organization/costs sends them');
  return page.data;
}

/**
 * Adds pages up by day.
 * @param lineItem where it is given, only line items are counted that contain it
 * @throws {ToolRefusal}
 */
export function sumCosts(pages: readonly CostsPage[], lineItem?: string): DailyCosts {
  const wanted = lineItem?.toLowerCase();
  const costs = new Map<string, NanoUsd>();
  for (const bucket of pages.flatMap(({ data }) => data)) {
    const day = new Date(bucket.start_time * MS_PER_SECOND).toISOString().slice(0, 'YYYY-MM-DD'.length);
    for (const { amount, line_item: name } of bucket.results) {
      if (wanted !== undefined && !(name ?? '').toLowerCase().includes(wanted)) continue;
      if (amount.currency.toLowerCase() !== 'usd') throw new ToolRefusal(`the costs of ${day} are not in US dollars`);
      const cost = parseAmount(String(amount.value));
      if (cost === undefined) throw new ToolRefusal(`the costs of ${day} hold an amount that is none`);
      costs.set(day, requireNanoUsd((costs.get(day) ?? 0) + cost));
    }
  }
  return costs;
}

/**
 * Reads what somebody has saved: lines of `date,usd`, or the JSON of the API, one page or an array of all of them.
 * @throws {ToolRefusal} which names the line that is wrong
 */
export function parseCostsFile(text: string, lineItem?: string): DailyCosts {
  if (!/^\s*[[{]/.test(text)) {
    if (lineItem !== undefined) throw new ToolRefusal('a table of days does not tell line items apart');
    return parseTable(text);
  }
  const value = parseJson(text);
  const pages = (Array.isArray(value) ? value : [value]).map(parseCostsPage);
  if (pages.at(-1)?.has_more === true) throw new ToolRefusal('the file ends before the last page: has_more is true');
  return sumCosts(pages, lineItem);
}

function parseTable(text: string): DailyCosts {
  const costs = new Map<string, NanoUsd>();
  const lines = text.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const [day = '', amount = '', ...others] = line.split(',').map((cell) => cell.trim());
    const isHeader = index === 0 && day.toLowerCase() === 'date';
    if (isHeader || line.trim() === '') continue;
    const cost = parseAmount(amount);
    if (!isDay(day) || cost === undefined || others.length > 0) {
      const shown = JSON.stringify(line.slice(0, SHOWN_LENGTH_MAX));
      throw new ToolRefusal(`line ${index + 1} is not like 2026-11-20,0.0421: ${shown}`);
    }
    costs.set(day, requireNanoUsd((costs.get(day) ?? 0) + cost));
  }
  return costs;
}

/** Providers write more decimals than money has; what is below a nano-dollar is rounded half up. */
function parseAmount(text: string): NanoUsd | undefined {
  return AMOUNT_PATTERN.test(text) ? Math.round(Number(text) * NANO_USD_PER_USD) : undefined;
}

/** Whether a text is a day of the calendar, as `2026-11-20`. */
export function isDay(text: string): boolean {
  const time = DAY_PATTERN.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ToolRefusal('the file is neither JSON nor lines of date,usd');
  }
}
