import type { Period } from './period.ts';

const SEQ_DIGITS = 8;

/**
 * How the ledger's values are named. The braces keep all of a guild's keys in one slot of a clustered store, which is
 * what lets them be written together.
 */
export const headKey = (guild: string, period: Period): string => `head:{${guild}}:${period}`;
export const transferKey = (guild: string, transfer: string): string => `tx:{${guild}}:${transfer}`;
export const memberKey = (guild: string, period: Period, member: string): string =>
  `member:{${guild}}:${period}:${member}`;
export const entryKey = (guild: string, period: Period, seq: number): string =>
  `entry:{${guild}}:${period}:${String(seq).padStart(SEQ_DIGITS, '0')}`;
/** What /usage reports are read from; all of it follows from the journal, and may be thrown away. */
export const rollupKey = (guild: string, period: Period): string => `rollup:{${guild}}:${period}`;
export const rollupDayKey = (guild: string, day: string): string => `rollup-day:{${guild}}:${day}`;
export const indexKey = (period: Period, shard: number): string => `index:${period}:${shard}`;
