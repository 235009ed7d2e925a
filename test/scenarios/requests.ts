import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedAttachment, EmulatedMessage } from '../../sandbox/discord/message.ts';
import type { OptionValues } from '../../sandbox/discord/option-values.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { EmulatedMember } from '../../sandbox/discord/world.ts';
import type { Bill } from '../../sandbox/provider/billing-log.ts';
import type { ProviderCall } from '../../sandbox/provider/call-log.ts';
import type { Stage } from '../../sandbox/stage.ts';
import type { AccountHead, Entry } from '../../src/billing/guild-account.ts';
import { readBooks } from '../audit.ts';
import { callsFor } from './judgement.ts';
import type { Server } from './shared-stage.ts';
import { finalMessage } from './support.ts';

/** A request that a member made, and how it ended for that member. */
export type Answered = {
  readonly interaction: InteractionHandle;
  readonly message: EmulatedMessage;
  /** The message as it is read. */
  readonly text: string;
};

/** Sends a command as the server's member, or as somebody else, and waits for the message that ends it. */
export async function ask(
  { discord }: Stage,
  server: Server,
  command: string,
  options: OptionValues = {},
  member: EmulatedMember = server.member,
): Promise<Answered> {
  return answered(discord.invoke({ command, member, channel: server.channel, options }));
}

/** Asks for an image, and does not wait for it. */
export function imagine(
  { discord }: Stage,
  { member, channel }: Pick<Server, 'member' | 'channel'>,
  prompt: string,
  options: OptionValues = {},
): InteractionHandle {
  return discord.invoke({ command: 'imagine', member, channel, options: { prompt, ...options } });
}

/** Sends one of the subcommands of `/settings`. */
export async function askSettings(
  stage: Stage,
  server: Server,
  subcommand: string,
  options: OptionValues = {},
  administrator: EmulatedMember = server.administrator,
): Promise<Answered> {
  return ask(stage, server, `settings ${subcommand}`, options, administrator);
}

/** The same, which must be taken. */
export async function decide(
  stage: Stage,
  server: Server,
  subcommand: string,
  options: OptionValues,
  administrator?: EmulatedMember,
): Promise<Answered> {
  const decided = await askSettings(stage, server, subcommand, options, administrator);
  assert.match(decided.text, /^Changed\.$/m);
  return decided;
}

/** Waits for the message that ends a request. */
export async function answered(interaction: InteractionHandle): Promise<Answered> {
  const message = await finalMessage(interaction);
  return { interaction, message, text: renderMessage(message) };
}

/** The pictures that members see, at least one. */
export function picturesOf({ message, text }: Answered): readonly [EmulatedAttachment, ...EmulatedAttachment[]] {
  const [first, ...others] = message.shownAttachments;
  return [first ?? assert.fail(`there is no picture: ${text}`), ...others];
}

/** Picks the calls for some prompts out, so that a fault happens to them and to no other test's. */
export function isFor(...prompts: readonly string[]): (call: ProviderCall) => boolean {
  return ({ prompt }) => prompt !== undefined && prompts.includes(prompt);
}

/** What the provider billed for a prompt. */
export function billsFor({ provider }: Stage, prompt: string): readonly Bill[] {
  const promptSha256 = createHash('sha256').update(prompt).digest('hex');
  return provider.bills.filter((bill) => bill.promptSha256 === promptSha256);
}

/** The one bill for a prompt. */
export function theBillFor(stage: Stage, prompt: string): Bill {
  const [bill, ...others] = billsFor(stage, prompt);
  assert.equal(others.length, 0, `${prompt} was billed more than once`);
  return bill ?? assert.fail(`${prompt} was not billed`);
}

/** What the ledger on disk tells about a request, from its reservation on. */
export function entriesOf({ dataDirectory }: Stage, { id }: { readonly id: string }): readonly Entry[] {
  return [...readBooks(dataDirectory).entries.values()].flat().filter(({ transfer }) => transfer === id);
}

/** The request's way through the ledger in short, such as `reserve dispatch post`. */
export function courseOf(stage: Stage, interaction: { readonly id: string }): string {
  return entriesOf(stage, interaction)
    .map(({ type }) => type)
    .join(' ');
}

/** Why a request ended without a charge, in the ledger's one word for it. */
export function endReasonOf(stage: Stage, interaction: { readonly id: string }): string | undefined {
  const last = entriesOf(stage, interaction).at(-1);
  return last && 'reason' in last ? last.reason : undefined;
}

/** The account of a server in the only month that it has. */
export function accountOf(stage: Stage, server: Server): AccountHead {
  const [head, ...others] = accountsOf(stage, server);
  assert.equal(others.length, 0, 'the server has one month');
  return head ?? assert.fail('the server has no account');
}

/** Whether anything was ever held for a server. */
export function hasAccount(stage: Stage, server: Server): boolean {
  return accountsOf(stage, server).length > 0;
}

function accountsOf({ dataDirectory }: Stage, { guild }: Server): readonly AccountHead[] {
  const heads = [...readBooks(dataDirectory).heads].filter(([account]) => account.includes(guild.id));
  return heads.map(([, head]) => head);
}

/** The request was turned away before anything was held, asked of the provider, or paid, and its member knows that. */
export function assertNothingTouched(stage: Stage, { interaction, text, message }: Answered, prompt: string): void {
  assert.equal(courseOf(stage, interaction), '', `the ledger knows of: ${text}`);
  assert.equal(callsFor(stage, prompt).length, 0, `the provider was called, and yet: ${text}`);
  assert.equal(message.attachments.length, 0);
  assert.match(text, /You were not charged\.\n-# Reference: `\w+`$/);
}

const NANO_USD_PER_SHOWN_UNIT = 100_000;

/** An amount as messages show it: four decimals, rounded half up. Written apart from the program's own. */
export function shownUsd(nanoUsd: number): string {
  const units = Math.floor((nanoUsd + NANO_USD_PER_SHOWN_UNIT / 2) / NANO_USD_PER_SHOWN_UNIT);
  return `$${Math.floor(units / 10_000)}.${String(units % 10_000).padStart(4, '0')}`;
}
