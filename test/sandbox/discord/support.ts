import type { TestContext } from 'node:test';
import type { EmulatedDiscord, EmulatedDiscordOptions } from '../../../sandbox/discord/emulated-discord.ts';
import { createEmulatedDiscord } from '../../../sandbox/discord/emulated-discord.ts';
import type { EmulatedGuild, EmulatedMember } from '../../../sandbox/discord/world.ts';
import type { InteractionHandle } from '../../../sandbox/discord/interaction-handle.ts';
import type { RawBot } from './raw-bot.ts';
import { call, connectRawBot } from './raw-bot.ts';

/** The commands that the tests register. */
export const COMMANDS = [
  {
    name: 'imagine',
    description: 'Make a picture',
    options: [
      { type: 3, name: 'prompt', description: 'What to paint', required: true, max_length: 100 },
      { type: 3, name: 'size', description: 'Size', choices: [{ name: 'Square', value: '1024x1024' }] },
      { type: 3, name: 'model', description: 'Model', autocomplete: true },
      { type: 4, name: 'count', description: 'How many', min_value: 1, max_value: 4 },
      { type: 5, name: 'private', description: 'Only for you' },
      { type: 11, name: 'reference', description: 'A picture to start from' },
    ],
  },
  {
    name: 'settings',
    description: 'Settings',
    default_member_permissions: '32',
    contexts: [0],
    options: [
      {
        type: 1,
        name: 'budget',
        description: 'The budget',
        options: [{ type: 10, name: 'dollars', description: 'How much', required: true }],
      },
    ],
  },
  { type: 3, name: 'Edit image' },
] as const;

/** An emulated Discord with a guild, an ordinary member, the commands above and a bot on the wire. */
export type Scene = {
  readonly discord: EmulatedDiscord;
  readonly guild: EmulatedGuild;
  readonly member: EmulatedMember;
  readonly bot: RawBot;
};

/** Starts a scene that ends with the test. */
export async function setScene(context: TestContext, options: EmulatedDiscordOptions = {}): Promise<Scene> {
  const discord = await createEmulatedDiscord(options);
  context.after(() => discord.close());
  const guild = discord.world.addGuild();
  const member = discord.world.addMember(guild, { username: 'ada' });
  const bot = await connectRawBot(discord);
  const registered = await call(discord, 'PUT', `/applications/${discord.applicationId}/commands`, COMMANDS);
  if (registered.status !== 200) throw new Error(JSON.stringify(registered.body));
  return { discord, guild, member, bot };
}

/** The path of an interaction's first answer. */
export function callbackPath(interaction: InteractionHandle): string {
  return `/interactions/${interaction.id}/${interaction.token}/callback`;
}

/** The path below an interaction's webhook. */
export function webhookPath(discord: EmulatedDiscord, interaction: InteractionHandle, rest = ''): string {
  return `/webhooks/${discord.applicationId}/${interaction.token}${rest}`;
}

/** Invokes /imagine and defers it. */
export async function deferredImagine(scene: Scene, options: { ephemeral?: boolean } = {}): Promise<InteractionHandle> {
  const interaction = scene.discord.invoke({ member: scene.member, command: 'imagine', options: { prompt: 'a fox' } });
  const flags = options.ephemeral === true ? 64 : 0;
  await call(scene.discord, 'POST', callbackPath(interaction), { type: 5, data: { flags } });
  return interaction;
}

/** The smallest PNG there is: one transparent pixel. */
export const PIXEL_PNG = new Uint8Array(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);
