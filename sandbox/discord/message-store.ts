import type { Cdn } from './cdn.ts';
import type { Changes } from './changes.ts';
import { findShownAttachments } from './component-tree.ts';
import { computePings } from './mentions.ts';
import type { EmulatedMessage, MessageContent, MessageVersion } from './message.ts';
import { hasFlag } from './message.ts';
import { MESSAGE_FLAG } from './message-schema.ts';
import { permits, PERMISSION } from './permissions.ts';
import type { SnowflakeSource } from './snowflake.ts';
import type { World } from './world.ts';

export type MessageStoreOptions = {
  readonly world: World;
  readonly cdn: Cdn;
  readonly changes: Changes;
  readonly now: () => number;
  readonly nextId: SnowflakeSource;
};

/** What a message is born with and keeps. */
export type MessageOrigin = {
  readonly channelId: string;
  readonly authorId: string;
  readonly visibleTo: string;
  readonly interactionId?: string | undefined;
  readonly repliesToId?: string | undefined;
  readonly nonce?: string | undefined;
};

/** Every message there ever was, each with its history; a deleted one is kept and marked. */
export class MessageStore {
  readonly #options: MessageStoreOptions;
  readonly #messages = new Map<string, EmulatedMessage>();

  constructor(options: MessageStoreOptions) {
    this.#options = options;
  }

  create(origin: MessageOrigin, content: MessageContent): EmulatedMessage {
    const id = this.#options.nextId();
    const atMs = this.#options.now();
    const version = this.#version(origin, content, atMs);
    const message: EmulatedMessage = {
      ...version,
      id,
      channelId: origin.channelId,
      guildId: this.#options.world.channel(origin.channelId)?.guildId,
      authorId: origin.authorId,
      visibleTo: origin.visibleTo,
      interactionId: origin.interactionId,
      repliesToId: origin.repliesToId,
      nonce: origin.nonce,
      createdAtMs: atMs,
      editedAtMs: undefined,
      deletedAtMs: undefined,
      isLoading: hasFlag(content.flags, MESSAGE_FLAG.loading),
      shownAttachments: findShownAttachments(content),
      history: [version],
    };
    return this.#keep(message);
  }

  /** Replaces the content of a message; the state before goes into its history. */
  edit(message: EmulatedMessage, content: MessageContent): EmulatedMessage {
    const atMs = this.#options.now();
    const version = this.#version(message, content, atMs);
    return this.#keep({
      ...message,
      ...version,
      editedAtMs: atMs,
      isLoading: hasFlag(content.flags, MESSAGE_FLAG.loading),
      shownAttachments: findShownAttachments(content),
      history: [...message.history, version],
    });
  }

  delete(message: EmulatedMessage): EmulatedMessage {
    return this.#keep({ ...message, deletedAtMs: this.#options.now() });
  }

  /** A message that still exists. */
  get(id: string): EmulatedMessage | undefined {
    const message = this.#messages.get(id);
    return message?.deletedAtMs === undefined ? message : undefined;
  }

  /** A message, even a deleted one. */
  getEver(id: string): EmulatedMessage | undefined {
    return this.#messages.get(id);
  }

  /** All messages in order of creation, deleted ones included. */
  all(): EmulatedMessage[] {
    return [...this.#messages.values()];
  }

  #keep(message: EmulatedMessage): EmulatedMessage {
    for (const attachment of message.attachments) this.#options.cdn.publish(attachment);
    this.#messages.set(message.id, message);
    this.#options.changes.announce();
    return message;
  }

  #version(origin: MessageOrigin, content: MessageContent, atMs: number): MessageVersion {
    const { world } = this.#options;
    const channel = world.channel(origin.channelId);
    const roles = channel?.guildId === undefined ? undefined : world.guild(channel.guildId).roles;
    const pings = computePings(content, {
      mayMentionEveryone:
        roles !== undefined &&
        channel !== undefined &&
        permits(world.botPermissions(channel), PERMISSION.mentionEveryone),
      isMentionableRole: (roleId) => roles?.get(roleId)?.mentionable ?? false,
      repliedUserId: origin.repliesToId === undefined ? undefined : this.#messages.get(origin.repliesToId)?.authorId,
    });
    return { ...content, atMs, pings };
  }
}
