import type { NanoUsd } from '../billing/money.ts';
import { formatUsd } from '../billing/money.ts';
import { endOfPeriod, namePeriod } from '../billing/period.ts';
import type { Spending, UsageReport } from '../services/usage-report.ts';
import { escapeText, formatTokens, relativeTime } from './wording.ts';

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
const PERCENT = 100;

/** A server's month in words and numbers, or with a member that member's share of it. */
export function describeUsage(report: UsageReport, view: UsageView): string {
  const { member } = view;
  const isOfServer = member === undefined;
  const heading = isOfServer
    ? `## Usage in ${namePeriod(report.period)}`
    : `## Usage of <@${member}> in ${namePeriod(report.period)}`;
  const sections = [
    [heading, ...(isOfServer ? describeBudget(report, view) : describeStanding(report)), ...describePruning(report)],
    describeList('Members', isOfServer ? report.members : [], TOP_MEMBERS_MAX, (line) => `<@${line.member}>`),
    describeList('Models', report.models, TOP_MODELS_MAX, (line) => `\`${escapeText(line.model)}\``),
    describeTokens(report),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** The chart in words, for those who do not see it. */
export function describeChart(report: UsageReport, { limit, member }: UsageView): string {
  const { spending, daily, models, period } = report;
  const heading = `Spending by day in ${namePeriod(period)}`;
  if (daily.length === 0) return `${heading}: nothing.`;
  const costs = new Map<number, NanoUsd>();
  for (const { day, cost } of daily) costs.set(day, (costs.get(day) ?? 0) + cost);
  const [[dearestDay, dearest] = [0, 0]] = [...costs].toSorted(([, one], [, other]) => other - one);
  const all = member === undefined ? `${formatUsd(spending.cost)} of ${formatUsd(limit, 2)}` : formatUsd(spending.cost);
  const perModel = models.slice(0, TOP_MODELS_MAX).map(({ model, cost }) => `${model} ${formatUsd(cost)}`);
  return `${heading}: ${all} in all, the most on day ${dearestDay} with ${formatUsd(dearest)}. ${perModel.join(', ')}.`;
}

/** A member's own month. */
export function describeQuota(report: UsageReport, remaining: NanoUsd): string {
  const { cost, images } = report.spending;
  return [
    `## Your images in ${namePeriod(report.period)}`,
    `You have made ${countOf(images, 'image')} for ${formatUsd(cost)}.`,
    ...(report.held > 0 ? [`${formatUsd(report.held)} is held for what is under way.`] : []),
    ...(report.unknown.amount > 0
      ? [`${formatUsd(report.unknown.amount)} is being checked, because the provider's answer was lost.`]
      : []),
    `This server can spend ${formatUsd(Math.max(0, remaining))} more before its budget renews ${relativeTime(endOfPeriod(report.period))}.`,
  ].join('\n');
}

function describeBudget(report: UsageReport, { limit, now }: UsageView): string[] {
  const used = report.settled + report.held + report.unknown.amount;
  const renewsAt = endOfPeriod(report.period);
  return [
    `${drawBar(used, limit)} of the budget`,
    `**${formatUsd(report.settled)}** of ${formatUsd(limit, 2)} spent · ${describeImages(report)}`,
    ...describeOpen(report),
    // What a month that is over has left is nobody's any more.
    ...(renewsAt > now ? [`Remaining: **${formatUsd(limit - used)}**, renews ${relativeTime(renewsAt)}`] : []),
    ...(report.voided > 0 ? [`Declined or failed without charge: ${countOf(report.voided, 'request')}`] : []),
  ];
}

function describeStanding(report: UsageReport): string[] {
  return [`**${formatUsd(report.spending.cost)}** · ${describeImages(report)}`, ...describeOpen(report)];
}

function describeOpen({ held, unknown }: UsageReport): string[] {
  const requests = unknown.requests > 0 ? ` (${countOf(unknown.requests, 'request')})` : '';
  return [
    `Held for what is under way: ${formatUsd(held)}`,
    `Unknown, being checked: ${formatUsd(unknown.amount)}${requests}`,
  ];
}

function describeImages({ isPruned, spending }: UsageReport): string {
  return isPruned ? countOf(spending.requests, 'request') : countOf(spending.images, 'image');
}

function describePruning({ isPruned }: UsageReport): string[] {
  return isPruned
    ? ['The entries of this month are in an archive, which the operator has; only totals are left here.']
    : [];
}

/** How much is used up, as a bar and in percent, rounded down so that full means full. */
function drawBar(used: NanoUsd, limit: NanoUsd): string {
  const share = limit > 0 ? Math.max(0, used / limit) : Number(used > 0);
  const filled = Math.min(BAR_LENGTH, Math.floor(share * BAR_LENGTH));
  const percent = share * PERCENT;
  const shownPercent = percent > 0 && percent < 1 ? '<1' : Math.floor(percent).toLocaleString('en-US');
  return `${'▰'.repeat(filled)}${'▱'.repeat(BAR_LENGTH - filled)} ${shownPercent}%`;
}

function describeList<Line extends Spending>(
  heading: string,
  lines: readonly Line[],
  shownMax: number,
  nameOf: (line: Line) => string,
): string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, shownMax);
  const hidden = lines.length - shown.length;
  return [
    `**${heading}**`,
    ...shown.map((line) => `${nameOf(line)}: ${formatUsd(line.cost)} · ${countOf(line.images, 'image')}`),
    ...(hidden > 0 ? [`-# and ${hidden.toLocaleString('en-US')} more`] : []),
  ];
}

function describeTokens({ tokens }: UsageReport): string[] {
  const kinds: readonly (readonly [string, number])[] = [
    ['text in', tokens.textIn],
    ['image in', tokens.imageIn],
    ['input without a split', tokens.unsplitIn],
    ['of the input cached', tokens.cachedIn],
    ['image out', tokens.out],
  ];
  const used = kinds.filter(([, count]) => count > 0);
  if (used.length === 0) return [];
  return ['**Tokens**', used.map(([kind, count]) => `${formatTokens(count)} ${kind}`).join(' · ')];
}

function countOf(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
