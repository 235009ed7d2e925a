import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { NanoUsd } from '../billing/money.ts';
import type { Period } from '../billing/period.ts';
import { endOfPeriod, formatPeriod, periodOf, previousPeriod, startOfPeriod } from '../billing/period.ts';
import { listAccounts } from './accounts.ts';
import { usd } from './amounts.ts';
import { releaseCall } from './call-corrections.ts';
import type { Tool, ToolParts } from './command-line.ts';
import { EXIT_OK, readOptionalMonth, requireOption, ToolRefusal, UsageError } from './command-line.ts';
import { decisionOptions, readDecision } from './decision.ts';
import { fetchOpenAiCosts } from './openai-costs.ts';
import type { ProviderCall } from './provider-calls.ts';
import { readProviderCalls } from './provider-calls.ts';
import type { DailyCosts } from './provider-costs.ts';
import { isDay, parseCostsFile } from './provider-costs.ts';
import type { ReconciledDay } from './reconciliation.ts';
import { dayOf, readDifference, reconcileDays } from './reconciliation.ts';
import { adjust, post, release } from './single-calls.ts';
import { alignColumns } from './table.ts';

const USAGE = `usage:
  npm run reconcile -- [--month YYYY-MM] [--guild ID] [--costs FILE | --from-api] [--line-item TEXT]
  npm run reconcile -- release TRANSFER --reason TEXT [--guild ID] [--by NAME]
  npm run reconcile -- post TRANSFER --usd AMOUNT --reason TEXT [--guild ID] [--by NAME]
  npm run reconcile -- adjust TRANSFER --usd AMOUNT --reason TEXT [--guild ID] [--by NAME]
  npm run reconcile -- release-all --before YYYY-MM-DD --reason TEXT [--guild ID] [--by NAME] [--yes]`;

const COSTS_FILE_SIZE_BYTES_MAX = 16 * 1024 * 1024;

/** `npm run reconcile`: holds the ledger against the provider's bill, ends what is unknown, and corrects what is posted. */
export const reconcileTool: Tool = {
  usage: USAGE,
  async run(commandLine, parts) {
    const [command, ...rest] = commandLine;
    switch (command) {
      case 'release':
        return release(rest, parts);
      case 'post':
        return post(rest, parts);
      case 'adjust':
        return adjust(rest, parts);
      case 'release-all':
        return releaseAll(rest, parts);
      default:
        if (command === undefined || command.startsWith('--')) return compare(commandLine, parts);
        throw new UsageError(USAGE);
    }
  },
};

async function compare(args: readonly string[], parts: ToolParts): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      month: { type: 'string' },
      guild: { type: 'string' },
      costs: { type: 'string' },
      'from-api': { type: 'boolean', default: false },
      'line-item': { type: 'string' },
    },
  });
  if (values.costs !== undefined && values['from-api'])
    throw new UsageError('--costs and --from-api exclude each other');
  const period = readOptionalMonth(values.month) ?? periodOf(parts.now());
  const { calls, gap } = await readCallsOfMonth(parts, period, values.guild);
  const costs = await readCosts(parts, period, values);
  const unknown = calls.filter(({ state }) => state === 'unknown');
  parts.print(`${formatPeriod(period)}: ${unknown.length} calls of unknown outcome`);
  for (const line of alignColumns(unknown.map(describeCall))) parts.print(`  ${line}`);
  parts.print('');
  for (const line of tableOf(calls, costs, gap)) parts.print(line);
  if (gap) parts.print(describeGap(gap));
  return EXIT_OK;
}

async function readCosts(
  { config }: ToolParts,
  period: Period,
  options: { readonly costs?: string; readonly 'from-api': boolean; readonly 'line-item'?: string },
): Promise<DailyCosts | undefined> {
  const lineItem = options['line-item'];
  if (options['from-api']) return fetchOpenAiCosts(config, rangeOf(period), lineItem);
  if (options.costs === undefined) return undefined;
  const costs = parseCostsFile(await readCostsFile(options.costs), lineItem);
  return new Map([...costs].filter(([day]) => day.startsWith(formatPeriod(period))));
}

/** A day of which calls may be missing, because the month of their requests was pruned and only its archive has them. */
type Gap = { readonly day: string; readonly month: string };

/**
 * The calls that went out in a month. They may belong to the account of the month before, where somebody asked in its
 * last minutes.
 */
