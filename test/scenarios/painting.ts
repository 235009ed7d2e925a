import assert from 'node:assert/strict';
import sharp from 'sharp';
import { COMPONENT } from '../../sandbox/discord/component-schema.ts';
import { walkComponents } from '../../sandbox/discord/component-tree.ts';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { EmulatedMember } from '../../sandbox/discord/world.ts';
import { isFinal } from '../../sandbox/final-message.ts';
import type { Stage } from '../../sandbox/stage.ts';
import type { Size } from '../fixtures/pictures.ts';
import { decode, photograph } from '../fixtures/pictures.ts';
import { buttonsOf, press } from './conversation.ts';
import type { Server } from './shared-stage.ts';

/** Asking for an edit, and painting what may change of it. */

const WAIT_MS_MAX = 30_000;

/** An edit that was asked for, and the question that is the answer to it. */
export type Asked = { readonly interaction: InteractionHandle; readonly message: EmulatedMessage };

/** Asks for an edit and leaves open what may change. */
export async function askOpenly(
  { discord }: Stage,
  server: Pick<Server, 'member' | 'channel'>,
  prompt: string,
  options: { readonly photo?: Buffer; readonly size?: Size; readonly isPrivate?: boolean } = {},
): Promise<Asked> {
  const { size = { width: 320, height: 240 } } = options;
  const photo = options.photo ?? (await photograph(size).png().toBuffer());
  const image = discord.uploadAttachment({ bytes: photo, filename: 'photo.png' });
  const interaction = discord.invoke({
    command: 'edit',
    member: server.member,
    channel: server.channel,
    options: { prompt, image, model: 'gpt-image-2', quality: 'low', private: options.isPrivate ?? false },
  });
  return { interaction, message: await question(discord, interaction) };
}

/** Waits for the question what may change. */
export async function question(discord: Stage['discord'], interaction: InteractionHandle): Promise<EmulatedMessage> {
  const isAsked = (): EmulatedMessage | undefined =>
    interaction.messages().find((message) => buttonsOf(message).has('Paint a mask'));
  await discord.waitFor(() => isAsked() !== undefined, WAIT_MS_MAX);
  return isAsked() ?? assert.fail('nothing was asked');
}

/** Waits until the question has become the outcome of the edit. */
export async function outcome({ discord }: Stage, { message }: Pick<Asked, 'message'>): Promise<EmulatedMessage> {
  const find = (): EmulatedMessage | undefined => {
    const now = discord.message(message.id);
    return now && isFinal(now) && !buttonsOf(now).has('Paint a mask') ? now : undefined;
  };
  await discord.waitFor(() => find() !== undefined, WAIT_MS_MAX);
  return find() ?? assert.fail('nothing came of it');
}

/** Presses `Paint a mask`, and answers the link that is told alone. */
export async function openPainter(
  stage: Stage,
  { message }: Pick<Asked, 'message'>,
  member: EmulatedMember,
): Promise<{ readonly pressed: InteractionHandle; readonly link: string }> {
  const pressed = await press(stage, message, 'Paint a mask', member);
  const told = await toldAlone(stage, pressed, member);
  const [link] = walkComponents(told.components).flatMap(({ component }) =>
    component.type === COMPONENT.button && component.url ? [component.url] : [],
  );
  return { pressed, link: link ?? assert.fail(`there is no link: ${renderMessage(told)}`) };
}

/** Waits for what only one member is told after a press. */
export async function toldAlone(
  { discord }: Stage,
  pressed: InteractionHandle,
  member: EmulatedMember,
): Promise<EmulatedMessage> {
  const find = (): EmulatedMessage | undefined =>
    pressed
      .messages()
      .find((message) => message.visibleTo === member.user.id && !buttonsOf(message).has('Paint a mask'));
  await discord.waitFor(() => find() !== undefined, WAIT_MS_MAX);
  return find() ?? assert.fail('nobody was told anything');
}

/** A mask as the page makes it: transparent where a pixel may change, coloured where it stays. */
export async function paintedMask(
  { width, height }: Size,
  isPainted: (x: number, y: number) => boolean,
): Promise<Buffer> {
  const data = Buffer.alloc(width * height * 4, Buffer.from([255, 64, 160, 255]));
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 4) if (isPainted(x, y)) data.fill(0, at, at + 4);
  }
  return sharp(data, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

/** Sends a mask as the page does. */
export async function sendMask(link: string, mask: Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(link, {
    method: 'POST',
    headers: { origin: new URL(link).origin, 'content-type': 'image/png', ...headers },
    body: new Uint8Array(mask),
  });
}

/** Which pixels of a mask may change, row by row. */
export async function painted(mask: Buffer): Promise<readonly boolean[]> {
  const { data } = await decode(mask);
  return Array.from({ length: data.length / 4 }, (_, index) => data.readUInt8(index * 4 + 3) === 0);
}
