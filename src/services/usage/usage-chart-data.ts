import type { NanoUsd } from '../../billing/money.ts';
import { daysInPeriod, startOfPeriod } from '../../billing/period.ts';
import { formatDollars } from './dollar-marks.ts';
import type { UsageReport } from './usage-report.ts';

/** What is written in a chart whatever it shows, in the language of whoever reads it. */
type ChartLabels = {
  /** The month by its name. */
  readonly month: string;
  readonly runningTotal: string;
  readonly byDay: string;
  readonly budget: string;
  readonly nothingSpent: string;
};

/** The words that charts are written in. */
export type ChartWords = {
  readonly labels: ChartLabels;
  readonly otherModels: string;
  readonly spentOfBudget: (spent: string, budget: string) => string;
};

/** What a chart of a month shows. It names models and nobody: fonts do not have the letters of every name. */
export type UsageChart = {
  readonly labels: ChartLabels;
  /** What was spent in all, and of which budget. */
  readonly spent: string;
  readonly dayCount: number;
  /** How many days have begun; what is spent in all is known up to there. */
  readonly elapsedDays: number;
  /** The dearest first, each with its cost on every day of the month. */
  readonly models: readonly { readonly name: string; readonly costs: readonly NanoUsd[] }[];
  /** Left out where the spending is not the whole server's. */
  readonly budget: NanoUsd | undefined;
  /** Whether nothing more can be spent. */
  readonly isUsedUp: boolean;
};

/** As many colours as can still be told apart at a glance. */
const MODELS_MAX = 6;
const DAY_MS = 86_400_000;

/** @param options.now in milliseconds since the epoch; days after it have not been yet */
export function chartOf(
  report: UsageReport,
  options: { readonly budget: NanoUsd | undefined; readonly now: number; readonly words: ChartWords },
): UsageChart {
  const { period, daily } = report;
  const { budget, now, words } = options;
  const dayCount = daysInPeriod(period);
  const begin = startOfPeriod(period);
  const all = report.models.map(({ model }) => model);
  const shown = new Set(all.length > MODELS_MAX ? all.slice(0, MODELS_MAX - 1) : all);
  const costs = new Map<string, NanoUsd[]>();
  for (const { day, model, cost } of daily) {
    const name = shown.has(model) ? model : words.otherModels;
    const ofModel = costs.get(name) ?? Array.from({ length: dayCount }, () => 0);
    ofModel[day - 1] = (ofModel[day - 1] ?? 0) + cost;
    costs.set(name, ofModel);
  }
  const names = [...shown, words.otherModels].filter((name) => costs.has(name));
  return {
    labels: words.labels,
    spent: describeSpent(daily, budget, words),
    dayCount,
    elapsedDays: Math.max(0, Math.min(dayCount, Math.ceil((now - begin) / DAY_MS))),
    models: names.map((name) => ({ name, costs: costs.get(name) ?? [] })),
    budget,
    isUsedUp: budget !== undefined && report.settled + report.held + report.unknown.amount >= budget,
  };
}

function describeSpent(daily: UsageReport['daily'], budget: NanoUsd | undefined, words: ChartWords): string {
  const spent = formatDollars(
    daily.reduce((sum, { cost }) => sum + cost, 0),
    2,
  );
  return budget === undefined ? spent : words.spentOfBudget(spent, formatDollars(budget, 2));
}
