import type { AccountHead } from '../../billing/guild-account.ts';
import type { NanoUsd } from '../../billing/money.ts';
import type { Period } from '../../billing/period.ts';
import type { Standing, UsageCounts, UsageRollup } from './usage-rollup.ts';
import { addCounts, emptyCounts } from './usage-rollup.ts';
import type { UsageRollups } from './usage-rollups.ts';

/** What was spent, on what, by how many requests. */
export type Spending = Pick<UsageCounts, 'cost' | 'images' | 'requests'>;

/** Tokens by kind. Input that the provider did not split is counted apart, because it was billed apart. */
export type TokenTotals = Pick<UsageCounts, 'textIn' | 'imageIn' | 'unsplitIn' | 'cachedIn' | 'out'>;

/** What one model cost on one day; days count from 1. */
export type DailySpending = { readonly day: number; readonly model: string; readonly cost: NanoUsd };

/** A guild's month, or with a member that member's share of it. */
export type UsageReport = {
  readonly period: Period;
  readonly settled: NanoUsd;
  readonly held: NanoUsd;
  readonly unknown: { readonly amount: NanoUsd; readonly requests: number };
  readonly spending: Spending;
  /** Dearest first. */
  readonly members: readonly (Spending & { readonly member: string })[];
  readonly models: readonly (Spending & { readonly model: string })[];
  readonly daily: readonly DailySpending[];
  readonly tokens: TokenTotals;
  /** How many requests ended without a picture and without a charge. */
  readonly voided: number;
  /** Whether only the totals are left, because the entries went into an archive. */
  readonly isPruned: boolean;
};

export type UsageReports = {
  /** @param member where it is given, only this member's requests are counted. */
  read(guild: string, period: Period, member?: string): Promise<UsageReport>;
};

export function createUsageReports(rollups: UsageRollups): UsageReports {
  return {
    async read(guild, period, member) {
      const { head, rollup } = await rollups.read(guild, period);
      return rollup ? reportOf(period, rollup, member) : reportOfTotals(period, head, member);
    },
  };
}

function reportOf(period: Period, rollup: UsageRollup, onlyMember: string | undefined): UsageReport {
  const members = new Map<string, UsageCounts>();
  const models = new Map<string, UsageCounts>();
  const daily: DailySpending[] = [];
  const standings: Standing[] = [];
  const isWanted = (member: string): boolean => onlyMember === undefined || member === onlyMember;
  for (const [name, day] of rollup.days) {
    const costs = new Map<string, NanoUsd>();
    for (const [member, byModel] of day.counts) {
      if (!isWanted(member)) continue;
      for (const [model, counts] of byModel) {
        addCounts(entryOf(members, member), counts);
        addCounts(entryOf(models, model), counts);
        costs.set(model, (costs.get(model) ?? 0) + counts.cost);
      }
    }
    for (const [model, cost] of costs) daily.push({ day: Number(name.slice(period.length)), model, cost });
    standings.push(...[...day.standings.values()].filter(({ member }) => isWanted(member)));
  }
  const all = emptyCounts();
  for (const counts of models.values()) addCounts(all, counts);
  const unknown = standings.filter(({ isUnknown }) => isUnknown);
  return {
    period,
    settled: all.cost,
    held: sumOf(standings.filter(({ isUnknown }) => !isUnknown)),
    unknown: { amount: sumOf(unknown), requests: unknown.length },
    spending: all,
    members: dearestFirst(members).map(([member, counts]) => ({ member, ...counts })),
    models: dearestFirst(models).map(([model, counts]) => ({ model, ...counts })),
    daily,
    tokens: all,
    voided: all.voided,
    isPruned: false,
  };
}

/** What the account itself tells of a guild; of a single member it tells nothing any more. */
function reportOfTotals(period: Period, head: AccountHead, member: string | undefined): UsageReport {
  const nothing = emptyCounts();
  const { settled, counts } = head;
  const isOfGuild = member === undefined;
  return {
    period,
    settled: isOfGuild ? settled : 0,
    held: 0,
    unknown: { amount: 0, requests: 0 },
    spending: isOfGuild ? { cost: settled, images: 0, requests: counts.post } : nothing,
    members: [],
    models: [],
    daily: [],
    tokens: nothing,
    voided: isOfGuild ? counts.void : 0,
    isPruned: true,
  };
}

function sumOf(standings: readonly Standing[]): NanoUsd {
  return standings.reduce((sum, { amount }) => sum + amount, 0);
}

function entryOf(map: Map<string, UsageCounts>, key: string): UsageCounts {
  const counts = map.get(key) ?? emptyCounts();
  map.set(key, counts);
  return counts;
}

/** Those who have only asked, and paid for nothing, are left out. */
function dearestFirst(map: ReadonlyMap<string, UsageCounts>): [string, UsageCounts][] {
  return [...map]
    .filter(([, { requests, cost }]) => requests > 0 || cost !== 0)
    .toSorted(([, one], [, other]) => other.cost - one.cost);
}
