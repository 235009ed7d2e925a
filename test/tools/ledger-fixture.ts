import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Applied, Refusal } from '../../src/billing/guild-account.ts';
import type { Ledger } from '../../src/billing/ledger.ts';
import { createLedger } from '../../src/billing/ledger.ts';
import { readToolConfig } from '../../src/config.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Tool } from '../../src/tools/command-line.ts';
import { chargeOf, details } from '../billing/account-fixture.ts';

/** A ledger of several months and a clock that is set by hand. */
export type LedgerOnStage = {
  readonly store: Store;
  readonly ledger: Ledger;
  /** Milliseconds since the epoch. */
  readonly clock: { now: number };
  /** Runs a tool as its process would, and answers what it printed. */
  run(tool: Tool, ...commandLine: readonly string[]): Promise<{ exitCode: number; lines: readonly string[] }>;
};

export const AUGUST = Date.UTC(2026, 7, 12, 9);
export const NOVEMBER = Date.UTC(2026, 10, 20, 12);
/** Ids of guilds are made of digits, as they are in folders and on command lines. */
export const GUILD = '900000000000000001';
export const OTHER_GUILD = '900000000000000002';

const HOLD_MS = 60_000;
const LIMIT = 1_000_000;

/** A directory that is gone after the test. */
export async function makeDirectory(test: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-tools-'));
  test.after(async () => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Opens a ledger in a SQLite file of its own. */
export async function openLedgerOnStage(
  test: TestContext,
  directory: string,
  at: number = NOVEMBER,
): Promise<LedgerOnStage> {
  const store = await openStore(`sqlite:${join(directory, 'easel.sqlite')}`, 'ledger');
  test.after(async () => store.close());
  return ledgerOn(store, at);
}

export function ledgerOn(store: Store, at: number = NOVEMBER): LedgerOnStage {
  const clock = { now: at };
  const now = (): number => clock.now;
  const ledger = createLedger({ store, now, random: () => 0, sleep: async () => undefined });
  return {
    store,
    ledger,
    clock,
    async run(tool, ...commandLine) {
      const lines: string[] = [];
      const config = readToolConfig({});
      const print = (line: string): void => void lines.push(line);
      const exitCode = await tool.run(commandLine, { store, ledger, config, now, print });
      return { exitCode, lines };
    },
  };
}

/** An interaction's id at a moment, told apart from others of that moment by a number. */
export function snowflake(at: number, number: number): string {
  return ((BigInt(at - Date.UTC(2015, 0, 1)) << 22n) | BigInt(number)).toString();
}

/** How a request ends in these tests. */
export type Ending = 'held' | 'posted' | 'void' | 'unknown' | 'arrived' | 'released' | 'adjusted';

export const REQUEST_CEILING = 100;
export const REQUEST_COST = 70;

/** Takes one request through the ledger, and answers its transfer. */
export async function book(
  { ledger, clock }: LedgerOnStage,
  request: { guild?: string; at: number; dispatchedAt?: number; number: number; ending: Ending },
): Promise<string> {
  const ref = { guild: request.guild ?? GUILD, transfer: snowflake(request.at, request.number) };
  const until = request.at + HOLD_MS;
  const before = clock.now;
  clock.now = request.at;
  const why = { reason: 'as a test wants it', by: 'a test' };
  granted(await ledger.reserve(ref, { amount: REQUEST_CEILING, limit: LIMIT, expiresAt: until, details }));
  clock.now = request.dispatchedAt ?? request.at;
  if (request.ending === 'void') granted(await ledger.void(ref, 'cancelled'));
  else granted(await ledger.dispatch(ref, until));
  if (request.ending === 'posted' || request.ending === 'adjusted') {
    granted(await ledger.post(ref, chargeOf(REQUEST_COST, `req_${request.number}`), details));
  }
  if (request.ending === 'adjusted') granted(await ledger.adjust(ref, { ...why, amount: -20 }));
  if (request.ending === 'arrived') granted(await ledger.unknown(ref, { reason: 'no-usage', estimated: true }));
  if (request.ending === 'unknown' || request.ending === 'released') {
    granted(await ledger.unknown(ref, { reason: 'timeout', requestId: `req_${request.number}` }));
  }
  if (request.ending === 'released') granted(await ledger.release(ref, why));
  clock.now = before;
  return ref.transfer;
}

export function granted(outcome: Applied | Refusal): Applied {
  assert.equal(outcome.refused, undefined, `refused: ${outcome.refused}`);
  return outcome.refused === undefined ? outcome : assert.fail();
}
