import type { Period } from './period.ts';

const SEQ_DIGITS = 8;

/**
 * How the ledger's values are named. The braces keep all of a guild's keys in one slot of a clustered store, which is
 * what lets them be written together.
 */
export const headKey = (guild: string, period: Period): string => `head:{${guild}}:${period}`;
export const transferKey = (guild: string, transfer: string): string => `tx:{${guild}}:${transfer}`;
export const entryKey = (guild: string, period: Period, seq: number): string =>
  `entry:{${guild}}:${period}:${String(seq).padStart(SEQ_DIGITS, '0')}`;
export const indexKey = (period: Period, shard: number): string => `index:${period}:${shard}`;
