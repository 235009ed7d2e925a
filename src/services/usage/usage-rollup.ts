import type { Entry, RequestDetails } from '../../billing/guild-account.ts';
import type { NanoUsd } from '../../billing/money.ts';
import { dayOfSnowflake } from '../../billing/period.ts';
import { readTokenUsage } from '../../billing/token-usage.ts';

/**
 * A month's journal, added up by day, member and model. It says nothing that the journal does not say, so it can be
 * thrown away and made again; it is there because a month of a hundred thousand entries takes seconds to read.
 *
 * A request belongs to the UTC day of its interaction's id, as it belongs to that id's month: no clock can move it, and
 * a charge that comes after midnight stands beside its reservation.
 */
export type UsageRollup = {
  /** The number of the last entry that is counted; 0 where none is. */
  seq: number;
  /** By day, as `YYYYMMDD`. */
  readonly days: Map<string, UsageDay>;
  /** Corrections of charges by transfer, for which nobody has looked up yet whose charge it was and of which model. */
  readonly corrections: Map<string, NanoUsd>;
};

export type UsageDay = {
  /** What came of the day's requests, by member and then by model. */
  readonly counts: Map<string, Map<string, UsageCounts>>;
  /** The day's requests whose money is neither spent nor free, by transfer. */
  readonly standings: Map<string, Standing>;
};

/** Everything that is counted, in the order in which it is stored: whoever changes it makes every stored rollup void. */
export const COUNTED = [
  /** Nano-dollars. */
  'cost',
  'images',
  /** Requests that were charged. */
  'requests',
  /** Requests that ended without a picture and without a charge. */
  'voided',
  'textIn',
  'imageIn',
  /** Input that the provider did not split into text and image. */
  'unsplitIn',
  /** The part of the input that the provider had cached. */
  'cachedIn',
  'out',
] as const;

export type UsageCounts = Record<(typeof COUNTED)[number], number>;

/** Money that is held for a request, or that it may have cost. */
export type Standing = {
  readonly member: string;
  readonly model: string;
  readonly amount: NanoUsd;
  readonly isUnknown: boolean;
};

export function emptyRollup(): UsageRollup {
  return { seq: 0, days: new Map(), corrections: new Map() };
}

export function emptyCounts(): UsageCounts {
  return { cost: 0, images: 0, requests: 0, voided: 0, textIn: 0, imageIn: 0, unsplitIn: 0, cachedIn: 0, out: 0 };
}

export function addCounts(to: UsageCounts, more: Partial<UsageCounts>): void {
  for (const name of COUNTED) to[name] += more[name] ?? 0;
}

/**
 * Counts the next entry of the journal in. It uses nothing but its two arguments: the same entries always make the same
 * rollup, in one go or in many.
 * @returns the day that was changed, if one was
 */
export function foldEntry(rollup: UsageRollup, entry: Entry): string | undefined {
  rollup.seq = entry.seq;
  if (entry.type === 'dispatch') return undefined;
  if (entry.type === 'adjust') {
    rollup.corrections.set(entry.transfer, (rollup.corrections.get(entry.transfer) ?? 0) + entry.amount);
    return undefined;
  }
  const dayName = dayOfSnowflake(entry.transfer);
  const day = dayOf(rollup, dayName);
  const standing = day.standings.get(entry.transfer);
  switch (entry.type) {
    case 'reserve': {
      const { member, model } = entry.details;
      day.standings.set(entry.transfer, { member, model, amount: entry.amount, isUnknown: false });
      break;
    }
    case 'unknown':
      if (standing) day.standings.set(entry.transfer, { ...standing, isUnknown: true });
      break;
    case 'post':
      // A charge tells everything itself, because it may also come for a request that was given up.
      day.standings.delete(entry.transfer);
      addCounts(countsOf(day, entry.details), countsOfCharge(entry));
      break;
    case 'void':
      day.standings.delete(entry.transfer);
      if (standing) countsOf(day, standing).voided += 1;
      break;
    case 'release':
      day.standings.delete(entry.transfer);
      break;
  }
  return dayName;
}

/**
 * Counts a correction where its charge was counted. A correction does not say whose it is: the charge's entry does.
 * @returns the day that was changed
 */
export function attributeCorrection(rollup: UsageRollup, transfer: string, details: RequestDetails): string {
  const dayName = dayOfSnowflake(transfer);
  countsOf(dayOf(rollup, dayName), details).cost += rollup.corrections.get(transfer) ?? 0;
  rollup.corrections.delete(transfer);
  return dayName;
}

function countsOfCharge({ charge, details }: Extract<Entry, { type: 'post' }>): Partial<UsageCounts> {
  const known = { cost: charge.cost, images: details.count, requests: 1 };
  const usage = readTokenUsage(charge.usage);
  if (!usage) return known;
  const { input, inputSplit, cached, output } = usage;
  return {
    ...known,
    textIn: inputSplit?.text ?? 0,
    imageIn: inputSplit?.image ?? 0,
    unsplitIn: inputSplit ? 0 : (input ?? 0),
    cachedIn: cached.text + cached.image,
    out: output,
  };
}

function dayOf({ days }: UsageRollup, name: string): UsageDay {
  const day = days.get(name) ?? { counts: new Map(), standings: new Map() };
  days.set(name, day);
  return day;
}

function countsOf({ counts }: UsageDay, { member, model }: Pick<RequestDetails, 'member' | 'model'>): UsageCounts {
  const byModel = counts.get(member) ?? new Map<string, UsageCounts>();
  const found = byModel.get(model) ?? emptyCounts();
  counts.set(member, byModel.set(model, found));
  return found;
}
