import type { NanoUsd } from '../billing/money.ts';
import type { ProviderCall } from './provider-calls.ts';
import type { DailyCosts } from './provider-costs.ts';

/** One day of the ledger beside one day of the provider's bill. */
export type ReconciledDay = {
  /** UTC, as `2026-11-20`. */
  readonly day: string;
  readonly posted: NanoUsd;
  /** The most that the calls of unknown outcome can have cost. */
  readonly unknown: NanoUsd;
  /** Undefined where nobody gave the provider's costs. */
  readonly provider: NanoUsd | undefined;
  /** What the provider charged beyond what is posted. */
  readonly difference: NanoUsd | undefined;
};

/** Providers sum in floating point and round; a thousandth of a thousandth of a dollar says nothing. */
const TOLERANCE_NANO_USD = 1_000;

/** Compares day by day. Days on which nothing happened on either side are left out. */
export function reconcileDays(calls: readonly ProviderCall[], costs: DailyCosts | undefined): readonly ReconciledDay[] {
  const sums = new Map<string, { posted: NanoUsd; unknown: NanoUsd }>();
  const sumOf = (day: string): { posted: NanoUsd; unknown: NanoUsd } => {
    const sum = sums.get(day) ?? { posted: 0, unknown: 0 };
    sums.set(day, sum);
    return sum;
  };
  for (const call of calls) {
    const sum = sumOf(dayOf(call.dispatchedAt));
    sum.posted += call.posted;
    if (call.state === 'unknown') sum.unknown += call.ceiling;
  }
  for (const day of costs?.keys() ?? []) sumOf(day);
  return [...sums]
    .map(([day, { posted, unknown }]) => {
      const provider = costs && (costs.get(day) ?? 0);
      return { day, posted, unknown, provider, difference: provider === undefined ? undefined : provider - posted };
    })
    .filter(({ posted, unknown, provider }) => posted !== 0 || unknown !== 0 || (provider ?? 0) !== 0)
    .toSorted((one, other) => (one.day < other.day ? -1 : 1));
}

/** What a difference says about the calls whose outcome is not known. */
export function readDifference({ difference, unknown }: ReconciledDay): string {
  if (difference === undefined) return '';
  if (difference < -TOLERANCE_NANO_USD) return 'less was charged than is posted';
  if (difference <= TOLERANCE_NANO_USD) return unknown === 0 ? 'agrees' : 'nothing was charged for the unknown';
  if (difference <= unknown + TOLERANCE_NANO_USD) return 'the unknown explain it';
  return 'more was charged than is known here';
}

/** The UTC day of a moment, as `2026-11-20`. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 'YYYY-MM-DD'.length);
}
