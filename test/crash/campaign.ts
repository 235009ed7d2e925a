import type { BotProcess } from '../../sandbox/bot-process.ts';
import type { CrashSite, KillOrder, Tally } from './crash-site.ts';
import { createCrashSite, until } from './crash-site.ts';
import type { Scene, Trial } from './scenes.ts';
import { answersOf } from './verdict.ts';

/** One way to kill a bot. */
export type Kill = {
  readonly label: string;
  /** Where the bot is to kill itself; without it `strike` does. */
  readonly order?: KillOrder;
  /** Makes requests and sees the bot die. False where the job ended before the moment to kill it came. */
  readonly strike: (site: CrashSite, bot: BotProcess) => Promise<boolean>;
  /** What a member does when the next bot has recovered from it. It is judged with the rest. */
  readonly afterwards?: (site: CrashSite) => Promise<void>;
};

/** What a series of kills came to. */
export type CampaignReport = {
  readonly name: string;
  readonly kills: number;
  /** Kills whose moment never came, because the job took another way than in rehearsal. */
  readonly misses: number;
  readonly tally: Tally;
};

/** A promise was broken. The message says after which kill. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

/**
 * Kills one bot after the other on one data directory. Each bot first recovers what the one before it left, which is
 * judged before it is killed itself.
 * @param plan rehearses where it has to, and answers the kills
 * @param settings those of every bot, besides the site's own
 * @throws {BrokenPromise}
 */
export async function runCampaign(
  name: string,
  plan: (site: CrashSite) => Promise<readonly Kill[]>,
  settings: Readonly<Record<string, string>> = {},
): Promise<CampaignReport> {
  const site = await createCrashSite(settings);
  try {
    const kills = await plan(site);
    let hits = 0;
    let before: Pick<Kill, 'label' | 'afterwards'> = { label: 'the rehearsal' };
    const recover = async (order?: KillOrder): Promise<BotProcess> =>
      blaming(name, before.label, async () => startAndJudge(site, order, before.afterwards));
    for (const kill of kills) {
      const bot = await recover(kill.order);
      before = kill;
      hits += Number(await blaming(name, kill.label, async () => kill.strike(site, bot)));
      await site.killAll();
    }
    await recover();
    return { name, kills: hits, misses: kills.length - hits, tally: site.judge() };
  } finally {
    await site.close();
  }
}

/**
 * Starts a bot and judges what it makes of what is there.
 * @param afterwards what a member does when it has done that; judged as well
 */
export async function startAndJudge(
  site: CrashSite,
  order?: KillOrder,
  afterwards?: Kill['afterwards'],
): Promise<BotProcess> {
  const bot = await site.start(order);
  if (!bot) throw new Error('the bot died before there was anything to kill it for');
  await site.settled();
  site.judge();
  if (!afterwards) return bot;
  await afterwards(site);
  await site.settled();
  site.judge();
  return bot;
}

/** Says in every error after which kill it came. @throws {BrokenPromise} */
export async function blaming<Result>(name: string, label: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new BrokenPromise(`${name}, ${label}: ${message}`, { cause: error });
  }
}

/** A whole life: a bot settles what it finds, makes a request, and is killed where it was ordered to be. */
export async function runLife(
  site: CrashSite,
  scene: Scene,
  order: KillOrder,
): Promise<{ readonly trial: Trial; readonly isKilled: boolean }> {
  const bot = await startAndJudge(site, order);
  const trial = site.ask(scene);
  const isKilled = await seeDie(site, bot, trial);
  await site.killAll();
  return { trial, isKilled };
}

const DEATH_WAIT_MS_MAX = 30_000;
/** A job's last step takes it off the disk a moment before the kill that follows that step. */
const LAST_STEP_WAIT_MS = 500;

/** Waits until the bot has killed itself, or has ended its job in spite of its orders. */
export async function seeDie(site: CrashSite, bot: BotProcess, trial: Trial): Promise<boolean> {
  const isDead = (): boolean => bot.exit !== undefined;
  const isAnswered = (): boolean =>
    trial.painted
      ? answersOf(site.stage, trial).length > 0
      : trial.interaction.messagesEver().some(({ isLoading }) => !isLoading);
  const isOver = (): boolean => isAnswered() && !site.isBusy();
  await until(
    () => isDead() || isOver(),
    () => `the end of a bot or of its job\n${bot.output}`,
    DEATH_WAIT_MS_MAX,
  );
  if (!isDead()) await until(isDead, () => 'a death', LAST_STEP_WAIT_MS).catch(() => undefined);
  return isDead();
}
