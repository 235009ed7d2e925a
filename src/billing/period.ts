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
  return periodOf(timeOfSnowflake(id));
}

/** The UTC day in which a request belongs, as `YYYYMMDD`. */
export function dayOfSnowflake(id: string): string {
  return new Date(timeOfSnowflake(id)).toISOString().slice(0, 10).replaceAll('-', '');
}

/** The first moment of the UTC day after that of a request, in milliseconds since the epoch. */
export function endOfDayOfSnowflake(id: string): number {
  const at = new Date(timeOfSnowflake(id));
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1);
}

/** The moment at which an id was made, in milliseconds since the epoch. */
export function timeOfSnowflake(id: string): number {
  return Number(BigInt(id) >> SNOWFLAKE_TIMESTAMP_SHIFT) + DISCORD_EPOCH_MS;
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

/** The months from one back to an earlier one, both of them included, the latest first. */
export function periodsBack(last: Period, first: Period): readonly Period[] {
  const periods: Period[] = [];
  for (let period = last; period >= first; period = previousPeriod(period)) periods.push(period);
  return periods;
}

/** How many days a month has. */
export function daysInPeriod(period: Period): number {
  const { year, month } = partsOf(period);
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** The first moment of the month, in milliseconds since the epoch. */
export function startOfPeriod(period: Period): number {
  const { year, month } = partsOf(period);
  return Date.UTC(year, month - 1, 1);
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
