import { randomBytes } from 'node:crypto';
import type { BenchCommand } from '../protocol.ts';

/** The servers, members and commands of the bench, in the form in which Discord's gateway tells of them. */

export const APPLICATION_ID = '990000000000000001';
export const BOT_USER = {
  id: APPLICATION_ID,
  username: 'bench',
  discriminator: '0000',
  global_name: null,
  avatar: null,
  bot: true,
};

const DISCORD_EPOCH_MS = Date.UTC(2015, 0, 1);
const SNOWFLAKE_TIMESTAMP_SHIFT = 22n;
const SERIAL_MAX = 4_096;
const FIRST_GUILD = 1_100_000_000_000_000_000n;
const FIRST_MEMBER = 200_000_000_000_000_000n;
/** Ids of one server are so far apart that its channels and roles fit between. */
const GUILD_ID_STRIDE = 10_000n;
/** A server of middle size. Bots that ask for it are told all of this of every server when they connect. */
const CHANNELS_PER_GUILD = 20;
const ROLES_PER_GUILD = 15;
const TOKEN_BYTES = 96;
const ATTACHMENT_LIMIT_BYTES = 10 * 1024 * 1024;
/** Commands come from so many servers and members in turn, so that nobody's own limits are what is measured. */
const BUSY_GUILDS_MAX = 64;
const MEMBERS = 997;

const SUB_COMMAND_OPTION = { string: 3, boolean: 5, attachment: 11 } as const;
const CHAT_INPUT = 1;
const APPLICATION_COMMAND = 2;

let serial = 0;

function nextId(): string {
  serial += 1;
  return (
    (BigInt(Date.now() - DISCORD_EPOCH_MS) << SNOWFLAKE_TIMESTAMP_SHIFT) +
    BigInt(serial % SERIAL_MAX)
  ).toString();
}

export function guildId(index: number): string {
  return (FIRST_GUILD + BigInt(index) * GUILD_ID_STRIDE).toString();
}

/** A server as a session with the intent Guilds is told of it. */
export function guildCreate(index: number): unknown {
  const id = guildId(index);
  const childId = (offset: number): string => (BigInt(id) + BigInt(offset)).toString();
  return {
    id,
    name: `Server ${index}`,
    icon: null,
    owner_id: FIRST_MEMBER.toString(),
    preferred_locale: 'en-US',
    afk_timeout: 300,
    afk_channel_id: null,
    verification_level: 0,
    default_message_notifications: 1,
    explicit_content_filter: 0,
    mfa_level: 0,
    nsfw_level: 0,
    premium_tier: 0,
    premium_progress_bar_enabled: false,
    system_channel_id: null,
    system_channel_flags: 0,
    features: [],
    emojis: [],
    stickers: [],
    roles: Array.from({ length: ROLES_PER_GUILD }, (_, role) => roleOf(role === 0 ? id : childId(100 + role), role)),
    channels: Array.from({ length: CHANNELS_PER_GUILD }, (_, channel) => channelOf(childId(1 + channel), id, channel)),
    threads: [],
    members: [{ user: BOT_USER, roles: [], joined_at: '2026-01-01T00:00:00Z', deaf: false, mute: false, flags: 0 }],
    presences: [],
    voice_states: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
    member_count: 100,
    joined_at: '2026-01-01T00:00:00Z',
    large: false,
    unavailable: false,
  };
}

function roleOf(id: string, position: number): unknown {
  return {
    id,
    name: `role ${position}`,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    position,
    permissions: '2248473465835073',
    managed: false,
    mentionable: false,
    flags: 0,
  };
}

function channelOf(id: string, guild: string, position: number): unknown {
  return {
    id,
    type: 0,
    guild_id: guild,
    name: `channel-${position}`,
    position,
    permission_overwrites: [],
    parent_id: null,
    topic: 'What we talk about here, in a sentence of ordinary length.',
    nsfw: false,
    rate_limit_per_user: 0,
    last_message_id: null,
    flags: 0,
  };
}

export type BenchInteraction = { readonly id: string; readonly token: string; readonly event: unknown };

/** The n-th command of a bot's life. */
export function createInteraction(
  command: BenchCommand | 'quota',
  { number, guilds, origin }: { number: number; guilds: number; origin: string },
): BenchInteraction {
  const id = nextId();
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const guild = guildId(number % Math.min(guilds, BUSY_GUILDS_MAX));
  const channel = (BigInt(guild) + 1n).toString();
  const member = (FIRST_MEMBER + BigInt(number % MEMBERS)).toString();
  const event = {
    id,
    application_id: APPLICATION_ID,
    type: APPLICATION_COMMAND,
    token,
    version: 1,
    channel_id: channel,
    channel: channelOf(channel, guild, 0),
    locale: 'en-US',
    guild_locale: 'en-US',
    app_permissions: '2251799813685247',
    entitlements: [],
    authorizing_integration_owners: { '0': guild },
    attachment_size_limit: ATTACHMENT_LIMIT_BYTES,
    context: 0,
    guild_id: guild,
    guild: { id: guild, features: [], locale: 'en-US' },
    member: memberOf(member),
    data: { id: '990000000000000100', type: CHAT_INPUT, guild_id: guild, ...commandData(command, number, origin) },
  };
  return { id, token, event };
}

function memberOf(id: string): unknown {
  return {
    user: { id, username: `member${id}`, discriminator: '0', global_name: 'Mira', avatar: null, public_flags: 0 },
    nick: null,
    avatar: null,
    banner: null,
    roles: [],
    joined_at: '2026-01-01T00:00:00Z',
    premium_since: null,
    communication_disabled_until: null,
    deaf: false,
    mute: false,
    pending: false,
    flags: 0,
    permissions: '2248473465835073',
  };
}

function commandData(command: BenchCommand | 'quota', number: number, origin: string): object {
  if (command === 'quota') return { name: 'quota', options: [] };
  const prompt = { name: 'prompt', type: SUB_COMMAND_OPTION.string, value: `a lighthouse in fog, number ${number}` };
  if (command === 'imagine') return { name: 'imagine', options: [prompt] };
  const attachments = { '1': ['image', 'source.jpg', 'image/jpeg'], '2': ['mask', 'mask.png', 'image/png'] } as const;
  return {
    name: 'edit',
    options: [
      prompt,
      ...Object.entries(attachments).map(([value, [name]]) => ({ name, type: SUB_COMMAND_OPTION.attachment, value })),
      { name: 'keep_outside', type: SUB_COMMAND_OPTION.boolean, value: command === 'edit-keeping-outside' },
    ],
    resolved: {
      attachments: Object.fromEntries(
        Object.entries(attachments).map(([id, [, filename, contentType]]) => [
          id,
          {
            id,
            filename,
            content_type: contentType,
            size: 1,
            url: `${origin}/attachments/${filename}`,
            proxy_url: `${origin}/attachments/${filename}`,
          },
        ]),
      ),
    },
  };
}
