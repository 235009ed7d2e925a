import type { NanoUsd } from '../billing/money.ts';
import { daysInPeriod, endOfPeriod, namePeriod, previousPeriod } from '../billing/period.ts';
import type { UsageReport } from './usage-report.ts';

/** What a chart of a month shows. It names models and nobody: fonts do not have the letters of every name. */
export type UsageChart = {
  readonly title: string;
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
const OTHER_MODELS = 'other models';
const DAY_MS = 86_400_000;

/** @param options.now in milliseconds since the epoch; days after it have not been yet */
export function chartOf(
  report: UsageReport,
  options: { readonly budget: NanoUsd | undefined; readonly now: number },
): UsageChart {
  const { period, daily } = report;
  const { budget, now } = options;
  const dayCount = daysInPeriod(period);
  const begin = endOfPeriod(previousPeriod(period));
  const all = report.models.map(({ model }) => model);
  const shown = new Set(all.length > MODELS_MAX ? all.slice(0, MODELS_MAX - 1) : all);
  const costs = new Map<string, NanoUsd[]>();
  for (const { day, model, cost } of daily) {
    const name = shown.has(model) ? model : OTHER_MODELS;
    const ofModel = costs.get(name) ?? Array.from({ length: dayCount }, () => 0);
    ofModel[day - 1] = (ofModel[day - 1] ?? 0) + cost;
    costs.set(name, ofModel);
  }
  const names = [...shown, OTHER_MODELS].filter((name) => costs.has(name));
  return {
    title: namePeriod(period),
    dayCount,
    elapsedDays: Math.max(0, Math.min(dayCount, Math.ceil((now - begin) / DAY_MS))),
    models: names.map((name) => ({ name, costs: costs.get(name) ?? [] })),
    budget,
    isUsedUp: budget !== undefined && report.settled + report.held + report.unknown.amount >= budget,
  };
}
