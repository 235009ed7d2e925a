import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { ButtonComponent } from '../../sandbox/discord/component-schema.ts';
import { COMPONENT } from '../../sandbox/discord/component-schema.ts';
import { walkComponents } from '../../sandbox/discord/component-tree.ts';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import type { ModalAnswers } from '../../sandbox/discord/modal-answers.ts';
import { modalFieldOf } from '../../sandbox/discord/modal-schema.ts';
import type { OptionValues } from '../../sandbox/discord/option-values.ts';
import type { EmulatedMember } from '../../sandbox/discord/world.ts';
import type { ProviderCall } from '../../sandbox/provider/call-log.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { decode } from '../fixtures/pictures.ts';
import type { Answered } from './requests.ts';
import { answered, ask, imagine, isFor } from './requests.ts';
import type { Server } from './shared-stage.ts';

/** What members do with a result: they press its buttons, and fill in the forms that open. */

/** The buttons under a message, by what is written on them. */
export function buttonsOf({ components }: EmulatedMessage): ReadonlyMap<string, ButtonComponent> {
  const buttons = walkComponents(components).flatMap(({ component }) =>
    component.type === COMPONENT.button ? [[component.label ?? '', component] as const] : [],
  );
  return new Map(buttons);
}

/** Presses a button as a member would, and waits until Discord has the first answer. */
export async function press(
  { discord }: Stage,
  message: EmulatedMessage,
  label: string,
  member: EmulatedMember,
): Promise<InteractionHandle> {
  const now = discord.message(message.id) ?? assert.fail('the message is gone');
  const customId = buttonsOf(now).get(label)?.custom_id ?? assert.fail(`there is no button ${label}`);
  const pressed = discord.click({ member, message: now, customId });
  await pressed.acknowledged();
  return pressed;
}

/** Fills in the form that an interaction was answered with, sends it, and waits until Discord has the first answer. */
export async function fillIn(
  { discord }: Stage,
  opened: InteractionHandle,
  member: EmulatedMember,
  answers: ModalAnswers,
): Promise<InteractionHandle> {
  assert.equal(opened.state, 'modal');
  const sent = discord.submitModal({ member, interaction: opened, answers });
  await sent.acknowledged();
  return sent;
}

/** Presses a button that asks nothing, and waits for the message that ends what it began. */
export async function pressThrough(
  stage: Stage,
  message: EmulatedMessage,
  label: string,
  member: EmulatedMember,
): Promise<Answered> {
  return answered(await press(stage, message, label, member));
}

const TOKEN_LIFETIME_MS = 15 * 60_000;
/** More often than a member would ask while a result is written down. */
const QUESTIONS_MAX = 50;
/** More often than anybody would have to press. */
const ATTEMPTS_MAX = 20;

/**
 * Presses a button that brings what was put away. It is put away a moment after its message is there, and a test is
 * faster than anybody.
 */
export async function pressForPictures(
  stage: Stage,
  message: EmulatedMessage,
  label: string,
  member: EmulatedMember,
): Promise<Answered> {
  for (let attempt = 1; ; attempt += 1) {
    const brought = await pressThrough(stage, message, label, member);
    if (brought.message.shownAttachments.length > 0 || attempt === ATTEMPTS_MAX) return brought;
  }
}

/** Asks for the quota until it offers what is kept, which is put away a moment after its member was told of it. */
export async function untilOffered(stage: Stage, server: Server): Promise<Answered> {
  for (let attempt = 1; attempt <= QUESTIONS_MAX; attempt += 1) {
    const quota = await ask(stage, server, 'quota');
    if (buttonsOf(quota.message).size > 0) return quota;
  }
  return assert.fail('nothing is offered');
}

/** Asks for an image, and lets the token of the reply die while the provider is at work. */
export async function outliveToken(
  stage: Stage,
  server: Server,
  options: OptionValues = {},
): Promise<InteractionHandle> {
  const prompt = `slow ${server.guild.id}`;
  const gate = stage.provider.holdAnswers({ when: isFor(prompt) });
  const interaction = imagine(stage, server, prompt, { quality: 'low', ...options });
  await gate.arrived(1);
  stage.discord.clock.advance(TOKEN_LIFETIME_MS);
  gate.release();
  return interaction;
}

