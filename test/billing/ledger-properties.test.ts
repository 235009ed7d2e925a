import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunOrder, RunReport } from './ledger-runs.ts';

/** How many random runs there are; more of them find rarer faults. */
const RUNS = Number(process.env['LEDGER_RUNS'] ?? 1_000);
/** The seed of runs that are to be repeated. */
const SEED = Number(process.env['LEDGER_SEED'] ?? randomInt(2 ** 31));
const SHRINKS = process.env['LEDGER_SHRINK'] !== '0';
const RUNS_OF_CONTROL_MAX = 500;
const RUNS_THAT_REACH_EVERYTHING = 1_000;

async function play(order: Omit<RunOrder, 'seed'>): Promise<RunReport> {
  const player = fork(join(import.meta.dirname, 'ledger-runs.ts'), [JSON.stringify({ ...order, seed: SEED })]);
  const died = once(player, 'exit').then(([code]) => assert.fail(`the runs ended early, with code ${code}`));
  const [report]: RunReport[] = await Promise.race([once(player, 'message'), died]);
  assert.ok(report);
  return report;
}

test(`${RUNS} random runs of several processes on one store, with late arrivals and crashes`, async (context) => {
  context.diagnostic(`LEDGER_SEED=${SEED} LEDGER_RUNS=${RUNS}`);
  const report = await play({ runs: RUNS, shrinks: SHRINKS, atomic: true, crashPoints: ['before', 'after'] });
  context.diagnostic(`reached ${JSON.stringify(report.reached)}`);
  assert.equal(report.fault, undefined, report.fault);
  const missed = Object.entries(report.reached).filter(([, count]) => count === 0);
  assert.ok(RUNS < RUNS_THAT_REACH_EVERYTHING || missed.length === 0, `no run ever came to: ${missed.join()}`);
});

test('the same runs find out a store whose commits can be torn by a crash', async (context) => {
  context.diagnostic(`LEDGER_SEED=${SEED}`);
  const { fault } = await play({ runs: RUNS_OF_CONTROL_MAX, shrinks: false, atomic: false, crashPoints: ['between'] });
  assert.ok(fault, 'a torn commit went unnoticed');
});
