import type { Actor } from '../discord/interaction-payload.ts';
import type { EmulatedMessage } from '../discord/message.ts';
import type { EmulatedChannel, EmulatedGuild, EmulatedUser, World } from '../discord/world.ts';

/** Through whose eyes, and where. */
export type Viewer = {
  readonly user: EmulatedUser;
  readonly channel: EmulatedChannel;
  /** Undefined in direct messages. */
  readonly guild: EmulatedGuild | undefined;
  /** The member, or in direct messages the user. */
  readonly actor: Actor;
};

/** The viewer by ids; undefined where there is no such person or channel, or the person is not in it. */
export function findViewer(world: World, personId: string, channelId: string): Viewer | undefined {
  const user = world.users.get(personId);
  const channel = world.channel(channelId);
  if (user === undefined || user.isBot || channel === undefined) return undefined;
  if (channel.guildId === undefined) {
    return channel.recipientId === user.id ? { user, channel, guild: undefined, actor: user } : undefined;
  }
  const guild = world.guild(channel.guildId);
  const member = guild.members.get(user.id);
  return member === undefined ? undefined : { user, channel, guild, actor: member };
}

/** Whether somebody can read a message. */
export function isVisibleTo(message: EmulatedMessage, user: EmulatedUser): boolean {
  return message.visibleTo === 'everyone' || message.visibleTo === user.id;
}
