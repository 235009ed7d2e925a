import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { Stage } from '../../sandbox/stage.ts';
import type { Entry } from '../../src/billing/guild-account.ts';
import type { Books } from '../audit.ts';
import { isFinal } from '../../sandbox/final-message.ts';
import { buttonsOf } from '../scenarios/conversation.ts';
import type { Painted, Trial } from './scenes.ts';
import { declined } from './scenes.ts';

/** The button under the question what may change. */
export const PAINT_LABEL = 'Paint a mask';

/** How a request ended that broke no promise. */
export type Verdict =
  | 'answered'
  /** Discord never got an acknowledgement, and told the member itself that the bot did not respond. */
  | 'unacknowledged'
  /** The process died between the acknowledgement and the job's first trace: nothing is known of it, nothing was paid. */
  | 'left thinking'
  /** The private words of a moderated request came twice, to the same member: Discord has no way to send them once. */
  | 'told twice'
  /** The process died between taking a painted mask and the job's first trace: whoever painted is told to ask again. */
  | 'left asked';

/**
 * Judges one request by what the provider and Discord say themselves, once all jobs have ended: paid once at most,
 * paid only for what was booked, shown once, whole, and to nobody else.
 */
export function judgeTrial(stage: Stage, books: Books, trial: Trial): Verdict {
  const entries = [...books.entries.values()].flat().filter(({ transfer }) => transfer === trial.interaction.id);
  const last = entries.at(-1);
  judgeCalls(stage, trial, last);
  const messages = messagesOf(stage, trial);
  judgeAudience(stage, trial, messages);
  judgePictures(trial, messages, last);
  judgeReceipt(stage, trial, last);
  const answers = answersOf(stage, trial);
  return trial.painted ? judgePainted(trial, trial.painted, answers, last) : judgeAnswers(trial, answers, last);
}

function judgeCalls({ provider }: Stage, { prompt }: Trial, last: Entry | undefined): void {
  const promptSha256 = createHash('sha256').update(prompt).digest('hex');
  const calls = provider.calls.filter((call) => call.prompt === prompt);
  const bills = provider.bills.filter((bill) => bill.promptSha256 === promptSha256);
  const provablyNothing = calls.filter(({ status, isBilled }) => status === 429 && !isBilled);
  assert.ok(calls.length <= 1 + provablyNothing.length, `"${prompt}" went out ${calls.length} times`);
  assert.ok(bills.length <= 1, `"${prompt}" was paid ${bills.length} times`);
  switch (last?.type) {
    case undefined:
      assert.equal(calls.length, 0, `"${prompt}" went out without a hold`);
      break;
    case 'void':
      assert.equal(bills.length, 0, `"${prompt}" was billed, and its hold was freed`);
      break;
    case 'post':
      assert.equal(bills.length, 1, `"${prompt}" was posted and not billed`);
      break;
    case 'unknown':
      break;
    default:
      assert.fail(`"${prompt}" stopped at ${last?.type}`);
  }
}

/** Every message there is for a request: its reply, its follow-ups, and what came to a channel in their place. */
export function messagesOf({ discord }: Stage, { interaction, member, painted }: Trial): EmulatedMessage[] {
  const channels = [...discord.world.guild(member.guildId).channels.values()];
  const elsewhere = [
    ...channels.flatMap((channel) => discord.channelMessages(channel)),
    ...discord.directMessages(member.user),
  ];
  const own = interaction.messages().filter(({ id }) => !painted?.asides.has(id));
  return [...own, ...elsewhere.filter(({ nonce }) => nonce === interaction.id)];
}

/** Those of them that end it: no news on the way, and no question that is still open. */
export function answersOf(stage: Stage, trial: Trial): EmulatedMessage[] {
  return messagesOf(stage, trial).filter(
    (message) => !message.isLoading && isFinal(message) && !buttonsOf(message).has(PAINT_LABEL),
  );
}

function judgeAudience(
  stage: Stage,
  { scene, interaction, member }: Trial,
  messages: readonly EmulatedMessage[],
): void {
  if (!scene.isPrivate) return;
  const directChannel = stage.discord.world.directChannel(member.user).id;
  for (const { channelId, visibleTo } of [...messages, ...interaction.messagesEver()]) {
    const isPrivate = visibleTo === member.user.id || channelId === directChannel;
    assert.ok(isPrivate, 'what was asked for in private was shown to others');
  }
}

function judgePictures({ scene, prompt }: Trial, messages: readonly EmulatedMessage[], last: Entry | undefined): void {
  const isMade = last?.type === 'post' || (last?.type === 'unknown' && last.estimated === true);
  const most = isMade ? scene.imageCount : 0;
  // Of an answer that broke off, what was whole by then is shown, and that is one at least.
  const least = last?.type === 'unknown' && last.reason === 'cut-off' ? 1 : most;
  const shown = messages.flatMap(({ shownAttachments }) => shownAttachments);
  const isOwed = shown.length >= least && shown.length <= most;
  assert.ok(isOwed, `"${prompt}" shows ${shown.length} pictures, and owes ${least} to ${most}`);
  const distinct = new Set(shown.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex')));
  assert.equal(distinct.size, shown.length, `"${prompt}" shows one picture twice`);
}

/** What was paid for keeps its receipt, whatever became of the process that paid. */
function judgeReceipt({ dataDirectory }: Stage, { interaction, prompt }: Trial, last: Entry | undefined): void {
  if (last?.type !== 'post') return;
  const receipts = join(dataDirectory, 'receipts');
  const lines = readdirSync(receipts).flatMap((day) => readFileSync(join(receipts, day), 'utf8').split('\n'));
  assert.ok(
    lines.some((line) => line.startsWith(`{"id":"${interaction.id}"`) && line.endsWith('}')),
    `the receipt of "${prompt}" is lost`,
  );
}

function judgeAnswers(
  { scene, interaction, prompt }: Trial,
  answers: readonly EmulatedMessage[],
  last: Entry | undefined,
): Verdict {
  const finals = answers.map(renderMessage);
  if (interaction.state === undefined) {
    assert.ok(finals.length <= 1, `"${prompt}" was answered ${finals.length} times without an acknowledgement`);
    assert.ok(last === undefined || last.type === 'void', `"${prompt}" was paid for, and nobody waited for it`);
    return 'unacknowledged';
  }
  if (finals.length === 0) {
    assert.equal(last, undefined, `"${prompt}" was never answered, and left a trace in the books`);
    return 'left thinking';
  }
  if (scene === declined && finals.length === 2) {
    assert.equal(finals[0], finals[1]);
    return 'told twice';
  }
  assert.deepEqual(finals, finals.slice(0, 1), `"${prompt}" was answered ${finals.length} times`);
  return 'answered';
}

/**
 * Judges an edit whose mask was painted: the answer stands where the question stood, and whoever read that the mask had
 * come gets one.
 */
function judgePainted(
  { prompt }: Trial,
  { question, statuses }: Painted,
  answers: readonly EmulatedMessage[],
  last: Entry | undefined,
): Verdict {
  const taken = statuses.filter((status) => status === 200);
  assert.ok(taken.length <= 1, `the mask of "${prompt}" was taken ${taken.length} times`);
  const places = answers.map(({ id }) => id);
  if (places.length > 0) {
    assert.deepEqual(places, [question.id], `"${prompt}" was answered elsewhere than it was asked`);
    return 'answered';
  }
  assert.equal(last, undefined, `"${prompt}" was never answered, and left a trace in the books`);
  assert.equal(taken.length, 0, `the mask of "${prompt}" was said to be taken, and nothing came of it`);
  return 'left asked';
}
