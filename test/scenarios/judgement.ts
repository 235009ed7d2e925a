import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { EmulatedMember } from '../../sandbox/discord/world.ts';
import type { ProviderCall } from '../../sandbox/provider/call-log.ts';
import type { Stage } from '../../sandbox/stage.ts';
import type { AuditTotals, Books } from '../audit.ts';
import { auditBooks, openJobs, readBooks } from '../audit.ts';

/** What Discord and the provider themselves say of a job, whatever the bot believes of it. */

/** The budget that guilds have where nobody said otherwise, in nano-dollars. */
export const DEFAULT_BUDGET_NANO_USD = 10_000_000_000;
const REST_WAIT_MS_MAX = 30_000;
const REST_CHECK_INTERVAL_MS = 50;

/** The messages that show a picture of this job, wherever they stand: in its channel or in the member's own. */
export function postsOf(stage: Stage, interaction: InteractionHandle, member: EmulatedMember): EmulatedMessage[] {
  const { discord } = stage;
  const channels = [...discord.world.guild(member.guildId).channels.values()];
  const messages = [
    ...interaction.messages(),
    ...channels.flatMap((channel) => discord.channelMessages(channel)),
    ...discord.directMessages(member.user),
  ];
  const distinct = new Map(messages.map((message) => [message.id, message]));
  return [...distinct.values()].filter(({ shownAttachments }) =>
    shownAttachments.some(({ filename }) => filename.startsWith(interaction.id)),
  );
}

/** The one message that shows pictures of this job, once nothing is left to do. */
export async function onlyPost(
  stage: Stage,
  interaction: InteractionHandle,
  member: EmulatedMember,
): Promise<EmulatedMessage> {
  await stage.discord.waitFor(() => postsOf(stage, interaction, member).length > 0, REST_WAIT_MS_MAX);
  await atRest(stage, { interaction });
  const [post, ...others] = postsOf(stage, interaction, member);
  assert.ok(post, `nothing was left; the reply reads:\n${textOf(interaction)}`);
  assert.deepEqual(others.map(renderMessage), [], 'a picture was posted twice');
  return post;
}

/** What the member reads in the messages of an interaction. */
export function textOf(interaction: InteractionHandle): string {
  return interaction.messages().map(renderMessage).join('\n');
}

/** News comes after two seconds, and a bot that starts takes a few more. */
const NEWS_WAIT_MS_MAX = 20_000;

/** Waits until the reply says something, and answers the message. */
export async function newsOf(
  { discord }: Stage,
  interaction: InteractionHandle,
  pattern: RegExp,
): Promise<EmulatedMessage> {
  await discord.waitFor(() => pattern.test(textOf(interaction)), NEWS_WAIT_MS_MAX);
  return interaction.original() ?? assert.fail('the reply is gone');
}

/** The calls that the provider received for a prompt. */
export function callsFor(stage: Stage, prompt: string): readonly ProviderCall[] {
  return stage.provider.calls.filter((call) => call.prompt === prompt);
}

/** Resolves when no job is open any more, or none for this interaction, in any of the data directories. */
export async function atRest(
  stage: Stage,
  options: { readonly dataDirectories?: readonly string[]; readonly interaction?: InteractionHandle } = {},
): Promise<void> {
  const { dataDirectories = [stage.dataDirectory], interaction } = options;
  const deadline = Date.now() + REST_WAIT_MS_MAX;
  for (;;) {
    const jobs = (await Promise.all(dataDirectories.map(openJobs))).flat();
    const open = jobs.filter((folder) => folder.startsWith(interaction?.id ?? ''));
    if (open.length === 0) return;
    assert.ok(Date.now() < deadline, `jobs that do not end: ${open.join(', ')}`);
    await sleep(REST_CHECK_INTERVAL_MS);
  }
}

/** Holds the books in data directories against the provider's bills, and every request against Discord's rules. */
export function judge(stage: Stage, dataDirectories: readonly string[] = [stage.dataDirectory]): AuditTotals {
  const books = dataDirectories.map(readBooks);
  return judgeBooks(stage, {
    heads: new Map(books.flatMap(({ heads }) => [...heads])),
    entries: new Map(books.flatMap(({ entries }) => [...entries])),
    transfers: new Map(books.flatMap(({ transfers }) => [...transfers])),
    members: new Map(books.flatMap(({ members }) => [...members])),
  });
}

/** The same for books that lie elsewhere. */
export function judgeBooks(stage: Stage, books: Books): AuditTotals {
  assert.deepEqual(stage.discord.violations, []);
  const totals = auditBooks(books, stage.provider.bills, DEFAULT_BUDGET_NANO_USD);
  assert.equal(totals.held, 0, 'money is still held although no job is open');
  return totals;
}
