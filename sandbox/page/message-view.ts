import { collectText } from '../discord/component-tree.ts';
import type { EmulatedAttachment, EmulatedMessage } from '../discord/message.ts';
import { hasFlag, usesComponentsV2 } from '../discord/message.ts';
import { MESSAGE_FLAG } from '../discord/message-schema.ts';
import type { EmulatedUser, World } from '../discord/world.ts';
import type { AttachmentView, MessageView } from './view.ts';
import { viewUser } from './world-view.ts';

export type MessageViewParts = {
  readonly world: World;
  /** A message by id, deleted or not. */
  readonly message: (id: string) => EmulatedMessage | undefined;
  /** The command that an interaction was, and who used it; undefined for anything else. */
  usedCommand(interactionId: string): MessageView['usedCommand'] | undefined;
  /** Makes a file available to the page, and answers where. */
  addressOf(attachment: EmulatedAttachment): string;
};

const EXCERPT_LENGTH_MAX = 120;

/** A message as one person reads it. */
export function viewMessage(parts: MessageViewParts, message: EmulatedMessage, viewer: EmulatedUser): MessageView {
  const author = parts.world.users.get(message.authorId);
  if (author === undefined) throw new Error(`Message ${message.id} has no author.`);
  const { interactionId } = message;
  return {
    id: message.id,
    author: viewUser(author),
    usedCommand: (interactionId === undefined ? undefined : parts.usedCommand(interactionId)) ?? null,
    repliesTo: viewReply(parts, message),
    content: message.content,
    embeds: message.embeds,
    components: message.components,
    attachments: message.attachments.map((attachment) => viewAttachment(parts, attachment)),
    usesComponentsV2: usesComponentsV2(message),
    isEphemeral: hasFlag(message.flags, MESSAGE_FLAG.ephemeral),
    isLoading: message.isLoading,
    mentionsViewer: message.pings.everyone || message.pings.users.includes(viewer.id),
    createdAtMs: message.createdAtMs,
    // A "thinking" that was filled in does not count as edited, and neither does anything that answers a command.
    editedAtMs: interactionId === undefined ? (message.editedAtMs ?? null) : null,
  };
}

function viewReply({ world, message }: MessageViewParts, { repliesToId }: EmulatedMessage): MessageView['repliesTo'] {
  const original = repliesToId === undefined ? undefined : message(repliesToId);
  if (original === undefined) return null;
  return {
    id: original.id,
    authorName: world.users.get(original.authorId)?.globalName ?? 'somebody',
    excerpt: collectText(original).slice(0, EXCERPT_LENGTH_MAX),
  };
}

function viewAttachment(parts: MessageViewParts, attachment: EmulatedAttachment): AttachmentView {
  const { id, channelId, filename, description, contentType, sizeBytes, width, height } = attachment;
  return {
    id,
    channelId,
    filename,
    description: description ?? null,
    contentType: contentType ?? null,
    sizeBytes,
    width: width ?? null,
    height: height ?? null,
    url: parts.addressOf(attachment),
  };
}
