import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BotProcess } from '../../sandbox/bot-process.ts';
import { BotStartError, startBot } from '../../sandbox/bot-process.ts';
import type { DeliveryOptions } from '../../sandbox/discord/member-client.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { createStage } from '../../sandbox/stage.ts';
import type { AuditTotals } from '../audit.ts';
import { auditBooks, isOpenJob, readBooks } from '../audit.ts';
import type { Server } from '../scenarios/shared-stage.ts';
import { addServer } from '../scenarios/shared-stage.ts';
import type { Scene, Trial } from './scenes.ts';
import { createAsker, teachProvider } from './scenes.ts';
import type { Verdict } from './verdict.ts';
import { answersOf, judgeTrial } from './verdict.ts';

/** Where the kill switch ends a bot. See kill-switch.ts for how steps are named. */
export type KillOrder = {
  readonly step: string;
  readonly moment: 'before' | 'after';
  /**
   * Steps are counted from the start of the process, from its first job on, from the one that has the first one's folder,
   * or from a signal on.
   */
  readonly from: 'start' | 'job' | 'next job' | 'signal';
};

/** What became of the requests that were made on a site. */
export type Tally = Readonly<Record<Verdict, number>> & AuditTotals & { readonly bills: number };

export function addTallies(one: Tally, other: Tally): Tally {
  return {
    answered: one.answered + other.answered,
    unacknowledged: one.unacknowledged + other.unacknowledged,
    'left thinking': one['left thinking'] + other['left thinking'],
    'told twice': one['told twice'] + other['told twice'],
    'left asked': one['left asked'] + other['left asked'],
    posted: one.posted + other.posted,
    unknown: one.unknown + other.unknown,
    voided: one.voided + other.voided,
    settled: one.settled + other.settled,
    exposure: one.exposure + other.exposure,
    held: one.held + other.held,
    bills: one.bills + other.bills,
  };
}

/** A stage on which bots die, and a judge who comes afterwards. */
export type CrashSite = {
  readonly stage: Stage;
  /** Starts a bot, and answers undefined where it was killed before it was ready. */
  start(order?: KillOrder): Promise<BotProcess | undefined>;
  /** Makes a request, on a server of its own unless one is given. */
  ask(scene: Scene, options?: { readonly server?: Server; readonly delivery?: DeliveryOptions }): Trial;
  /** Has a request judged that was made elsewhere. */
  watch(trial: Trial): void;
  /** Waits until a request has its answer. */
  answer(trial: Trial): Promise<void>;
  /** Starts a bot and lets `act` happen, and answers the names of the steps that this took. */
  rehearse(from: KillOrder['from'], act: (bot: BotProcess) => Promise<void>): Promise<readonly string[]>;
  /** Resolves when no job is left and no money is held: recovery has done its work. */
  settled(): Promise<void>;
  /** Whether there are jobs on the disk. */
  isBusy(): boolean;
  /** Judges all requests so far. To be called when settled. @throws AssertionError */
  judge(): Tally;
  /** Ends every bot by SIGKILL. */
  killAll(): Promise<void>;
  close(): Promise<void>;
};

/** The budget of every server, in nano-dollars: more than any test can spend. */
const BUDGET_NANO_USD = 100_000_000_000;
const RESULT_BYTES = 150_000;
/** Well below the minute after which a sweep comes back: what only a sweep would finish is a fault here. */
const SETTLE_WAIT_MS_MAX = 30_000;
const CHECK_INTERVAL_MS = 20;
const KILL_SWITCH_PATH = fileURLToPath(new URL('kill-switch.ts', import.meta.url));

