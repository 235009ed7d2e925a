import type { Cdn } from './cdn.ts';
import type { Changes } from './changes.ts';
import type { EmulatedClock } from './clock.ts';
import type { CommandRegistry } from './command-registry.ts';
import type { InteractionRecord, InteractionStore } from './interaction.ts';
import type { DraftPlace } from './message-draft.ts';
import type { EmulatedMessage, MessageContent } from './message.ts';
import { hasFlag } from './message.ts';
import { MESSAGE_FLAG } from './message-schema.ts';
import type { MessageStore } from './message-store.ts';
import type { SnowflakeSource } from './snowflake.ts';
import type { World } from './world.ts';

/** The parts that make up one emulated Discord. */
export type EmulatorParts = {
  readonly applicationId: string;
  readonly botToken: string;
  readonly clock: EmulatedClock;
  readonly nextId: SnowflakeSource;
  readonly changes: Changes;
  readonly world: World;
  readonly cdn: Cdn;
  readonly messages: MessageStore;
  readonly interactions: InteractionStore;
  readonly commands: CommandRegistry;
};

/** The parts, and the two steps every answer to an interaction shares. */
export type EmulatorState = {
  /** Where the answers to an interaction stand, and how large their files may be. */
  readonly placeOf: (record: InteractionRecord) => DraftPlace;
  /** Posts a message as an answer; its ephemeral flag decides who sees it. */
  readonly createAnswer: (record: InteractionRecord, content: MessageContent) => EmulatedMessage;
} & EmulatorParts;

/** Ephemeral answers, and all answers in direct messages, have one reader. */
function isPrivate(content: MessageContent, record: InteractionRecord): boolean {
  return hasFlag(content.flags, MESSAGE_FLAG.ephemeral) || record.guildId === undefined;
}

export function createEmulatorState(parts: EmulatorParts): EmulatorState {
  return {
    ...parts,
    placeOf: (record) => ({
      cdn: parts.cdn,
      channelId: record.channelId,
      attachmentSizeLimitBytes: record.attachmentSizeLimitBytes,
    }),
    createAnswer: (record, content) =>
      parts.messages.create(
        {
          channelId: record.channelId,
          authorId: parts.world.bot.id,
          visibleTo: isPrivate(content, record) ? record.userId : 'everyone',
          interactionId: record.id,
        },
        content,
      ),
  };
}
