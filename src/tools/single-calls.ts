import { parseArgs } from 'node:util';
import type { Applied } from '../billing/guild-account.ts';
import { spentOrHeld } from '../billing/member-account.ts';
import type { NanoUsd } from '../billing/money.ts';
import { parseUsd } from '../billing/money.ts';
import { formatPeriod, periodOfSnowflake } from '../billing/period.ts';
import { exactUsd, usd } from './amounts.ts';
import { adjustCall, postCall, releaseCall, requirePosted, requireUnknown } from './call-corrections.ts';
import type { ToolParts } from './command-line.ts';
import { EXIT_OK, requireOption, ToolRefusal, UsageError } from './command-line.ts';
import { decisionOptions, readDecision } from './decision.ts';
import { findCall } from './find-call.ts';
import type { ProviderCall } from './provider-calls.ts';

/** The commands of `npm run reconcile` by which a person decides about one call. */

/** `release TRANSFER`: gives up what is unknown. */
export async function release(args: readonly string[], parts: ToolParts): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: decisionOptions, allowPositionals: true });
  const why = readDecision(values);
  const call = await findCall(parts, requireTransfer(positionals), values.guild);
  requireUnknown(call);
  if (!(await releaseCall(parts.ledger, call, why))) {
    throw new ToolRefusal(`transfer ${call.transfer} is not unknown any more`);
  }
  parts.print(`released  ${nameOf(call)}  ${usd(call.ceiling)} no longer counts`);
  return EXIT_OK;
}

/** `post TRANSFER --usd AMOUNT`: books what an unknown call has cost. */
export async function post(args: readonly string[], parts: ToolParts): Promise<number> {
  const { transfer, cost, why, guild } = readBooking(args);
  const call = await findCall(parts, transfer, guild);
  requireUnknown(call);
  await postCall(parts.ledger, call, cost, why);
  parts.print(`posted  ${nameOf(call)}  ${usd(cost)}`);
  return EXIT_OK;
}

/** `adjust TRANSFER --usd AMOUNT`: sets what a posted call is booked at to what it did cost. */
export async function adjust(args: readonly string[], parts: ToolParts): Promise<number> {
  const { transfer, cost, why, guild } = readBooking(args);
  const call = await findCall(parts, transfer, guild);
  requirePosted(call);
  const applied = await adjustCall(parts.ledger, call, cost, why);
  if (!applied) {
    parts.print(`unchanged  ${nameOf(call)}  booked at ${exactUsd(cost)} already, so nothing is to be changed`);
    return EXIT_OK;
  }
  parts.print(`adjusted  ${nameOf(call)}  ${exactUsd(call.posted)} before, ${exactUsd(cost)} now`);
  parts.print(`  ${describeEffect(call, cost - call.posted, applied)}`);
  return EXIT_OK;
}

/** What a correction means for those who spend: budgets and limits are measured against all that is spent or held. */
function describeEffect({ transfer, details }: ProviderCall, change: NanoUsd, { head, member }: Applied): string {
  const month = formatPeriod(periodOfSnowflake(transfer));
  const changed = `${exactUsd(Math.abs(change))} ${change < 0 ? 'less' : 'more'}`;
  const sums = `${exactUsd(spentOrHeld(head))} of the guild, ${exactUsd(spentOrHeld(member))} of member ${details.member}`;
  return `${changed} counts against the budget of ${month}, and against its member's limit; now ${sums}`;
}

function nameOf({ transfer, guild }: ProviderCall): string {
  return `transfer ${transfer}  guild ${guild}`;
}

/** Reads a command that books an amount for a call. */
function readBooking(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { ...decisionOptions, usd: { type: 'string' } },
    allowPositionals: true,
  });
  return {
    why: readDecision(values),
    cost: readUsd(requireOption('usd', values.usd)),
    transfer: requireTransfer(positionals),
    guild: values.guild,
  };
}

function requireTransfer(positionals: readonly string[]): string {
  const [transfer, ...others] = positionals;
  if (transfer === undefined) throw new UsageError('a transfer is needed; its id is a number');
  if (others.length > 0) throw new UsageError(`one transfer is needed, and not ${positionals.length}`);
  return transfer;
}

function readUsd(text: string): NanoUsd {
  try {
    return parseUsd(text);
  } catch {
    throw new UsageError(`--usd ${text} is no amount; write it like 0.0421`);
  }
}
