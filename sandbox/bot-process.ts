import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** One line of the bot's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The real bot, as a process of its own. */
export type BotProcess = {
  readonly pid: number;
  /** Everything that it wrote, standard output and errors together. */
  readonly output: string;
  readonly logLines: readonly LogLine[];
  /** The port of its health checks; 0 until it is ready. */
  readonly httpPort: number;
  /** How it ended; undefined while it runs. */
  readonly exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;
  /** Resolves when the process has ended, by itself or by a signal. */
  ended(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it in an orderly way, and hard if that takes too long. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
};

export type BotOptions = {
  readonly environment: Readonly<Record<string, string>>;
  /** Modules that Node.js loads before the bot. */
  readonly preload?: readonly string[];
  /** What comes out of the bot, line by line. */
  readonly onLine?: (line: string) => void;
};

/** The bot ended before it was ready. The message carries what it said. */
export class BotStartError extends Error {
  override readonly name = 'BotStartError';
  /** The code with which it ended; null where it did not end by itself. */
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

const MAIN_PATH = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** As in `npm start`. */
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];
const READY_WAIT_MS_MAX = 30_000;
const STOP_WAIT_MS_MAX = 20_000;

/** Starts `node src/main.ts` and does not wait until it is ready for commands. */
export function launchBot(options: BotOptions) {
  const preload = (options.preload ?? []).flatMap((path) => ['--import', path]);
  const child = spawn(process.execPath, [...NODE_OPTIONS, ...preload, MAIN_PATH], {
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return followOutput(child, options.onLine);
}

/**
 * Starts `node src/main.ts` and resolves when it is ready for commands.
 * @throws {BotStartError}
 */
export async function startBot(options: BotOptions): Promise<BotProcess> {
  const bot = launchBot(options);
  const ready = bot.line(isReadyLine);
  const tooLate = rejectAfter(
    READY_WAIT_MS_MAX,
    () => new BotStartError(`the bot was not ready in time:\n${bot.output}`, null),
  );
  const died = bot.ended().then(() => {
    throw new BotStartError(`the bot ended before it was ready:\n${bot.output}`, bot.exit?.code ?? null);
  });
  try {
    await Promise.race([ready, tooLate.promise, died]);
    return bot;
  } catch (error) {
    bot.signal('SIGKILL');
    throw error;
  } finally {
    tooLate.cancel();
  }
}

/** Starts the bot where it is expected to end by itself, and resolves with how it did. */
export async function runBotToItsEnd(options: BotOptions): Promise<{ exitCode: number | null; output: string }> {
  try {
    const bot = await startBot(options);
    await bot.stop();
    return { exitCode: bot.exit?.code ?? null, output: bot.output };
  } catch (error) {
    if (!(error instanceof BotStartError)) throw error;
    return { exitCode: error.exitCode, output: error.message };
  }
}

function followOutput(child: ChildProcess, onLine: ((line: string) => void) | undefined) {
  let output = '';
  const logLines: LogLine[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  const hasEnded = once(child, 'close');

  const read = (text: string): void => {
    output += `${text}\n`;
    onLine?.(text);
    const line = parseLogLine(text);
    if (!line) return;
    logLines.push(line);
    watchers.forEach((watch) => watch(line));
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', read);
  }

  const ended = async (): Promise<void> => {
    await hasEnded;
  };
  return {
    pid: child.pid ?? 0,
    get output() {
      return output;
    },
    logLines,
    get httpPort() {
      return Number(logLines.find(isReadyLine)?.['httpPort'] ?? 0);
    },
    get exit() {
      const isRunning = child.exitCode === null && child.signalCode === null;
      return isRunning ? undefined : { code: child.exitCode, signal: child.signalCode };
    },
    ended,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      await ended();
    },
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS_MAX);
      await ended();
      clearTimeout(timer);
    },
    line: async (isWanted: (line: LogLine) => boolean) =>
      new Promise<LogLine>((resolve) => {
        watchers.add((line) => {
          if (isWanted(line)) resolve(line);
        });
      }),
  };
}

function isReadyLine(line: LogLine): boolean {
  return line['msg'] === 'ready';
}

function parseLogLine(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? { ...line } : undefined;
  } catch {
    return undefined;
  }
}

function rejectAfter(durationMs: number, reason: () => Error) {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(reason()), durationMs);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
