import type { AccountHead, Entry } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import type { Period } from '../billing/period.ts';
import { readTokenUsage } from '../billing/token-usage.ts';

/** What was spent, on what, by how many requests. */
export type Spending = { readonly cost: NanoUsd; readonly images: number; readonly requests: number };

/** Tokens by kind. Input that the provider did not split is counted apart, because it was billed apart. */
export type TokenTotals = {
  readonly textIn: number;
  readonly imageIn: number;
  readonly unsplitIn: number;
  readonly cachedIn: number;
  readonly out: number;
};

/** A guild's month, read from its journal. */
export type UsageReport = {
  readonly period: Period;
  /** The guild's totals; where a member was asked for, that member's. */
  readonly settled: NanoUsd;
  readonly held: NanoUsd;
  readonly unknown: NanoUsd;
  readonly spending: Spending;
  /** Dearest first. */
  readonly members: readonly (Spending & { readonly member: string })[];
  readonly models: readonly (Spending & { readonly model: string })[];
  readonly tokens: TokenTotals;
  /** How many requests ended without a picture and without a charge. */
  readonly voided: number;
};

export type UsageReports = {
  /** @param member where it is given, only this member's entries are counted. */
  read(guild: string, period: Period, member?: string): Promise<UsageReport>;
};

type Totals = { cost: NanoUsd; images: number; requests: number };
/** Where a transfer's money stands while its journal is read. */
type Standing = {
  readonly member: string;
  model: string;
  state: 'held' | 'unknown' | 'done';
  amount: NanoUsd;
};

export function createUsageReports(ledger: Ledger): UsageReports {
  return {
    async read(guild, period, member) {
      const tally = createTally(member);
      for await (const page of ledger.entries(guild, period)) page.forEach((entry) => tally.add(entry));
      const head = member === undefined ? await ledger.head(guild, period) : undefined;
      return tally.report(period, head);
    },
  };
}

function createTally(onlyMember: string | undefined) {
  const byMember = new Map<string, Totals>();
  const byModel = new Map<string, Totals>();
  const standings = new Map<string, Standing>();
  const spending: Totals = { cost: 0, images: 0, requests: 0 };
  const tokens = { textIn: 0, imageIn: 0, unsplitIn: 0, cachedIn: 0, out: 0 };
  let voided = 0;

  function book(standing: Standing, amount: Totals): void {
    for (const totals of [spending, entryOf(byMember, standing.member), entryOf(byModel, standing.model)]) {
      totals.cost += amount.cost;
      totals.images += amount.images;
      totals.requests += amount.requests;
    }
  }

  function addTokens(raw: unknown): void {
    const usage = readTokenUsage(raw);
    if (!usage) return;
    tokens.textIn += usage.inputSplit?.text ?? 0;
    tokens.imageIn += usage.inputSplit?.image ?? 0;
    tokens.unsplitIn += usage.inputSplit ? 0 : usage.input;
    tokens.cachedIn += usage.cached.text + usage.cached.image;
    tokens.out += usage.output;
  }

  return {
    add(entry: Entry): void {
      if (entry.type === 'reserve') {
        const { member, model } = entry.details;
        if (onlyMember !== undefined && member !== onlyMember) return;
        standings.set(entry.transfer, { member, model, state: 'held', amount: entry.amount });
        return;
      }
      const standing = standings.get(entry.transfer);
      if (!standing) return;
      switch (entry.type) {
        case 'dispatch':
          break;
        case 'post':
          standing.state = 'done';
          book(standing, { cost: entry.charge.cost, images: entry.details.count, requests: 1 });
          addTokens(entry.charge.usage);
          break;
        case 'unknown':
          standing.state = 'unknown';
          break;
        case 'void':
          standings.delete(entry.transfer);
          voided += 1;
          break;
        case 'release':
          standing.state = 'done';
          break;
        case 'adjust':
          book(standing, { cost: entry.amount, images: 0, requests: 0 });
          break;
      }
    },
    report(period: Period, head: AccountHead | undefined): UsageReport {
      return {
        period,
        settled: head?.settled ?? spending.cost,
        held: head?.held ?? sumOf(standings, 'held'),
        unknown: head?.exposure ?? sumOf(standings, 'unknown'),
        spending,
        members: dearestFirst(byMember).map(([member, totals]) => ({ member, ...totals })),
        models: dearestFirst(byModel).map(([model, totals]) => ({ model, ...totals })),
        tokens,
        voided,
      };
    },
  };
}

function sumOf(standings: ReadonlyMap<string, Standing>, state: Standing['state']): NanoUsd {
  return [...standings.values()]
    .filter((standing) => standing.state === state)
    .reduce((sum, { amount }) => sum + amount, 0);
}

function entryOf(map: Map<string, Totals>, key: string): Totals {
  const totals = map.get(key) ?? { cost: 0, images: 0, requests: 0 };
  map.set(key, totals);
  return totals;
}

function dearestFirst(map: ReadonlyMap<string, Totals>): [string, Totals][] {
  return [...map].toSorted(([, one], [, other]) => other.cost - one.cost);
}
