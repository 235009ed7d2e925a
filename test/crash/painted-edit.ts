import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { BotProcess } from '../../sandbox/bot-process.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import { reachablePainter } from '../../sandbox/painter-address.ts';
import { buttonsOf, press } from '../scenarios/conversation.ts';
import { askOpenly, openPainter, paintedMask, sendMask, toldAlone } from '../scenarios/painting.ts';
import { courseOf } from '../scenarios/requests.ts';
import { addServer } from '../scenarios/shared-stage.ts';
import type { CampaignReport } from './campaign.ts';
import { runCampaign, seeDie } from './campaign.ts';
import type { CrashSite } from './crash-site.ts';
import { until } from './crash-site.ts';
import { ARMED_LINE } from './durable-steps.ts';
import { labelOf, momentsOf, stepsSince } from './every-step.ts';
import type { Painted, Scene, Trial } from './scenes.ts';
import { imagine } from './scenes.ts';
import { PAINT_LABEL } from './verdict.ts';

/** Kills at every durable step of an edit that begins with a painted mask, from the moment in which the mask is sent. */

const painting: Scene = { ...imagine, name: 'an /edit whose mask is painted', command: 'edit' };

const SIZE = { width: 256, height: 256 };
const WAIT_MS_MAX = 30_000;
const TAKEN = 200;
const GONE = 410;
/** The bot died before it had answered. */
const CUT_OFF = 0;

type PaintedTrial = Trial & { readonly painted: Painted };

export async function killAtEveryStepOfPaintedEdit(): Promise<CampaignReport> {
  const mask = await paintedMask(SIZE, (x, y) => Math.abs(x - y) < 40);
  const plan = async (site: CrashSite) => {
    const steps = await site.rehearse('signal', async (bot) => playThrough(site, bot, mask));
    return momentsOf(stepsSince(steps, undefined), 'signal').map((order) => {
      let last: PaintedTrial | undefined;
      return {
        label: labelOf(order),
        order,
        async strike(_site: CrashSite, bot: BotProcess) {
          last = await askAndArm(site, bot);
          // Whoever sends it hears of nothing where the bot dies on it.
          const [isKilled] = await Promise.all([seeDie(site, bot, last), send(last, mask)]);
          return isKilled;
        },
        afterwards: async () => last && sendAgain(site, last, mask),
      };
    });
  };
  return runCampaign(painting.name, plan, await reachablePainter());
}

/** The whole of it, without a kill. */
async function playThrough(site: CrashSite, bot: BotProcess, mask: Buffer): Promise<void> {
  const trial = await askAndArm(site, bot);
  assert.equal(await send(trial, mask), TAKEN);
  await site.answer(trial);
  await site.settled();
  assert.equal(courseOf(site.stage, trial.interaction), 'reserve dispatch post');
}

/** Asks for an edit without saying what may change, opens the painter, and has the steps of the bot counted from there. */
async function askAndArm(site: CrashSite, bot: BotProcess): Promise<PaintedTrial> {
  const { stage } = site;
  const server = addServer(stage);
  const prompt = `${painting.words} to be painted in ${server.guild.id}`;
  const asked = await askOpenly(stage, server, prompt, { size: SIZE });
  const { pressed, link } = await openPainter(stage, asked, server.member);
  const told = await toldAlone(stage, pressed, server.member);
  await until(
    () => isNoted(site, told.id),
    () => `the bot to note where it has told of the link\n${bot.output}`,
    WAIT_MS_MAX,
  );
  bot.signal('SIGUSR2');
  await until(
    () => bot.output.includes(ARMED_LINE),
    () => `the kill switch\n${bot.output}`,
    WAIT_MS_MAX,
  );
  const painted = { question: asked.message, asides: new Set([told.id]), link, statuses: [] };
  const trial = { scene: painting, interaction: pressed, member: server.member, prompt, painted };
  site.watch(trial);
  return trial;
}

/** Whether a draft says which message tells of its link, which is the last step before a mask can come. */
function isNoted({ stage }: CrashSite, message: string): boolean {
  const database = new DatabaseSync(join(stage.dataDirectory, 'easel.sqlite'), { readOnly: true });
  try {
    const found = database.prepare("SELECT 1 FROM keyv WHERE key LIKE '%edit-drafts:%' AND value LIKE ?");
    return found.get(`%${message}%`) !== undefined;
  } finally {
    database.close();
  }
}

/** Sends the mask as the page does, and answers the status. */
async function send({ painted }: PaintedTrial, mask: Buffer): Promise<number> {
  const status = await sendMask(painted.link, mask).then(
    (response) => response.status,
    () => CUT_OFF,
  );
  painted.statuses.push(status);
  return status;
}

/**
 * Sends the mask once more, which is still on the page. Either the draft is there, and the edit begins now; or it is used
 * up, and whoever presses the button of a question that has no answer is told so.
 */
async function sendAgain(site: CrashSite, trial: PaintedTrial, mask: Buffer): Promise<void> {
  const { stage } = site;
  const { question } = trial.painted;
  const isOpen = (): boolean => buttonsOf(stage.discord.message(question.id) ?? question).has(PAINT_LABEL);
  const wasOpen = isOpen();
  const status = await send(trial, mask);
  if (status === TAKEN) {
    assert.ok(wasOpen, `"${trial.prompt}" had its answer, and its mask was taken again`);
    await site.answer(trial);
    return;
  }
  assert.equal(status, GONE, `the mask of "${trial.prompt}" was sent again`);
  if (!isOpen()) return;
  const pressed = await press(stage, question, PAINT_LABEL, trial.member);
  const told = renderMessage(await toldAlone(stage, pressed, trial.member));
  assert.match(told, /already used.*use `\/edit` again.*not charged/s);
  assert.doesNotMatch(told, /http/);
}
