import { parseArgs } from 'node:util';
import { formatUsd } from '../billing/money.ts';
import type { Period } from '../billing/period.ts';
import { formatPeriod } from '../billing/period.ts';
import type { Account } from './accounts.ts';
import { listAccounts } from './accounts.ts';
import { verifyArchive } from './archive.ts';
import type { Tool, ToolParts } from './command-line.ts';
import { EXIT_FINDINGS, EXIT_OK, readMonth, readOptionalMonth, requireOption, UsageError } from './command-line.ts';
import { folderOf, writeJournalFiles } from './journal-files.ts';
import { inspectMonth, pruneAccount, requireClosedMonth } from './pruning.ts';
import type { AccountVerdict } from './verification.ts';
import { verifyAccount } from './verification.ts';

const USAGE = `usage:
  npm run ledger -- verify [--guild ID] [--month YYYY-MM] [--archive DIR]
  npm run ledger -- export --out DIR [--guild ID] [--month YYYY-MM]
  npm run ledger -- prune --month YYYY-MM --archive DIR [--yes]`;

/** More than this many findings of one account say no more than that something is very wrong. */
const FINDINGS_SHOWN_MAX = 50;

/** `npm run ledger`: checks, writes out and prunes what the bot has booked. */
export const ledgerTool: Tool = {
  usage: USAGE,
  async run(commandLine, parts) {
    const [command, ...rest] = commandLine;
    switch (command) {
      case 'verify':
        return verify(rest, parts);
      case 'export':
        return exportAll(rest, parts);
      case 'prune':
        return prune(rest, parts);
      default:
        throw new UsageError(USAGE);
    }
  },
};

async function verify(args: readonly string[], parts: ToolParts): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { guild: { type: 'string' }, month: { type: 'string' }, archive: { type: 'string' } },
  });
  const filter = { guild: values.guild, period: readOptionalMonth(values.month) };
  const sum = { accounts: 0, entries: 0, findings: 0 };
  for await (const account of listAccounts(parts.ledger, filter, parts.now())) {
    const verdict = await verifyAccount(parts.store, account);
    const findings = [...verdict.findings, ...(await verifyArchiveOf(verdict, values.archive))];
    parts.print(describe(verdict, findings));
    for (const finding of findings.slice(0, FINDINGS_SHOWN_MAX)) parts.print(`  ${finding}`);
    const hidden = findings.length - FINDINGS_SHOWN_MAX;
    if (hidden > 0) parts.print(`  and ${hidden} more`);
    sum.accounts += 1;
    sum.entries += verdict.head?.seq ?? 0;
    sum.findings += findings.length;
  }
  parts.print(`${sum.accounts} accounts, ${sum.entries} entries, ${sum.findings} findings`);
  return sum.findings === 0 ? EXIT_OK : EXIT_FINDINGS;
}

/** A pruned month is as good as its archive, where somebody says where that is. */
async function verifyArchiveOf({ head, ...account }: AccountVerdict, archive: string | undefined) {
  if (!head?.pruned || archive === undefined) return [];
  return (await verifyArchive(archive, account, head)).findings;
}

function describe({ head, ...account }: AccountVerdict, findings: readonly string[]): string {
  const totals = head && [
    `${head.seq} entries`,
    `settled ${formatUsd(head.settled)}`,
    `held ${formatUsd(head.held)}`,
    `unknown ${formatUsd(head.exposure)}`,
    ...(head.pruned ? [`pruned, archive ${head.pruned.manifestSha256}`] : []),
  ];
  const verdict = findings.length === 0 ? 'in order' : `${findings.length} findings`;
  return [nameOf(account), ...(totals ?? []), verdict].join('  ');
}

function nameOf({ guild, period }: Account): string {
  return `${formatPeriod(period)}  guild ${guild}`;
}

async function exportAll(args: readonly string[], { ledger, now, print }: ToolParts): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { out: { type: 'string' }, guild: { type: 'string' }, month: { type: 'string' } },
  });
  const out = requireOption('out', values.out);
  const filter = { guild: values.guild, period: readOptionalMonth(values.month) };
  for await (const account of listAccounts(ledger, filter, now())) {
    const { seq, pruned } = await ledger.head(account.guild, account.period);
    if (pruned) {
      print(`${nameOf(account)}  ${seq} entries are in the archive ${pruned.manifestSha256}`);
      continue;
    }
    await writeJournalFiles(ledger, folderOf(out, account), account);
    print(`${nameOf(account)}  ${folderOf(out, account)}`);
  }
  return EXIT_OK;
}

async function prune(args: readonly string[], parts: ToolParts): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { month: { type: 'string' }, archive: { type: 'string' }, yes: { type: 'boolean', default: false } },
  });
  const period = readMonth(requireOption('month', values.month));
  const archive = requireOption('archive', values.archive);
  requireClosedMonth(period, parts.now());
  if (values.yes) await endHolds(parts, period);
  const accounts = await inspectMonth(parts, period);
  const obstructed = accounts.filter(({ obstacles }) => obstacles.length > 0);
  for (const account of obstructed) {
    for (const obstacle of account.obstacles) parts.print(`${nameOf(account)}  ${obstacle}`);
  }
  if (obstructed.length > 0) {
    parts.print(`Nothing was pruned: ${obstructed.length} of ${accounts.length} accounts are not ready.`);
    return EXIT_FINDINGS;
  }
  for (const account of accounts) {
    const before = `${nameOf(account)}  ${account.entries} entries`;
    if (account.state === 'pruned') {
      parts.print(`${before}  already pruned`);
    } else if (!values.yes) {
      parts.print(`${before}  would be pruned`);
    } else {
      await pruneAccount(parts, archive, account);
      parts.print(`${before}  pruned`);
    }
  }
  if (!values.yes) parts.print('Nothing was changed. With --yes it is done.');
  return EXIT_OK;
}

/**
 * Ends the holds of a month whose time is over. The bot does so itself, this month's and the last one's; nobody else
 * would find what was left over by one that did not run for longer.
 */
async function endHolds({ ledger, now, print }: ToolParts, period: Period): Promise<void> {
  for await (const account of listAccounts(ledger, { period }, now())) {
    const ended = await ledger.expireHolds(account.guild, period);
    if (ended > 0) print(`${nameOf(account)}  ${ended} holds were over and have ended`);
  }
}
