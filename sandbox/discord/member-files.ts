import type { Misbehaviour } from './cdn.ts';
import type { Actor } from './interaction-payload.ts';
import { actorUser, resolveChannel } from './interaction-payload.ts';
import type { EmulatedAttachment, EmulatedMessage } from './message.ts';
import { EMPTY_CONTENT } from './message.ts';
import type { Embed } from './message-schema.ts';
import type { EmulatorState } from './state.ts';
import type { EmulatedChannel } from './world.ts';

/** A file a member chooses to upload. */
export type UploadOptions = {
  readonly bytes: Uint8Array;
  readonly filename: string;
  /** What Discord claims the file to be; by the file name's extension when absent. */
  readonly contentType?: string;
  /** How the file server behaves when the bot comes for the file; well when absent. */
  readonly misbehaviour?: Misbehaviour;
};

/** Uploads a file for an option or a modal; Discord keeps those apart from the files of channels. */
export function uploadAttachment(state: EmulatorState, options: UploadOptions): EmulatedAttachment {
  const attachment = state.cdn.describe({
    channelId: state.applicationId,
    filename: options.filename,
    bytes: Buffer.from(options.bytes),
    contentType: options.contentType,
  });
  state.cdn.publish(attachment, options.misbehaviour);
  return attachment;
}

export type MemberMessageOptions = {
  readonly member: Actor;
  /** The guild's first channel, or the direct messages, when absent. */
  readonly channel?: EmulatedChannel;
  readonly content?: string;
  readonly attachments?: readonly EmulatedAttachment[];
  /** Previews of what a link in the message leads to. */
  readonly embeds?: readonly Embed[];
};

/** Posts a message as a member, for the message menu to be used on. */
export function postAsMember(state: EmulatorState, options: MemberMessageOptions): EmulatedMessage {
  const channel = resolveChannel(state, options.member, options.channel);
  return state.messages.create(
    { channelId: channel.id, authorId: actorUser(options.member).id, visibleTo: 'everyone' },
    {
      ...EMPTY_CONTENT,
      content: options.content ?? '',
      attachments: options.attachments ?? [],
      embeds: options.embeds ?? [],
    },
  );
}