/** Presses a button, fills in its form, and waits for the message that ends what it began. */
export async function pressAndFillIn(
  stage: Stage,
  message: EmulatedMessage,
  label: string,
  { member, answers }: { readonly member: EmulatedMember; readonly answers: ModalAnswers },
): Promise<Answered> {
  const opened = await press(stage, message, label, member);
  return answered(await fillIn(stage, opened, member, answers));
}

/** The names of the fields of a form that was opened, from top to bottom. */
export function fieldsOf({ modal }: InteractionHandle): readonly (string | undefined)[] {
  const { components } = modal ?? assert.fail('no form was opened');
  return components.map((component) => modalFieldOf(component)?.custom_id);
}

/** What a form says before anybody fills anything in. */
export function prefilledPromptOf({ modal }: InteractionHandle): string | undefined {
  const fields = modal?.components.map(modalFieldOf) ?? [];
  const field = fields.find((candidate) => candidate?.type === COMPONENT.textInput);
  return field?.type === COMPONENT.textInput ? (field.value ?? undefined) : undefined;
}

/** How Discord's client writes the address of a message. */
export function linkTo({ guildId, channelId, id }: EmulatedMessage): string {
  return `https://discord.com/channels/${guildId}/${channelId}/${id}`;
}

/** The pictures that went along with a call, without its mask. */
export async function sentPictures(call: ProviderCall | undefined): Promise<readonly string[]> {
  const pictures = (call?.files ?? []).filter(({ field }) => field !== 'mask');
  return Promise.all(pictures.map(pixelsOf));
}

/** A picture by its pixels, whatever was said about it beside them. */
export async function pixelsOf(file: { readonly bytes: Buffer | undefined } | undefined): Promise<string> {
  const { data } = await decode(file?.bytes ?? assert.fail('there is no such picture'));
  return createHash('sha256').update(data).digest('hex');
}

/** A message of an Easel of other times, or whatever else somebody brings about: each button shows its own id. */
export async function postAsBot(
  { discord }: Stage,
  channelId: string,
  customIds: readonly string[],
): Promise<EmulatedMessage> {
  const components = customIds.map((id) => ({ type: 2, style: 2, label: id, custom_id: id }));
  const response = await fetch(`${discord.apiUrl}/v10/channels/${channelId}/messages`, {
    method: 'POST',
    headers: { authorization: `Bot ${discord.botToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ content: 'from before', components: [{ type: 1, components }] }),
  });
  assert.equal(response.status, 200);
  const channel = discord.world.channel(channelId) ?? assert.fail('there is no such channel');
  return discord.channelMessages(channel).at(-1) ?? assert.fail('the message was not posted');
}

/** Whether there is still a record of what a result was made of. */
export function hasRecord({ dataDirectory }: Stage, { id }: { readonly id: string }): boolean {
  return withStore(dataDirectory, (store) => {
    const row = store.prepare(`SELECT count(*) AS count FROM keyv WHERE key LIKE ?`).get(`%result:%:${id}`);
    return row?.['count'] !== 0;
  });
}

/** Clears the record of a result away, as an operator's pruning would. */
export function clearRecord({ dataDirectory }: Stage, { id }: { readonly id: string }): void {
  withStore(dataDirectory, (store) => store.prepare(`DELETE FROM keyv WHERE key LIKE ?`).run(`%result:%:${id}`));
}

/** Puts something in the place of a record that nobody can understand. */
export function spoilRecord(stage: Stage, { id }: { readonly id: string }): void {
  spoil(stage, `%result:%:${id}`);
}

/** The same with what a server has decided. */
export function spoilSettings(stage: Stage, guildId: string): void {
  spoil(stage, `%settings:{${guildId}}`);
}

function spoil({ dataDirectory }: Stage, keyPattern: string): void {
  const spoiled = JSON.stringify({ value: { v: 0 } });
  withStore(dataDirectory, (store) =>
    store.prepare(`UPDATE keyv SET value = ? WHERE key LIKE ?`).run(spoiled, keyPattern),
  );
}

/** Lets nobody write to the store until the function that is returned is called. */
export function lockStore({ dataDirectory }: Stage): () => void {
  const store = new DatabaseSync(join(dataDirectory, 'easel.sqlite'));
  store.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
  return () => {
    store.exec('ROLLBACK');
    store.close();
  };
}

function withStore<Result>(dataDirectory: string, use: (store: DatabaseSync) => Result): Result {
  const store = new DatabaseSync(join(dataDirectory, 'easel.sqlite'));
  try {
    store.exec('PRAGMA busy_timeout = 5000');
    return use(store);
  } finally {
    store.close();
  }
}
