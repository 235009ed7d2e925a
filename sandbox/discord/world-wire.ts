import { permits, PERMISSION } from './permissions.ts';
import type { EmulatedChannel, EmulatedGuild, EmulatedMember, EmulatedRole, EmulatedUser, World } from './world.ts';

/** A JSON object on its way to the bot. */
export type WireObject = Record<string, unknown>;

const TEXT_CHANNEL = 0;
const DIRECT_CHANNEL = 1;

/** A user as REST and gateway show it. */
export function userToWire(user: EmulatedUser): WireObject {
  return {
    id: user.id,
    username: user.username,
    discriminator: '0',
    global_name: user.globalName,
    avatar: null,
    avatar_decoration_data: null,
    public_flags: 0,
    ...(user.isBot ? { bot: true } : {}),
  };
}

/** A member as an interaction shows it, `permissions` included; without `user` where `resolved` carries it apart. */
export function memberToWire(world: World, member: EmulatedMember, withUser: boolean): WireObject {
  return {
    ...(withUser ? { user: userToWire(member.user) } : {}),
    nick: member.nick,
    avatar: null,
    banner: null,
    roles: member.roleIds,
    joined_at: '2024-01-01T00:00:00.000000+00:00',
    premium_since: null,
    communication_disabled_until: null,
    deaf: false,
    mute: false,
    pending: false,
    flags: 0,
    permissions: world.memberPermissions(member).toString(),
  };
}

export function roleToWire(role: EmulatedRole): WireObject {
  return {
    id: role.id,
    name: role.name,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    position: 0,
    permissions: role.permissions.toString(),
    managed: false,
    mentionable: role.mentionable,
    icon: null,
    unicode_emoji: null,
    flags: 0,
  };
}

export function channelToWire(world: World, channel: EmulatedChannel): WireObject {
  if (channel.guildId === undefined) {
    const recipient = world.users.get(channel.recipientId ?? '');
    return {
      id: channel.id,
      type: DIRECT_CHANNEL,
      last_message_id: null,
      recipients: recipient === undefined ? [] : [userToWire(recipient)],
    };
  }
  return {
    id: channel.id,
    type: TEXT_CHANNEL,
    guild_id: channel.guildId,
    name: channel.name,
    position: 0,
    permission_overwrites: [],
    parent_id: null,
    topic: null,
    nsfw: false,
    rate_limit_per_user: 0,
    last_message_id: null,
    flags: 0,
  };
}

/** A guild as GUILD_CREATE shows it to a session with the Guilds intent. */
export function guildToWire(world: World, guild: EmulatedGuild): WireObject {
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    owner_id: guild.ownerId,
    preferred_locale: guild.locale,
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
    roles: [...guild.roles.values()].map(roleToWire),
    channels: [...guild.channels.values()]
      .filter((channel) => permits(world.botPermissions(channel), PERMISSION.viewChannel))
      .map((channel) => channelToWire(world, channel)),
    threads: [],
    members: [],
    presences: [],
    voice_states: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
    member_count: guild.members.size,
    joined_at: '2024-01-01T00:00:00.000000+00:00',
    large: false,
    unavailable: false,
  };
}
