import { setTimeout as sleep } from 'node:timers/promises';
import type { BotProcess } from '../../sandbox/bot-process.ts';
import type { Fault } from '../../sandbox/provider/faults.ts';
import type { RandomSource } from '../../sandbox/provider/random-source.ts';
import { createRandomSource } from '../../sandbox/provider/random-source.ts';
import type { CampaignReport } from './campaign.ts';
import { blaming, startAndJudge } from './campaign.ts';
import type { CrashSite } from './crash-site.ts';
import { createCrashSite } from './crash-site.ts';
import type { Scene } from './scenes.ts';
import { addServer } from '../scenarios/shared-stage.ts';
import { declined, imagine, privateEdit, privateImagine, refused, twoImages, unpriced } from './scenes.ts';

/** Kills at moments that nobody chose, while many requests are under way and the provider misbehaves. */

const REQUESTS = 40;
const SERVERS = 3;
/** Between two requests, on average half of it. */
const PAUSE_MS_MAX = 300;
/** A bot is killed after so many requests at the least and at the most. */
const REQUESTS_PER_LIFE_MIN = 3;
const REQUESTS_PER_LIFE_MAX = 7;
/** How long after the last of them. */
const LAST_MOMENTS_MS_MAX = 500;
const FAULT_SHARE = 0.5;
const REDELIVERED_SHARE = 0.2;

const SCENES = [imagine, imagine, privateImagine, twoImages, privateEdit, refused, declined, unpriced] as const;

type FaultOf = (when: NonNullable<Fault['when']>) => Fault;
const FAULTS: readonly [FaultOf, ...FaultOf[]] = [
  (when) => ({ kind: 'refuse', refusal: 'rate_limit_exceeded', retryAfterSeconds: 1, times: 1, when }),
  (when) => ({ kind: 'bill-then-drop', when }),
  (when) => ({ kind: 'bill-then-cut', when }),
  (when) => ({ kind: 'server-error', status: 500, when }),
  (when) => ({ kind: 'server-error', status: 503, billed: false, when }),
  (when) => ({ kind: 'delay', delayMs: 800, at: 'start', when }),
  (when) => ({ kind: 'delay', delayMs: 800, at: 'headers', when }),
  (when) => ({ kind: 'delay', delayMs: 800, at: 'mid-body', when }),
];

/**
 * Kills bots under load.
 * @param botCount how many bots share the data directory; where there are two, they are killed in turn, and some
 *   requests reach both
 */
export async function killUnderLoad(seed: string, botCount: 1 | 2): Promise<CampaignReport> {
  const name = `load on ${botCount === 1 ? 'one bot' : 'two bots that share their data'}, seed ${seed}`;
  const random = createRandomSource('load', botCount, seed);
  const site = await createCrashSite();
  try {
    const kills = await blaming(name, 'under load', async () => playLoad(site, random, botCount));
    return await blaming(name, 'after the last kill', async () => {
      await site.killAll();
      await site.stage.provider.idle();
      await startAndJudge(site);
      return { name, kills, misses: 0, tally: site.judge() };
    });
  } finally {
    await site.close();
  }
}

async function playLoad(site: CrashSite, random: RandomSource, botCount: number): Promise<number> {
  const servers = Array.from({ length: SERVERS }, () => addServer(site.stage));
  const bots = await Promise.all(Array.from({ length: botCount }, async () => startFor(site)));
  let kills = 0;
  let requestsLeft = livesFor(random);
  for (let asked = 0; asked < REQUESTS; asked += 1) {
    const server = servers[asked % SERVERS];
    const isRedelivered = random.between(0, 1) < REDELIVERED_SHARE;
    const trial = site.ask(sceneFor(random), {
      ...(server ? { server } : {}),
      ...(isRedelivered ? { delivery: { deliverTo: 'all', times: 2 } } : {}),
    });
    if (random.between(0, 1) < FAULT_SHARE) {
      site.stage.provider.faults.add(random.pick(FAULTS)(({ prompt }) => prompt === trial.prompt));
    }
    requestsLeft -= 1;
    await sleep(random.between(0, requestsLeft === 0 ? LAST_MOMENTS_MS_MAX : PAUSE_MS_MAX));
    if (requestsLeft > 0) continue;
    const next = kills % botCount;
    await bots[next]?.kill();
    bots[next] = await startFor(site);
    kills += 1;
    requestsLeft = livesFor(random);
  }
  return kills + botCount;
}

async function startFor(site: CrashSite): Promise<BotProcess> {
  const bot = await site.start();
  if (!bot) throw new Error('a bot died that nobody had killed');
  return bot;
}

function livesFor(random: RandomSource): number {
  return Math.floor(random.between(REQUESTS_PER_LIFE_MIN, REQUESTS_PER_LIFE_MAX + 1));
}

function sceneFor(random: RandomSource): Scene {
  return random.pick(SCENES);
}
