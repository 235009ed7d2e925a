import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Drive, DriveFigures, EmulatorOrder, EmulatorReport } from './protocol.ts';
import { BENCH_API_KEY, BENCH_TOKEN } from './protocol.ts';

/** The processes of the bench: its emulator on one core together with the bench itself, and one bot on another. */

export const BOT_NAMES = ['relay', 'durable-relay', 'ordinary', 'easel'] as const;
export type BotName = (typeof BOT_NAMES)[number];

const BOT_PROGRAMS: Readonly<Record<BotName, string>> = {
  relay: './bots/relay.ts',
  'durable-relay': './bots/durable-relay.ts',
  ordinary: './bots/ordinary-start.ts',
  easel: '../src/main.ts',
};

const EMULATOR_CORE = 0;
const BOT_CORE = 1;
const READY_WAIT_MS_MAX = 60_000;
const STOP_WAIT_MS_MAX = 15_000;
const OUTPUT_LINES_KEPT = 20;

/** Whether processes can be kept to cores, which takes `taskset` and two of them. The bench itself goes first. */
export function pinToCores(): boolean {
  if (availableParallelism() < 2) return false;
  return spawnSync('taskset', ['-a', '-cp', String(EMULATOR_CORE), String(process.pid)]).status === 0;
}

export type Emulator = {
  readonly origin: string;
  setGuilds(count: number): Promise<void>;
  drive(drive: Drive): Promise<DriveFigures>;
  close(): void;
};

export async function startEmulator(): Promise<Emulator> {
  const program = fileURLToPath(new URL('./emulator/main.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the emulator ended');
  });
  ended.catch(() => undefined);
  const next = async (): Promise<EmulatorReport> => {
    const report = new Promise<EmulatorReport>((resolve) => void child.once('message', resolve));
    return Promise.race([report, ended]);
  };
  const ask = async (order: EmulatorOrder): Promise<EmulatorReport> => {
    const answer = next();
    child.send(order);
    return answer;
  };
  const first = await next();
  if (first.type !== 'listening') throw new Error('the emulator did not say where it listens');
  return {
    origin: first.origin,
    setGuilds: async (count) => void (await ask({ type: 'world', guilds: count })),
    async drive(drive) {
      const report = await ask({ type: 'drive', drive });
      if (report.type !== 'driven') throw new Error('the emulator answered something else');
      return report.figures;
    },
    close: () => child.disconnect(),
  };
}

export type Bot = {
  readonly pid: number;
  /** From its start until it said that it was ready. */
  readonly readyMs: number;
  /** Undefined as long as it runs. */
  readonly exitCode: number | undefined;
  /** The last lines that it wrote. */
  readonly output: readonly string[];
  stop(): Promise<void>;
};

export type BotOptions = {
  readonly origin: string;
  readonly dataDirectory: string;
  readonly isPinned: boolean;
  /** For a look inside, such as `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
};

export async function startBot(
  name: BotName,
  { origin, dataDirectory, isPinned, nodeFlags }: BotOptions,
): Promise<Bot> {
  const program = fileURLToPath(new URL(BOT_PROGRAMS[name], import.meta.url));
  const command = [...(isPinned ? ['taskset', '-c', String(BOT_CORE)] : []), process.execPath, ...nodeFlags, program];
  const beganAt = performance.now();
  // taskset becomes the program that it starts, so this is the bot's own process.
  const child = spawn(command[0] ?? process.execPath, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(origin, dataDirectory),
  });
  const output: string[] = [];
  const isReady = new Promise<void>((resolve) => {
    follow(child, (line) => {
      output.push(line);
      if (output.length > OUTPUT_LINES_KEPT) output.shift();
      if (line === 'ready' || line.includes('"msg":"ready"')) resolve();
    });
  });
  const ended = once(child, 'exit');
  const explain = (what: string): Error => new Error(`${name} ${what}:\n${output.join('\n')}`);
  const giveUp = new AbortController();
  await Promise.race([
    isReady,
    ended.then(() => Promise.reject(explain('ended before it was ready'))),
    sleep(READY_WAIT_MS_MAX, undefined, giveUp).then(() => Promise.reject(explain('was not ready in time'))),
  ]);
  const readyMs = performance.now() - beganAt;
  giveUp.abort();
  return {
    pid: child.pid ?? 0,
    readyMs,
    output,
    get exitCode() {
      return child.exitCode ?? (child.signalCode === null ? undefined : -1);
    },
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS_MAX);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Limits that would turn commands away are set wide, because it is not refusals that are to be measured. */
function environment(origin: string, dataDirectory: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    DISCORD_TOKEN: BENCH_TOKEN,
    DISCORD_API_URL: `${origin}/api`,
    OPENAI_API_KEY: BENCH_API_KEY,
    OPENAI_BASE_URL: `${origin}/v1`,
    ATTACHMENT_ORIGINS: origin,
    DATA_DIR: dataDirectory,
    HTTP_PORT: '0',
    MEMBER_REQUESTS_PER_MINUTE: '0',
    DEFAULT_GUILD_BUDGET_USD: '100000',
    PROVIDER_CONCURRENCY: '200',
  };
}

function follow(child: ChildProcess, onLine: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', onLine);
  }
}
