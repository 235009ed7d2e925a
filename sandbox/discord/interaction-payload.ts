import { randomBytes } from 'node:crypto';
import type { IntegrationOwners } from './installations.ts';
import type { InteractionRecord, InteractionType } from './interaction.ts';
import type { EmulatedMessage } from './message.ts';
import { messageToWire } from './message-wire.ts';
import { permits, PERMISSION } from './permissions.ts';
import type { EmulatorState } from './state.ts';
import type { EmulatedChannel, EmulatedMember, EmulatedUser } from './world.ts';
import type { WireObject } from './world-wire.ts';
import { channelToWire, memberToWire, userToWire } from './world-wire.ts';

/** Who acts: a member in a guild, or a user in direct messages with the bot. */
export type Actor = EmulatedMember | EmulatedUser;

/** Where an interaction happens. */
export const INTERACTION_CONTEXT = { guild: 0, botDirectMessage: 1 } as const;

export function actorUser(actor: Actor): EmulatedUser {
  return 'user' in actor ? actor.user : actor;
}

/** The channel an actor is in, unless another is named: the guild's first, or the direct messages. */
export function resolveChannel(state: EmulatorState, actor: Actor, channel?: EmulatedChannel): EmulatedChannel {
  if (channel !== undefined) return channel;
  if (!('user' in actor)) return state.world.directChannel(actor);
  const [first] = state.world.guild(actor.guildId).channels.values();
  if (first === undefined) throw new Error(`The guild ${actor.guildId} has no channel.`);
  return first;
}

export type NewInteraction = {
  readonly type: InteractionType;
  readonly actor: Actor;
  readonly channel: EmulatedChannel;
  readonly data: WireObject;
  readonly owners: IntegrationOwners;
  /** The message that carries the component, or that opened the modal. */
  readonly sourceMessage?: EmulatedMessage | undefined;
};

/** Makes an interaction and the INTERACTION_CREATE event that tells the bot of it. */
export function createInteraction(
  state: EmulatorState,
  options: NewInteraction,
): { record: InteractionRecord; event: WireObject } {
  const { world } = state;
  const { type, actor, channel, data, sourceMessage } = options;
  const user = actorUser(actor);
  const guild = channel.guildId === undefined ? undefined : world.guild(channel.guildId);
  const record: InteractionRecord = {
    id: state.nextId(),
    token: randomBytes(96).toString('base64url'),
    type,
    createdAtMs: state.clock.now(),
    userId: user.id,
    channelId: channel.id,
    guildId: guild?.id,
    attachmentSizeLimitBytes: world.attachmentSizeLimitBytes(channel),
    integrationOwners: options.owners,
    sourceMessageId: sourceMessage?.id,
    acknowledgedAtMs: undefined,
    sourceVersionsBefore: sourceMessage?.history.length ?? 0,
    callbackType: undefined,
    originalMessageId: undefined,
    choices: undefined,
    modal: undefined,
  };
  const event: WireObject = {
    id: record.id,
    application_id: state.applicationId,
    type,
    token: record.token,
    version: 1,
    channel_id: channel.id,
    channel: channelToWire(world, channel),
    locale: user.locale,
    app_permissions: world.botPermissions(channel).toString(),
    entitlements: [],
    authorizing_integration_owners: record.integrationOwners,
    attachment_size_limit: record.attachmentSizeLimitBytes,
    data,
    ...(sourceMessage === undefined ? {} : { message: messageToWire(state, sourceMessage) }),
    ...(guild === undefined || !('user' in actor)
      ? { user: userToWire(user), context: INTERACTION_CONTEXT.botDirectMessage }
      : {
          guild_id: guild.id,
          guild: { id: guild.id, features: [], locale: guild.locale },
          guild_locale: guild.locale,
          member: memberToWire(world, actor, true),
          context: INTERACTION_CONTEXT.guild,
        }),
  };
  return { record, event };
}

/** Whether the actor can be in this channel at all; commands need the permission to use them there. */
export function mayUseCommands(state: EmulatorState, actor: Actor, channel: EmulatedChannel): boolean {
  if (!('user' in actor)) return channel.recipientId === actor.id;
  if (channel.guildId !== actor.guildId) return false;
  return permits(state.world.memberPermissions(actor), PERMISSION.useApplicationCommands);
}
