import type { MessageComponent } from './component-schema.ts';
import type { AllowedMentions, Embed } from './message-schema.ts';
import { MESSAGE_FLAG } from './message-schema.ts';

/** A file that hangs on a message, with its bytes. */
export type EmulatedAttachment = {
  readonly id: string;
  /** The folder of its address on the CDN. */
  readonly channelId: string;
  readonly filename: string;
  readonly description: string | undefined;
  /** By the file name's extension, as on Discord; it may lie about the bytes. */
  readonly contentType: string | undefined;
  readonly sizeBytes: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly bytes: Buffer;
};

/** Whom a message notifies; ids, except `everyone`, which stands for @everyone and @here. */
export type Pings = {
  readonly users: readonly string[];
  readonly roles: readonly string[];
  readonly everyone: boolean;
};

/** What an edit can change. */
export type MessageContent = {
  readonly content: string;
  readonly embeds: readonly Embed[];
  readonly components: readonly MessageComponent[];
  readonly attachments: readonly EmulatedAttachment[];
  readonly flags: number;
  readonly hasPoll: boolean;
  readonly allowedMentions: AllowedMentions | undefined;
};

/** One state of a message and when it began, in milliseconds since the Unix epoch. */
export type MessageVersion = {
  readonly atMs: number;
  readonly pings: Pings;
} & MessageContent;

/** A message as it stands at one moment; read it again from the emulator to see later edits. */
export type EmulatedMessage = {
  readonly id: string;
  readonly channelId: string;
  readonly guildId: string | undefined;
  readonly authorId: string;
  /** `everyone` in the channel, or the id of the only user who can read it. */
  readonly visibleTo: string;
  /** The interaction that the bot answers with it. */
  readonly interactionId: string | undefined;
  readonly repliesToId: string | undefined;
  readonly nonce: string | undefined;
  readonly createdAtMs: number;
  readonly editedAtMs: number | undefined;
  readonly deletedAtMs: number | undefined;
  /** "The bot is thinking": deferred, and not yet filled. */
  readonly isLoading: boolean;
  /** Attachments a member really sees: all of them, but with Components V2 only those that a component shows. */
  readonly shownAttachments: readonly EmulatedAttachment[];
  /** Every state it has had, the oldest first, the present one last. */
  readonly history: readonly MessageVersion[];
} & MessageVersion;

export const EMPTY_CONTENT: MessageContent = {
  content: '',
  embeds: [],
  components: [],
  attachments: [],
  flags: 0,
  hasPoll: false,
  allowedMentions: undefined,
};

export function hasFlag(flags: number, flag: number): boolean {
  return (flags & flag) !== 0;
}

/** Whether the message is built of Components V2. */
export function usesComponentsV2(message: MessageContent): boolean {
  return hasFlag(message.flags, MESSAGE_FLAG.componentsV2);
}
