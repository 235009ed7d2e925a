import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind, RouteName } from '../../sandbox/discord/faults.ts';
import { isFinal } from '../../sandbox/final-message.ts';
import type { CampaignReport, Kill } from './campaign.ts';
import { runCampaign, seeDie } from './campaign.ts';
import type { CrashSite } from './crash-site.ts';
import { until } from './crash-site.ts';
import type { Scene, Trial } from './scenes.ts';
import { declined, imagine, privateEdit, privateImagine } from './scenes.ts';
import { messagesOf } from './verdict.ts';

/** Kills between the durable steps: while something is on its way to Discord or to the provider, or back. */
export async function killOnTheWire(): Promise<CampaignReport> {
  return runCampaign('requests on the wire', async () => [
    whileDiscord('has not read the acknowledgement', imagine, 'callback', 'hang', () => true),
    whileDiscord('has acknowledged, and not said so', imagine, 'callback', 'accept then hang', isAcknowledged),
    whileDiscord('serves an attachment', privateEdit, 'attachment', 'hang', () => true),
    whileDiscord('has not read the result', imagine, 'PATCH original', 'hang', () => true),
    whileDiscord('shows the result, and has not said so', imagine, 'PATCH original', 'accept then hang', isAnswered),
    whileDiscord('has not read a private result', privateEdit, 'PATCH original', 'hang', () => true),
    whileDiscord(
      'shows a private result, and has not said so',
      privateEdit,
      'PATCH original',
      'accept then hang',
      isAnswered,
    ),
    whileDiscord(
      'has taken a public reply back, and not said so',
      declined,
      'DELETE original',
      'accept then hang',
      isTakenBack,
    ),
    whileDiscord('has not read the private words', declined, 'follow-up', 'hang', () => true),
    whileDiscord('has said the private words, and not said so', declined, 'follow-up', 'accept then hang', isAnswered),
    whileProvider('has not begun', 'before-billing'),
    whileProvider('has billed, and not answered', 'before-answer'),
    halfwayThroughAnswer(),
    afterTokenHasDied(imagine),
    afterTokenHasDied(privateImagine),
    besideALivingBot(),
  ]);
}

const WAIT_MS_MAX = 30_000;
/** Longer than the fifteen minutes for which a reply can be edited. */
const DOWNTIME_MS = 16 * 60_000;
const HALF_ANSWER_PAUSE_MS = 2_000;
const RECEIPT_WRITTEN = { step: 'write spool/JOB/receipt.json #1', moment: 'after', from: 'job' } as const;

function isAcknowledged({ interaction }: Trial): boolean {
  return interaction.state !== undefined;
}

function isAnswered({ interaction }: Trial): boolean {
  return interaction.messages().some((message) => !message.isLoading && isFinal(message));
}

function isTakenBack({ interaction }: Trial): boolean {
  return interaction.original()?.deletedAtMs !== undefined;
}

/** Has Discord fall silent on a route, and kills the bot once `isReached` says that Discord has come that far. */
function whileDiscord(
  label: string,
  scene: Scene,
  route: RouteName,
  kind: Extract<FaultKind['kind'], 'hang' | 'accept then hang'>,
  isReached: (trial: Trial) => boolean,
): Kill {
  return {
    label: `killed while Discord ${label} (${scene.name})`,
    async strike(site, bot) {
      const { faults } = site.stage.discord;
      const silence = faults.add({ route, kind });
      const trial = site.ask(scene);
      await until(
        () => silence.spoiled() > 0 && isReached(trial),
        () => `Discord to fall silent\n${bot.output}`,
        WAIT_MS_MAX,
      );
      await bot.kill();
      faults.clear();
      return true;
    },
  };
}

function whileProvider(label: string, at: 'before-billing' | 'before-answer'): Kill {
  return {
    label: `killed while the provider ${label}`,
    async strike(site, bot) {
      const { provider } = site.stage;
      const gate = provider.holdAnswers({ at });
      site.ask(imagine);
      await gate.arrived(1, WAIT_MS_MAX);
      await bot.kill();
      gate.release();
      await provider.idle();
      return true;
    },
  };
}

function halfwayThroughAnswer(): Kill {
  return {
    label: 'killed while half of the answer is there',
    async strike(site, bot) {
      const { provider } = site.stage;
      const pause = provider.faults.add({ kind: 'delay', delayMs: HALF_ANSWER_PAUSE_MS, at: 'mid-body', times: 1 });
      site.ask(imagine);
      await until(
        () => pause.timesUsed > 0,
        () => `half a picture\n${bot.output}`,
        WAIT_MS_MAX,
      );
      // The half that was sent has arrived long before the other one is.
      await sleep(HALF_ANSWER_PAUSE_MS / 4);
      await bot.kill();
      await provider.idle();
      pause.remove();
      return true;
    },
  };
}

/**
 * The bot dies with the paid picture on its disk, and is away until the reply can no longer be edited. The bot after it
 * has to find another way, and dies on it, when Discord has already taken the message.
 */
function afterTokenHasDied(scene: Scene): Kill {
  return {
    label: `killed with a receipt, and again after the reply's token had died (${scene.name})`,
    order: RECEIPT_WRITTEN,
    async strike(site, firstBot) {
      const { discord } = site.stage;
      const trial = site.ask(scene);
      if (!(await seeDie(site, firstBot, trial))) return false;
      discord.clock.advance(DOWNTIME_MS);
      const silence = discord.faults.add({ route: 'channel message', kind: 'accept then hang' });
      const secondBot = await site.start();
      await until(
        () => silence.spoiled() > 0 && showsPicture(site, trial),
        () => `another way\n${secondBot?.output}`,
        WAIT_MS_MAX,
      );
      await secondBot?.kill();
      discord.faults.clear();
      return true;
    },
  };
}

/** One of two bots dies while the other waits for the provider, and its successor has to leave the living one's job alone. */
function besideALivingBot(): Kill {
  return {
    label: 'killed beside a living bot',
    async strike(site, bot) {
      const { provider } = site.stage;
      const living = await site.start();
      const gate = provider.holdAnswers();
      // Discord's events go to whoever came last.
      const trial = site.ask(imagine);
      await gate.arrived(1, WAIT_MS_MAX);
      await bot.kill();
      await site.start();
      await until(
        () => locksIn(site) === BOTS_AT_ONCE,
        () => `the successor to clean up\n${living?.output}`,
        WAIT_MS_MAX,
      );
      gate.release();
      await until(
        () => showsPicture(site, trial),
        () => `the picture of the living bot\n${living?.output}`,
        WAIT_MS_MAX,
      );
      return true;
    },
  };
}

const BOTS_AT_ONCE = 2;

/** A sweep ends with the locks of the dead, so as many locks as living bots mean that it has been everywhere else. */
function locksIn({ stage }: CrashSite): number {
  return readdirSync(join(stage.dataDirectory, 'processes')).filter((file) => file.endsWith('.lock')).length;
}

function showsPicture({ stage }: CrashSite, trial: Trial): boolean {
  return messagesOf(stage, trial).some(({ shownAttachments }) => shownAttachments.length > 0);
}
