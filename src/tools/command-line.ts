import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../billing/ledger.ts';
import { createLedger } from '../billing/ledger.ts';
import type { Period } from '../billing/period.ts';
import { parsePeriod } from '../billing/period.ts';
import type { ToolConfig } from '../config.ts';
import { ConfigError, readToolConfig, storeLocationOf, toolSecretsOf } from '../config.ts';
import { openStore } from '../storage/open-store.ts';
import type { Store } from '../storage/store.ts';
import { StoreFailure } from '../storage/store.ts';

/** Everything that an operator's tool works with. */
export type ToolParts = {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly config: ToolConfig;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Shows one line. */
  readonly print: (line: string) => void;
};

/** What an operator runs beside the bot. */
export type Tool = {
  /** What can stand on its command line. */
  readonly usage: string;
  /** Does what the command line asks for, and answers the exit code. */
  readonly run: (commandLine: readonly string[], parts: ToolParts) => Promise<number>;
};

/** The command line asks for something that there is not. The message says what would be possible. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The tool cannot do what it was asked for, and has done nothing of it. The message says why, and what helps. */
export class ToolRefusal extends Error {
  override readonly name = 'ToolRefusal';
}

export const EXIT_OK = 0;
export const EXIT_FINDINGS = 1;
/** As in sysexits.h: wrong usage, an unavailable service, and wrong settings. */
const EXIT_USAGE = 64;
const EXIT_UNAVAILABLE = 69;
const EXIT_BAD_CONFIGURATION = 78;

/** Opens the ledger that the bot's own settings name, runs a tool on it, and answers its exit code. */
export async function runTool(tool: Tool, edge: ToolEdge): Promise<number> {
  // Whoever asks for help may have nothing set up yet.
  if (edge.commandLine.includes('--help')) {
    edge.print(tool.usage);
    return EXIT_OK;
  }
  let secrets: readonly string[] = [];
  try {
    const config = readToolConfig(edge.environment);
    secrets = toolSecretsOf(config);
    const { url, lockPath } = storeLocationOf(config);
    const store = await openStore(url, 'ledger', { lockPath });
    try {
      const now = Date.now;
      const ledger = createLedger({ store, now, random: Math.random, sleep });
      return await tool.run(edge.commandLine, { store, ledger, config, now, print: edge.print });
    } finally {
      await store.close();
    }
  } catch (error) {
    const exitCode = exitCodeOf(error);
    if (exitCode === undefined) throw error;
    edge.printError(secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), messageOf(error)));
    return exitCode;
  }
}

/** What lies around a tool's process. */
export type ToolEdge = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly commandLine: readonly string[];
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
};

/** An error in one line, with what it comes of. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof ConfigError) return EXIT_BAD_CONFIGURATION;
  if (error instanceof UsageError || isArgumentError(error)) return EXIT_USAGE;
  if (error instanceof StoreFailure) return EXIT_UNAVAILABLE;
  return error instanceof ToolRefusal ? EXIT_FINDINGS : undefined;
}

/** What Node's own parser throws at an option that it does not know. */
function isArgumentError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

/** @throws {UsageError} when it is not a month */
export function readMonth(text: string): Period {
  const period = parsePeriod(text);
  if (period === undefined) throw new UsageError(`--month ${text} is no month; write it like 2026-11`);
  return period;
}

/** @throws {UsageError} when it is there and not a month */
export function readOptionalMonth(text: string | undefined): Period | undefined {
  return text === undefined ? undefined : readMonth(text);
}

/** @throws {UsageError} when an option that is needed is not there */
export function requireOption(name: string, value: string | undefined): string {
  if (value === undefined || value.trim() === '') throw new UsageError(`--${name} is needed`);
  return value;
}
