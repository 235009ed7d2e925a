import type { BotProcess } from '../bot-process.ts';
import { BotStartError } from '../bot-process.ts';
import type { Stage } from '../stage.ts';
import type { BotView } from './view.ts';

/** Starts, stops and kills the one bot that the page shows. */
export type BotControl = {
  view(): BotView;
  /**
   * Resolves once the bot is connected; at once where it already runs or starts.
   * @throws {BotStartError} when it ends before that.
   */
  start(): Promise<void>;
  /** Ends it in an orderly way. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
};

/** How much of what a bot said before it died is shown. */
const LAST_WORDS_LENGTH_MAX = 600;

/** @param onChange is called with every change of the bot's state. */
export function createBotControl(stage: Pick<Stage, 'startBot'>, onChange: () => void): BotControl {
  let bot: BotProcess | undefined;
  let view: BotView = { state: 'stopped', pid: null, lastWords: null };

  const show = (next: BotView): void => {
    view = next;
    onChange();
  };
  const follow = async (started: BotProcess): Promise<void> => {
    await started.ended();
    if (bot === started) show({ state: 'stopped', pid: null, lastWords: describeEnd(started) });
  };

  return {
    view: () => view,
    async start() {
      if (view.state !== 'stopped') return;
      show({ state: 'starting', pid: null, lastWords: null });
      try {
        bot = await stage.startBot();
        show({ state: 'running', pid: bot.pid, lastWords: null });
        follow(bot).catch(() => undefined);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        show({ state: 'stopped', pid: null, lastWords: reason.slice(-LAST_WORDS_LENGTH_MAX) });
        if (error instanceof BotStartError) throw error;
        throw new BotStartError(reason, null);
      }
    },
    async stop() {
      if (view.state !== 'running') return;
      show({ ...view, state: 'stopping' });
      await bot?.stop();
    },
    async kill() {
      await bot?.kill();
    },
  };
}

function describeEnd({ exit }: BotProcess): string {
  if (exit?.signal) return `ended by ${exit.signal}`;
  return `ended with exit code ${exit?.code ?? 'unknown'}`;
}
