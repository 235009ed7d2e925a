import { BOT_PERMISSIONS, MEMBER_PERMISSIONS, PERMISSION } from './permissions.ts';
import type { SnowflakeSource } from './snowflake.ts';

/** What Discord grants a server without boosts, and direct messages: 10 MiB a file. */
const DEFAULT_ATTACHMENT_SIZE_LIMIT_BYTES = 10 * 1024 * 1024;

export type EmulatedUser = {
  readonly id: string;
  readonly username: string;
  readonly globalName: string;
  readonly isBot: boolean;
  /** The language of the user's client, such as `en-US`. */
  readonly locale: string;
  /** Set to false and the bot's direct messages to this user are refused with 50007. */
  acceptsDirectMessages: boolean;
  /** The bot is installed to this user's account, and so at hand on servers that it is not on. */
  hasInstalledBot: boolean;
};

export type EmulatedRole = {
  readonly id: string;
  readonly name: string;
  permissions: bigint;
  mentionable: boolean;
};

export type EmulatedMember = {
  readonly guildId: string;
  readonly user: EmulatedUser;
  readonly nick: string | null;
  readonly roleIds: string[];
};

export type EmulatedChannel = {
  readonly id: string;
  /** Undefined for a direct-message channel, which has a `recipientId` instead. */
  readonly guildId?: string;
  readonly recipientId?: string;
  readonly name: string;
  /** The bot's permissions in this channel, in place of the guild's. */
  botPermissions?: bigint;
};

export type EmulatedGuild = {
  readonly id: string;
  readonly name: string;
  readonly locale: string;
  readonly ownerId: string;
  attachmentSizeLimitBytes: number;
  botPermissions: bigint;
  /** False once the bot has been removed. */
  botPresent: boolean;
  readonly roles: Map<string, EmulatedRole>;
  readonly channels: Map<string, EmulatedChannel>;
  readonly members: Map<string, EmulatedMember>;
};

export type GuildOptions = {
  name?: string;
  locale?: string;
  attachmentSizeLimitBytes?: number;
  botPermissions?: bigint;
};

export type UserOptions = {
  username?: string;
  globalName?: string;
  locale?: string;
  acceptsDirectMessages?: boolean;
};

export type MemberOptions = {
  /** An existing user; else a new one is made from the other options. */
  user?: EmulatedUser;
  nick?: string;
  roles?: readonly EmulatedRole[];
  /** Permissions beyond those of @everyone; granted by a role of the member's own. */
  permissions?: bigint;
} & UserOptions;

/** The guilds, channels, users and members that exist, with the bot among them. */
export class World {
  readonly bot: EmulatedUser;
  /** Whether the application has the privileged intent MESSAGE_CONTENT, without which it cannot read what others wrote. */
  botReadsMessageContent = false;
  /** Whether the application can also be installed to users' accounts. */
  isInstallableToUsers = false;
  readonly guilds = new Map<string, EmulatedGuild>();
  readonly users = new Map<string, EmulatedUser>();
  readonly #channels = new Map<string, EmulatedChannel>();
  readonly #directChannels = new Map<string, EmulatedChannel>();
  readonly #nextId: SnowflakeSource;

  constructor(nextId: SnowflakeSource, botName: string) {
    this.#nextId = nextId;
    this.bot = this.#createUser({ username: botName }, true);
  }

  /** A guild with one text channel, `general`, an owner of its own, and the bot. */
  addGuild(options: GuildOptions = {}): EmulatedGuild {
    const owner = this.addUser({ username: 'owner' });
    const id = this.#nextId();
    const everyone: EmulatedRole = { id, name: '@everyone', permissions: MEMBER_PERMISSIONS, mentionable: false };
    const guild: EmulatedGuild = {
      id,
      name: options.name ?? 'Painters',
      locale: options.locale ?? 'en-US',
      ownerId: owner.id,
      attachmentSizeLimitBytes: options.attachmentSizeLimitBytes ?? DEFAULT_ATTACHMENT_SIZE_LIMIT_BYTES,
      botPermissions: options.botPermissions ?? BOT_PERMISSIONS,
      botPresent: true,
      roles: new Map([[id, everyone]]),
      channels: new Map(),
      members: new Map(),
    };
    this.guilds.set(id, guild);
    this.addMember(guild, { user: owner });
    this.addMember(guild, { user: this.bot });
    this.addChannel(guild, { name: 'general' });
    return guild;
  }

