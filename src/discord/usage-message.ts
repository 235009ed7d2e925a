import type { NanoUsd } from '../billing/money.ts';
import { formatDecidedUsd, formatUsd } from '../billing/money.ts';
import type { Period } from '../billing/period.ts';
import { endOfPeriod } from '../billing/period.ts';
import type { ChartWords } from '../services/usage/usage-chart-data.ts';
import type { Spending, TokenTotals, UsageReport } from '../services/usage/usage-report.ts';
import { escapeCode, formatMonth, relativeTime } from './wording.ts';
import type { MessageKey, Words } from './words.ts';

/** A report as it is asked for: of a server, or of one of its members. */
export type UsageView = {
  /** The month's budget. */
  readonly limit: NanoUsd;
  readonly member: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

const TOP_MEMBERS_MAX = 10;
const TOP_MODELS_MAX = 10;
const BAR_LENGTH = 16;

const TOKEN_KINDS: readonly (readonly [MessageKey, keyof TokenTotals])[] = [
  ['usage.tokens.text-in', 'textIn'],
  ['usage.tokens.image-in', 'imageIn'],
  ['usage.tokens.unsplit-in', 'unsplitIn'],
  ['usage.tokens.cached-in', 'cachedIn'],
  ['usage.tokens.out', 'out'],
];

/** A server's month in words and numbers, or with a member that member's share of it. */
export function describeUsage(report: UsageReport, view: UsageView, words: Words): string {
  const { say } = words;
  const { member } = view;
  const month = formatMonth(report.period, words);
  const isOfServer = member === undefined;
  const members = isOfServer ? report.members.map((line) => ({ ...line, name: `<@${line.member}>` })) : [];
  const models = report.models.map((line) => ({ ...line, name: `\`${escapeCode(line.model)}\`` }));
  const sections = [
    [
      isOfServer ? say('usage.heading', { month }) : say('usage.heading-member', { month, member: `<@${member}>` }),
      ...(isOfServer ? describeBudget(report, view, words) : describeStanding(report, words)),
      ...(report.isPruned ? [say('usage.archived')] : []),
    ],
    describeList('usage.members', members, TOP_MEMBERS_MAX, words),
    describeList('usage.models', models, TOP_MODELS_MAX, words),
    describeTokens(report, words),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** What is written in the chart itself. */
export function chartWords(period: Period, words: Words): ChartWords {
  const { say } = words;
  return {
    labels: {
      month: formatMonth(period, words),
      runningTotal: say('usage.chart-total'),
      byDay: say('usage.chart-by-day'),
      budget: say('usage.chart-line-budget'),
      nothingSpent: say('usage.chart-nothing'),
    },
    otherModels: say('usage.chart-other-models'),
    spentOfBudget: (spent, limit) => say('usage.chart-share', { spent, limit }),
  };
}

/** The chart in words, for those who do not see it. */
export function describeChart(report: UsageReport, { limit, member }: UsageView, words: Words): string {
  const { say } = words;
  const { spending, daily, models, period } = report;
  const month = formatMonth(period, words);
  if (daily.length === 0) return say('usage.chart-empty', { month });
  const costs = new Map<number, NanoUsd>();
  for (const { day, cost } of daily) costs.set(day, (costs.get(day) ?? 0) + cost);
  const [[dearestDay, dearest] = [0, 0]] = [...costs].toSorted(([, one], [, other]) => other - one);
  const shown = {
    month,
    spent: formatUsd(spending.cost),
    day: dearestDay,
    dayCost: formatUsd(dearest),
    models: models
      .slice(0, TOP_MODELS_MAX)
      .map(({ model, cost }) => `${model} ${formatUsd(cost)}`)
      .join(', '),
  };
  return member === undefined
    ? say('usage.chart-of-budget', { ...shown, limit: formatDecidedUsd(limit) })
    : say('usage.chart', shown);
}

/** A member's own month. */
export function describeQuota(report: UsageReport, remaining: NanoUsd, words: Words): string {
  const { say } = words;
  const { spending, held, unknown, period } = report;
  return [
    say('quota.heading', { month: formatMonth(period, words) }),
    say('quota.spent', { images: spending.images, amount: formatUsd(spending.cost) }),
    ...(held > 0 ? [say('quota.held', { amount: formatUsd(held) })] : []),
    ...(unknown.amount > 0 ? [say('quota.unknown', { amount: formatUsd(unknown.amount) })] : []),
    say('quota.remaining', {
      amount: formatUsd(Math.max(0, remaining)),
      renewsAt: relativeTime(endOfPeriod(period)),
    }),
  ].join('\n');
}

function describeBudget(report: UsageReport, { limit, now }: UsageView, words: Words): string[] {
  const { say } = words;
  const used = report.settled + report.held + report.unknown.amount;
  const renewsAt = endOfPeriod(report.period);
  const remaining = { amount: formatUsd(limit - used), renewsAt: relativeTime(renewsAt) };
  return [
    describeShare(used, limit, words),
    say('usage.spent', {
      spent: formatUsd(report.settled),
      limit: formatDecidedUsd(limit),
      counted: describeImages(report, words),
    }),
    ...describeOpen(report, words),
    // What a month that is over has left is nobody's any more.
    ...(renewsAt > now ? [say('usage.remaining', remaining)] : []),
    ...(report.voided > 0 ? [say('usage.voided', { requests: say('usage.requests', { count: report.voided }) })] : []),
  ];
}

function describeStanding(report: UsageReport, words: Words): string[] {
  return [`**${formatUsd(report.spending.cost)}** · ${describeImages(report, words)}`, ...describeOpen(report, words)];
}

function describeOpen({ held, unknown }: UsageReport, { say }: Words): string[] {
  const amount = formatUsd(unknown.amount);
  return [
    say('usage.held', { amount: formatUsd(held) }),
    unknown.requests > 0
      ? say('usage.unknown-requests', { amount, requests: say('usage.requests', { count: unknown.requests }) })
      : say('usage.unknown', { amount }),
  ];
}

function describeImages({ isPruned, spending }: UsageReport, { say }: Words): string {
  return isPruned
    ? say('usage.requests', { count: spending.requests })
    : say('usage.images', { count: spending.images });
}

/** How much is used up, as a bar and in percent, rounded down so that full means full. */
function describeShare(used: NanoUsd, limit: NanoUsd, { say }: Words): string {
  const filled = Math.min(BAR_LENGTH, partsUsed(used, limit, BAR_LENGTH));
  const bar = `${'▰'.repeat(filled)}${'▱'.repeat(BAR_LENGTH - filled)}`;
  const percent = partsUsed(used, limit, 100);
  return used > 0 && percent === 0
    ? say('usage.budget-bar-begun', { bar })
    : say('usage.budget-bar', { bar, share: percent / 100 });
}

/** How many of so many equal parts of a budget are used up, whole ones only: a fraction would lose one now and then. */
function partsUsed(used: NanoUsd, limit: NanoUsd, parts: number): number {
  if (limit <= 0) return used > 0 ? parts : 0;
  return Number((BigInt(Math.max(0, used)) * BigInt(parts)) / BigInt(limit));
}

type NamedSpending = Spending & { readonly name: string };

function describeList(
  heading: MessageKey,
  lines: readonly NamedSpending[],
  shownMax: number,
  { say }: Words,
): string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, shownMax);
  const hidden = lines.length - shown.length;
  return [
    say(heading),
    ...shown.map(({ name, cost, images }) =>
      say('usage.line', { name, amount: formatUsd(cost), images: say('usage.images', { count: images }) }),
    ),
    ...(hidden > 0 ? [say('usage.more', { count: hidden })] : []),
  ];
}

function describeTokens({ tokens }: UsageReport, { say }: Words): string[] {
  const used = TOKEN_KINDS.filter(([, kind]) => tokens[kind] > 0);
  if (used.length === 0) return [];
  return [say('usage.tokens'), used.map(([key, kind]) => say(key, { count: tokens[kind] })).join(' · ')];
}