async function readCallsOfMonth(
  { ledger, now }: ToolParts,
  period: Period,
  guild: string | undefined,
): Promise<{ readonly calls: readonly ProviderCall[]; readonly gap: Gap | undefined }> {
  const calls: ProviderCall[] = [];
  let gap: Gap | undefined;
  for (const month of [previousPeriod(period), period]) {
    for await (const account of listAccounts(ledger, { guild, period: month }, now())) {
      const { pruned } = await ledger.head(account.guild, month);
      if (pruned && month === period)
        throw new ToolRefusal(`${formatPeriod(period)} was pruned; its entries are in an archive`);
      if (pruned) gap = { day: dayOf(rangeOf(period).from), month: formatPeriod(month) };
      calls.push(...(await readProviderCalls(ledger, account)));
    }
  }
  return { calls: calls.filter(({ dispatchedAt }) => periodOf(dispatchedAt) === period), gap };
}

function describeGap({ day, month }: Gap): string {
  return `${month} was pruned: whatever it asked for last and went out on ${day} is in its archive, and not here.`;
}

function rangeOf(period: Period): { from: number; until: number } {
  return { from: startOfPeriod(period), until: endOfPeriod(period) };
}

async function readCostsFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= COSTS_FILE_SIZE_BYTES_MAX) return await readFile(path, 'utf8');
  } catch (error) {
    throw new ToolRefusal(`${path} cannot be read`, { cause: error });
  }
  throw new ToolRefusal(`${path} is larger than costs can be`);
}

function describeCall(call: ProviderCall): readonly string[] {
  const { model, size, quality, count, member } = call.details;
  return [
    `transfer ${call.transfer}`,
    `guild ${call.guild}`,
    `member ${member}`,
    `${model} ${size} ${quality} ×${count}`,
    new Date(call.dispatchedAt).toISOString(),
    `at most ${usd(call.ceiling)}`,
    call.reason ?? '',
    call.hasArrived ? 'its images arrived' : '',
    call.requestId ?? 'no request id',
  ];
}

function tableOf(
  calls: readonly ProviderCall[],
  costs: DailyCosts | undefined,
  gap: Gap | undefined,
): readonly string[] {
  const days = reconcileDays(calls, costs);
  const sum = (amountOf: (day: (typeof days)[number]) => NanoUsd | undefined): NanoUsd =>
    days.reduce((total, day) => total + (amountOf(day) ?? 0), 0);
  const total = {
    posted: sum(({ posted }) => posted),
    unknown: sum(({ unknown }) => unknown),
    provider: costs && sum(({ provider }) => provider),
    difference: costs && sum(({ difference }) => difference),
  };
  const cells = ({ posted, unknown, provider, difference }: typeof total): readonly string[] =>
    [posted, unknown, provider, difference].map((amount) => (amount === undefined ? '–' : usd(amount)));
  return alignColumns([
    ['day', 'posted', 'unknown', 'provider', 'difference', ''],
    ...days.map((day) => [day.day, ...cells(day), remarkOn(day, gap)]),
    ['total', ...cells(total), ''],
  ]);
}

/** Where calls may be missing, the difference says nothing for certain. */
function remarkOn(day: ReconciledDay, gap: Gap | undefined): string {
  const reading = readDifference(day);
  return day.day === gap?.day ? `${reading} (without ${gap.month}, see below)`.trimStart() : reading;
}

async function releaseAll(args: readonly string[], parts: ToolParts): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { ...decisionOptions, before: { type: 'string' }, yes: { type: 'boolean', default: false } },
  });
  const why = readDecision(values);
  const before = requireOption('before', values.before);
  if (!isDay(before)) throw new UsageError(`--before ${before} is no day; write it like 2026-11-20`);
  let count = 0;
  for await (const account of listAccounts(parts.ledger, { guild: values.guild }, parts.now())) {
    for (const call of await readProviderCalls(parts.ledger, account)) {
      if (call.state !== 'unknown' || dayOf(call.dispatchedAt) >= before) continue;
      const line = describeCall(call).join('  ');
      if (call.hasArrived) {
        // Whoever made images charges for them: a rule must not say otherwise, only a person who has looked.
        parts.print(`left alone  ${line}`);
        continue;
      }
      // What a late receipt has settled meanwhile needs no rule any more.
      if (values.yes && !(await releaseCall(parts.ledger, call, why))) continue;
      parts.print(`${values.yes ? 'released' : 'would be released'}  ${line}`);
      count += 1;
    }
  }
  parts.print(
    values.yes ? `${count} released` : `${count} would be released. Nothing was changed; with --yes it is done.`,
  );
  return EXIT_OK;
}