  addChannel(guild: EmulatedGuild, options: { name?: string; botPermissions?: bigint } = {}): EmulatedChannel {
    const channel: EmulatedChannel = {
      id: this.#nextId(),
      guildId: guild.id,
      name: options.name ?? 'channel',
      ...(options.botPermissions === undefined ? {} : { botPermissions: options.botPermissions }),
    };
    guild.channels.set(channel.id, channel);
    this.#channels.set(channel.id, channel);
    return channel;
  }

  removeChannel(channel: EmulatedChannel): void {
    this.#channels.delete(channel.id);
    if (channel.guildId !== undefined) this.guilds.get(channel.guildId)?.channels.delete(channel.id);
  }

  addRole(
    guild: EmulatedGuild,
    options: { name?: string; permissions?: bigint; mentionable?: boolean } = {},
  ): EmulatedRole {
    const role: EmulatedRole = {
      id: this.#nextId(),
      name: options.name ?? 'role',
      permissions: options.permissions ?? 0n,
      mentionable: options.mentionable ?? false,
    };
    guild.roles.set(role.id, role);
    return role;
  }

  removeRole(guild: EmulatedGuild, role: EmulatedRole): void {
    guild.roles.delete(role.id);
    for (const { roleIds } of guild.members.values()) {
      const at = roleIds.indexOf(role.id);
      if (at !== -1) roleIds.splice(at, 1);
    }
  }

  addUser(options: UserOptions = {}): EmulatedUser {
    return this.#createUser(options, false);
  }

  addMember(guild: EmulatedGuild, options: MemberOptions = {}): EmulatedMember {
    const user = options.user ?? this.addUser(options);
    const roles = [...(options.roles ?? [])];
    if (options.permissions !== undefined) {
      roles.push(this.addRole(guild, { name: `${user.username}'s role`, permissions: options.permissions }));
    }
    const member: EmulatedMember = {
      guildId: guild.id,
      user,
      nick: options.nick ?? null,
      roleIds: roles.map((role) => role.id),
    };
    guild.members.set(user.id, member);
    return member;
  }

  /** A channel by id, direct-message channels included. */
  channel(id: string): EmulatedChannel | undefined {
    return this.#channels.get(id);
  }

  /** The guild by id; throws where the emulator itself would be at fault. */
  guild(id: string): EmulatedGuild {
    const guild = this.guilds.get(id);
    if (guild === undefined) throw new Error(`There is no guild ${id}.`);
    return guild;
  }

  /** The channel between the bot and a user, opened at its first use. */
  directChannel(user: EmulatedUser): EmulatedChannel {
    const open = this.#directChannels.get(user.id);
    if (open !== undefined) return open;
    const channel: EmulatedChannel = { id: this.#nextId(), recipientId: user.id, name: user.username };
    this.#directChannels.set(user.id, channel);
    this.#channels.set(channel.id, channel);
    return channel;
  }

  /** A member's permissions in the guild: everything for the owner, else those of all roles together. */
  memberPermissions(member: EmulatedMember): bigint {
    const guild = this.guild(member.guildId);
    if (guild.ownerId === member.user.id) return Object.values(PERMISSION).reduce((all, bit) => all | bit, 0n);
    const everyone = guild.roles.get(guild.id)?.permissions ?? 0n;
    return member.roleIds.reduce((all, roleId) => all | (guild.roles.get(roleId)?.permissions ?? 0n), everyone);
  }

  /** The bot's permissions in a channel; in a direct message, everything an ordinary conversation allows. */
  botPermissions(channel: EmulatedChannel): bigint {
    if (channel.guildId === undefined) return BOT_PERMISSIONS;
    const guild = this.guild(channel.guildId);
    if (!guild.botPresent) return 0n;
    return channel.botPermissions ?? guild.botPermissions;
  }

  /** How large one file may be in a channel, in bytes. */
  attachmentSizeLimitBytes(channel: EmulatedChannel): number {
    if (channel.guildId === undefined) return DEFAULT_ATTACHMENT_SIZE_LIMIT_BYTES;
    return this.guild(channel.guildId).attachmentSizeLimitBytes;
  }

  #createUser(options: UserOptions, isBot: boolean): EmulatedUser {
    const username = options.username ?? `member${this.users.size}`;
    const user: EmulatedUser = {
      id: this.#nextId(),
      username,
      globalName: options.globalName ?? username,
      isBot,
      locale: options.locale ?? 'en-US',
      acceptsDirectMessages: options.acceptsDirectMessages ?? true,
      hasInstalledBot: false,
    };
    this.users.set(user.id, user);
    return user;
  }
}
