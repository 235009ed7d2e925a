import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../src/billing/ledger.ts';
import { createLedger } from '../src/billing/ledger.ts';
import { chartWords } from '../src/discord/usage-message.ts';
import { wordsFor } from '../src/discord/words.ts';
import { createChartRenderer } from '../src/services/usage/chart-renderer.ts';
import { createExportFiles } from '../src/services/usage/export-files.ts';
import { chartOf } from '../src/services/usage/usage-chart-data.ts';
import { createUsageReports } from '../src/services/usage/usage-report.ts';
import { createUsageRollups } from '../src/services/usage/usage-rollups.ts';
import { openStore } from '../src/storage/open-store.ts';
import { movementsOf, requestId, writeBusyMonth } from './busy-month.ts';

/** How long a report takes in a month of 100,000 entries, and what everybody else notices of it. */

const ENTRIES = Number(process.env['BENCH_ENTRIES'] ?? 100_000);
const MEMBERS = 500;
const GUILD = '1100000000000000000';
const PERIOD = '202611';
const NOW = Date.UTC(2026, 11, 1) - 1;
const BUDGET_NANO_USD = 10_000_000_000_000;
const PAUSE_BETWEEN_RESERVATIONS_MS = 10;
const NEW_REQUESTS = 4;
const NANOSECONDS_PER_MS = 1e6;

const dataDirectory = await mkdtemp(join(tmpdir(), 'easel-bench-'));
try {
  await measure(dataDirectory);
} finally {
  await rm(dataDirectory, { recursive: true, force: true });
}

async function measure(directory: string): Promise<void> {
  const path = join(directory, 'easel.sqlite');
  const store = await openStore(`sqlite:${path}`, 'ledger');
  const head = writeBusyMonth(path, { guild: GUILD, period: PERIOD, members: MEMBERS, entries: ENTRIES });
  print('entries in the month', `${head.seq} of ${MEMBERS} members`);
  const ledger = createLedger({ store, now: () => NOW, random: Math.random, sleep });
  const reports = createUsageReports(createUsageRollups({ ledger, store }));
  const charts = createChartRenderer();
  const words = chartWords(PERIOD, wordsFor('en-US'));
  const report = async (): Promise<void> => {
    const read = await reports.read(GUILD, PERIOD);
    await charts.render(chartOf(read, { budget: BUDGET_NANO_USD, now: NOW, words }));
  };
  const read = async (): Promise<unknown> => reports.read(GUILD, PERIOD);

  let nextRequest = Math.ceil(ENTRIES / 3) + 1;
  const reserve = async (): Promise<number> => reserveOne(ledger, (nextRequest += 1));
  print('a reservation alone', spread(await reserveDuring(reserve, sleep(1_000))));
  print('memory before', megabytes());
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cold = timed(read);
  const reservations = await reserveDuring(reserve, cold);
  print('report, nothing added up yet', `${ms(await cold)} (only where no upkeep has run, such as after an update)`);
  print('a reservation meanwhile', spread(reservations));
  print('event loop held up for', `${ms(delay.max / NANOSECONDS_PER_MS)} at the most`);
  print('memory after', megabytes());

  print('first chart', ms(await timed(report)));
  for (let count = 0; count < NEW_REQUESTS; count += 1) await reserve();
  delay.reset();
  print('/usage with chart, a few new entries', ms(await timed(report)));
  print('/usage with chart, no new entries', ms(await timed(report)));
  print('/quota of one member', ms(await timed(async () => reports.read(GUILD, PERIOD, '100000000000000042'))));
  print('event loop held up for', `${ms(delay.max / NANOSECONDS_PER_MS)} at the most`);
  delay.reset();
  const exports = createExportFiles({ ledger, directory: join(directory, 'exports'), now: Date.now });
  const order = { guild: GUILD, period: PERIOD, member: undefined, sizeBytesMax: 10 * 1024 * 1024 };
  const exporting = timed(async () =>
    exports.withFiles(order, async (files) =>
      print('exported', files.map(({ name, sizeBytes }) => `${name} ${(sizeBytes / 1e6).toFixed(1)} MB`).join(', ')),
    ),
  );
  print('export', ms(await exporting));
  print('event loop held up for', `${ms(delay.max / NANOSECONDS_PER_MS)} at the most`);
  print('memory after', megabytes());
  const settled = (await reports.read(GUILD, PERIOD)).settled;
  assert.equal(settled, head.settled, 'the report is not what the account says');
  await charts.close();
  await store.close();
}

/** Reserves and frees again, as a member would who changes their mind, and answers what the reservation took, in ms. */
async function reserveOne(ledger: Ledger, number: number): Promise<number> {
  const ref = { guild: GUILD, transfer: requestId(number, ENTRIES * 2) };
  const [reservation] = movementsOf(number, MEMBERS, NOW + 1);
  if (reservation?.type !== 'reserve') throw new TypeError('a request begins with its reservation');
  const { amount, expiresAt, details } = reservation;
  const begin = performance.now();
  const reserved = await ledger.reserve(ref, { amount, limit: BUDGET_NANO_USD, expiresAt, details });
  const durationMs = performance.now() - begin;
  if (reserved.refused !== undefined) throw new Error(`a reservation was refused: ${reserved.refused}`);
  await ledger.void(ref, 'bench');
  return durationMs;
}

async function reserveDuring(reserve: () => Promise<number>, work: Promise<unknown>): Promise<readonly number[]> {
  const over = new AbortController();
  const end = work.finally(() => over.abort());
  const durations: number[] = [];
  while (!over.signal.aborted) {
    durations.push(await reserve());
    await sleep(PAUSE_BETWEEN_RESERVATIONS_MS);
  }
  await end;
  return durations;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function spread(durations: readonly number[]): string {
  const sorted = durations.toSorted((one, other) => one - other);
  const at = (share: number): string => ms(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return `median ${at(0.5)}, p99 ${at(0.99)}, at the most ${at(1)} (${sorted.length})`;
}

function ms(duration: number): string {
  return `${duration.toFixed(duration < 10 ? 1 : 0)} ms`;
}

function megabytes(): string {
  return `${Math.round(process.memoryUsage.rss() / 1e6)} MB`;
}

function print(name: string, value: string): void {
  console.log(`${`${name}:`.padEnd(40)} ${value}`);
}
