/** A calendar month in UTC, as `YYYYMM`. */
export type Period = string;

/** Discord's epoch, the first second of 2015, in milliseconds since 1970. */
const DISCORD_EPOCH_MS = 1_420_070_400_000;
const SNOWFLAKE_TIMESTAMP_SHIFT = 22n;
const PERIOD_PATTERN = /^\d{4}(0[1-9]|1[0-2])$/;

/**
 * The month in which a request belongs: that of its interaction id. A clock cannot move it, and a request that is
 * settled after midnight is settled in the month in which it was reserved.
 */
export function periodOfSnowflake(id: string): Period {
  return periodOf(Number(BigInt(id) >> SNOWFLAKE_TIMESTAMP_SHIFT) + DISCORD_EPOCH_MS);
}

/** The month of a moment in milliseconds since the epoch. */
export function periodOf(at: number): Period {
  return new Date(at).toISOString().slice(0, 7).replace('-', '');
}

/** Reads `2026-11` or `202611`, or answers undefined. */
export function parsePeriod(text: string): Period | undefined {
  const compact = text.trim().replace('-', '');
  return PERIOD_PATTERN.test(compact) ? compact : undefined;
}

/** The month before. */
export function previousPeriod(period: Period): Period {
  const { year, month } = partsOf(period);
  return periodOf(Date.UTC(year, month - 2, 1));
}

/** The first moment of the next month, when a budget renews, in milliseconds since the epoch. */
export function endOfPeriod(period: Period): number {
  const { year, month } = partsOf(period);
  return Date.UTC(year, month, 1);
}

/** The month as people write it: `2026-11`. */
export function formatPeriod(period: Period): string {
  return `${period.slice(0, 4)}-${period.slice(4)}`;
}

function partsOf(period: Period): { year: number; month: number } {
  return { year: Number(period.slice(0, 4)), month: Number(period.slice(4)) };
}