/** @param settings those of every bot on this site, besides the site's own */
export async function createCrashSite(settings: Readonly<Record<string, string>> = {}): Promise<CrashSite> {
  const stage = await createStage({
    provider: { resultBytes: RESULT_BYTES },
    environment: { DEFAULT_GUILD_BUDGET_USD: String(BUDGET_NANO_USD / 1e9), ...settings },
  });
  teachProvider(stage);
  const ask = await createAsker(stage);
  const bots = new Set<BotProcess>();
  const trials: Trial[] = [];

  async function startWith(orders: Readonly<Record<string, string>>): Promise<BotProcess | undefined> {
    try {
      const bot = await startBot({ environment: stage.environment(orders), preload: [KILL_SWITCH_PATH] });
      bots.add(bot);
      return bot;
    } catch (error) {
      // Whoever ordered a kill knows that it can come early; every other end is a fault of the bot.
      if (error instanceof BotStartError && orders['KILL_SWITCH_STEP'] !== undefined) return undefined;
      throw error;
    }
  }

  async function killAll(): Promise<void> {
    await Promise.all([...bots].filter(({ exit }) => !exit).map(async (bot) => bot.kill()));
    bots.clear();
  }

  async function settled(): Promise<void> {
    await until(
      () => whatIsLeft(stage.dataDirectory).length === 0,
      () => `recovery; left are ${whatIsLeft(stage.dataDirectory).join(', ')}\n${lastWords(bots)}`,
      SETTLE_WAIT_MS_MAX,
    );
  }

  return {
    stage,
    settled,
    killAll,
    isBusy: () => whatIsLeft(stage.dataDirectory).length > 0,
    start: async (order) =>
      startWith(
        order ? { KILL_SWITCH_STEP: order.step, KILL_SWITCH_MOMENT: order.moment, KILL_SWITCH_FROM: order.from } : {},
      ),
    ask(scene, { server = addServer(stage), delivery } = {}) {
      const trial = ask(server, scene, delivery);
      trials.push(trial);
      return trial;
    },
    watch: (trial) => void trials.push(trial),
    async answer(trial) {
      await until(
        () => answersOf(stage, trial).length > 0,
        () => `the answer to "${trial.prompt}"\n${lastWords(bots)}`,
        SETTLE_WAIT_MS_MAX,
      );
    },
    async rehearse(from, act) {
      const directory = await mkdtemp(join(tmpdir(), 'easel-rehearsal-'));
      const log = join(directory, 'steps');
      const bot = await startWith({ KILL_SWITCH_FROM: from, KILL_SWITCH_LOG: log });
      if (!bot) throw new Error('the bot died although nobody had ordered that');
      await act(bot);
      await settled();
      await killAll();
      const steps = readFileSync(log, 'utf8').trimEnd().split('\n');
      await rm(directory, { recursive: true });
      return steps;
    },
    judge() {
      const books = readBooks(stage.dataDirectory);
      const totals = auditBooks(books, stage.provider.bills, BUDGET_NANO_USD);
      assert.equal(totals.held, 0, 'money is still held although no job is left');
      assert.deepEqual(stage.discord.violations, []);
      const verdicts: Record<Verdict, number> = {
        answered: 0,
        unacknowledged: 0,
        'left thinking': 0,
        'told twice': 0,
        'left asked': 0,
      };
      for (const trial of trials) verdicts[judgeTrial(stage, books, trial)] += 1;
      return { ...verdicts, ...totals, bills: stage.provider.bills.length };
    },
    async close() {
      await killAll();
      await stage.close();
    },
  };
}

/** The jobs that are left, and the accounts that still hold money. */
function whatIsLeft(dataDirectory: string): string[] {
  const spool = join(dataDirectory, 'spool');
  const folders = existsSync(spool) ? readdirSync(spool) : [];
  const jobs = folders.filter((folder) => isOpenJob(join(spool, folder)));
  if (jobs.length > 0 || !existsSync(join(dataDirectory, 'easel.sqlite'))) return jobs;
  return [...readBooks(dataDirectory).heads].filter(([, { held }]) => held > 0).map(([account]) => account);
}

const LAST_WORDS_LENGTH = 3_000;

function lastWords(bots: ReadonlySet<BotProcess>): string {
  return [...bots].map(({ output }) => output.slice(-LAST_WORDS_LENGTH)).join('\n');
}

/** Resolves as soon as `isSo` answers true. @throws {Error} that names what was awaited in vain */
export async function until(isSo: () => boolean, describe: () => string, waitMsMax: number): Promise<void> {
  const deadline = performance.now() + waitMsMax;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited ${waitMsMax} ms in vain for ${describe()}`);
    await sleep(CHECK_INTERVAL_MS);
  }
}
