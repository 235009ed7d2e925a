import { courseOf } from '../scenarios/requests.ts';
import type { CampaignReport, Kill } from './campaign.ts';
import { blaming, runCampaign, runLife, seeDie, startAndJudge } from './campaign.ts';
import type { CrashSite, KillOrder, Tally } from './crash-site.ts';
import { addTallies, createCrashSite } from './crash-site.ts';
import type { Scene } from './scenes.ts';

/** Kills at every durable step there is, found by rehearsing without a kill. */

/** Pieces of a picture beyond these are like the second, and their number changes from run to run. */
const WRITES_MAX = 2;
const MOMENTS = ['before', 'after'] as const;
/** Recovery takes the folder of a job over before it looks into it. */
const FIRST_STEP_OF_RECOVERY = 'rename spool/JOB #1';

/**
 * Kills a bot before and after every durable step of a request.
 * @param since the first step that is of interest; all where it is left out
 */
export async function killAtEveryStep(scene: Scene, since?: string): Promise<CampaignReport> {
  return runCampaign(scene.name, async (site) => {
    const steps = await site.rehearse('job', async () => playThrough(site, scene));
    return momentsOf(stepsSince(steps, since), 'job').map((order) => ({
      label: labelOf(order),
      order,
      strike: async (_site, bot) => seeDie(site, bot, site.ask(scene)),
    }));
  });
}

/** The same for a request whose folder was that of another one before, as nearly all are. */
export async function killAtEveryStepOfTheNext(scene: Scene): Promise<CampaignReport> {
  return runCampaign(`${scene.name} after another one`, async (site) => {
    const steps = await site.rehearse('next job', async () => {
      await playThrough(site, scene);
      await playThrough(site, scene);
    });
    return momentsOf(stepsSince(steps, undefined), 'next job').map((order) => ({
      label: `the next one ${labelOf(order)}`,
      order,
      async strike(_site, bot) {
        await playThrough(site, scene);
        return seeDie(site, bot, site.ask(scene));
      },
    }));
  });
}

/**
 * Kills a bot at one step of a request, and the bot that recovers from that before and after every step of its
 * recovery; a third one has to settle everything.
 */
export async function killDuringRecovery(scene: Scene, first: KillOrder): Promise<CampaignReport> {
  const name = `${scene.name} killed ${labelOf(first)}, and again during recovery`;
  return runCampaign(name, async (site) => {
    await runLife(site, scene, first);
    const steps = await site.rehearse('start', async () => undefined);
    return momentsOf(stepsSince(steps, FIRST_STEP_OF_RECOVERY), 'start').map((second): Kill => ({
      label: `second kill ${labelOf(second)}`,
      order: first,
      async strike(_site, firstBot) {
        const trial = site.ask(scene);
        if (!(await seeDie(site, firstBot, trial))) return false;
        const secondBot = await site.start(second);
        return secondBot === undefined || seeDie(site, secondBot, trial);
      },
    }));
  });
}

/** Kills a bot before and after every step of its very first start, each time on an empty data directory. */
export async function killDuringFirstStart(scene: Scene): Promise<CampaignReport> {
  const name = 'the very first start';
  const steps = await onNewSite(async (site) => site.rehearse('start', async () => undefined));
  const outcomes = [];
  for (const order of momentsOf(steps, 'start')) {
    const outcome = await blaming(name, labelOf(order), async () =>
      onNewSite(async (site) => startAgain(site, scene, order)),
    );
    outcomes.push(outcome);
  }
  const kills = outcomes.filter(({ isHit }) => isHit).length;
  const tally = outcomes.map((outcome) => outcome.tally).reduce(addTallies);
  return { name, kills, misses: outcomes.length - kills, tally };
}

async function startAgain(site: CrashSite, scene: Scene, order: KillOrder): Promise<{ isHit: boolean; tally: Tally }> {
  const isHit = (await site.start(order)) === undefined;
  await site.killAll();
  await startAndJudge(site);
  await playThrough(site, scene);
  return { isHit, tally: site.judge() };
}

async function onNewSite<Result>(act: (site: CrashSite) => Promise<Result>): Promise<Result> {
  const site = await createCrashSite();
  try {
    return await act(site);
  } finally {
    await site.close();
  }
}

/** A request from beginning to end, without a kill. */
async function playThrough(site: CrashSite, scene: Scene): Promise<void> {
  const trial = site.ask(scene);
  await site.answer(trial);
  await site.settled();
  // Otherwise there would be next to no steps to kill at, and all of them would pass.
  const course = courseOf(site.stage, trial.interaction);
  if (!course.endsWith(scene.booking)) throw new Error(`${scene.name} went wrong by itself: "${course}"`);
}

export function stepsSince(steps: readonly string[], since: string | undefined): readonly string[] {
  const begin = since === undefined ? 0 : steps.indexOf(since);
  if (begin === -1) throw new Error(`there is no step "${since}" among:\n${steps.join('\n')}`);
  return steps.slice(begin).filter((step) => !isFurtherWrite(step));
}

function isFurtherWrite(step: string): boolean {
  const [, times = '1'] = /^write .*(?<!\.json) #(\d+)$/.exec(step) ?? [];
  return Number(times) > WRITES_MAX;
}

export function momentsOf(steps: readonly string[], from: KillOrder['from']): KillOrder[] {
  return steps.flatMap((step) => MOMENTS.map((moment) => ({ step, moment, from })));
}

export function labelOf({ step, moment }: KillOrder): string {
  return `${moment} ${step}`;
}
