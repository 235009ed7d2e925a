import type { NanoUsd } from '../billing/money.ts';
import { formatUsd } from '../billing/money.ts';
import { endOfPeriod, formatPeriod } from '../billing/period.ts';
import type { Spending, UsageReport } from '../services/usage-report.ts';
import { escapeText, formatTokens, relativeTime } from './wording.ts';

const TOP_MEMBERS_MAX = 10;

/** A server's month in words and numbers, or with a member that member's share of it. */
export function describeUsage(
  report: UsageReport,
  options: { readonly limit: NanoUsd; readonly member: string | undefined },
): string {
  const { limit, member } = options;
  const heading =
    member === undefined
      ? `## Usage in ${formatPeriod(report.period)}`
      : `## Usage of <@${member}> in ${formatPeriod(report.period)}`;
  const sections = [
    [heading, ...(member === undefined ? describeBudget(report, limit) : describeStanding(report))],
    describeList(
      'Members',
      member === undefined ? report.members.slice(0, TOP_MEMBERS_MAX) : [],
      (line) => `<@${line.member}>`,
    ),
    describeList('Models', report.models, (line) => `\`${escapeText(line.model)}\``),
    describeTokens(report),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** A member's own month. */
export function describeQuota(report: UsageReport, remaining: NanoUsd): string {
  const { cost, images } = report.spending;
  return [
    `## Your images in ${formatPeriod(report.period)}`,
    `You have made ${countOf(images, 'image')} for ${formatUsd(cost)}.`,
    ...(report.held > 0 ? [`${formatUsd(report.held)} is held for what is under way.`] : []),
    ...(report.unknown > 0
      ? [`${formatUsd(report.unknown)} is being checked, because the provider's answer was lost.`]
      : []),
    `This server can spend ${formatUsd(Math.max(0, remaining))} more before its budget renews ${relativeTime(endOfPeriod(report.period))}.`,
  ].join('\n');
}

function describeBudget(report: UsageReport, limit: NanoUsd): string[] {
  const remaining = limit - report.settled - report.held - report.unknown;
  return [
    `**${formatUsd(report.settled)}** of ${formatUsd(limit, 2)} spent · ${countOf(report.spending.images, 'image')}`,
    `Held for what is under way: ${formatUsd(report.held)}`,
    `Unknown, being checked: ${formatUsd(report.unknown)}`,
    `Remaining: **${formatUsd(remaining)}**, renews ${relativeTime(endOfPeriod(report.period))}`,
    ...(report.voided > 0 ? [`Declined or failed without charge: ${countOf(report.voided, 'request')}`] : []),
  ];
}

function describeStanding(report: UsageReport): string[] {
  return [
    `**${formatUsd(report.spending.cost)}** · ${countOf(report.spending.images, 'image')}`,
    `Held for what is under way: ${formatUsd(report.held)}`,
    `Unknown, being checked: ${formatUsd(report.unknown)}`,
  ];
}

function describeList<Line extends Spending>(
  heading: string,
  lines: readonly Line[],
  nameOf: (line: Line) => string,
): string[] {
  if (lines.length === 0) return [];
  return [
    `**${heading}**`,
    ...lines.map((line) => `${nameOf(line)}: ${formatUsd(line.cost)} · ${countOf(line.images, 'image')}`),
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
