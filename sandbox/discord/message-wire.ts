import type { Cdn } from './cdn.ts';
import type { AnyComponent } from './component-schema.ts';
import { COMPONENT } from './component-schema.ts';
import { findEmbeddedAttachments, findReferencedAttachment } from './component-tree.ts';
import type { EmulatedAttachment, EmulatedMessage } from './message.ts';
import { usesComponentsV2 } from './message.ts';
import type { InteractionStore } from './interaction.ts';
import type { Embed } from './message-schema.ts';
import type { World } from './world.ts';
import type { WireObject } from './world-wire.ts';
import { userToWire } from './world-wire.ts';

/** Kinds of message: an ordinary one, a reply, and the answer to a command. */
const MESSAGE_TYPE = { default: 0, reply: 19, chatInputCommand: 20 } as const;

export type MessageWireContext = {
  readonly world: World;
  readonly cdn: Cdn;
  readonly interactions: Pick<InteractionStore, 'get'>;
  readonly applicationId: string;
};

/** A message as REST and gateway show it to the bot: addresses signed afresh, media resolved, component ids filled in. */
export function messageToWire(context: MessageWireContext, message: EmulatedMessage): WireObject {
  const { world, cdn, applicationId } = context;
  const author = world.users.get(message.authorId);
  if (author === undefined) throw new Error(`Message ${message.id} has no author.`);
  const isWebhook = message.interactionId !== undefined;
  return {
    id: message.id,
    type: isWebhook
      ? MESSAGE_TYPE.chatInputCommand
      : message.repliesToId === undefined
        ? MESSAGE_TYPE.default
        : MESSAGE_TYPE.reply,
    channel_id: message.channelId,
    author: userToWire(author),
    content: message.content,
    timestamp: new Date(message.createdAtMs).toISOString(),
    edited_timestamp: message.editedAtMs === undefined ? null : new Date(message.editedAtMs).toISOString(),
    tts: false,
    mention_everyone: message.pings.everyone,
    mentions: message.pings.users.flatMap((id) => {
      const user = world.users.get(id);
      return user === undefined ? [] : [userToWire(user)];
    }),
    mention_roles: message.pings.roles,
    attachments: listedAttachments(message).map((attachment) => cdn.toWire(attachment)),
    embeds: message.embeds.map((embed) => embedToWire(context, message, embed)),
    components: componentsToWire(context, message),
    pinned: false,
    flags: message.flags,
    ...(message.nonce === undefined ? {} : { nonce: message.nonce }),
    ...(isWebhook ? { webhook_id: applicationId, application_id: applicationId } : {}),
    ...describeInteraction(context, message),
    ...(message.repliesToId === undefined
      ? {}
      : { message_reference: { type: 0, channel_id: message.channelId, message_id: message.repliesToId } }),
  };
}

/**
 * A message as the bot's token may read it. Without the privileged intent MESSAGE_CONTENT, what other people wrote
 * and attached in servers is empty, unless the bot is mentioned in it.
 */
export function readableMessageToWire(context: MessageWireContext, message: EmulatedMessage): WireObject {
  const { world } = context;
  const mayRead =
    world.botReadsMessageContent ||
    message.guildId === undefined ||
    message.authorId === world.bot.id ||
    message.pings.users.includes(world.bot.id);
  const wire = messageToWire(context, message);
  return mayRead ? wire : { ...wire, content: '', embeds: [], attachments: [], components: [] };
}

/** Who used the command, button or form that the message answers. */
function describeInteraction({ interactions, world }: MessageWireContext, message: EmulatedMessage): WireObject {
  const record = message.interactionId === undefined ? undefined : interactions.get(message.interactionId);
  const user = record && world.users.get(record.userId);
  if (record === undefined || user === undefined) return {};
  return {
    interaction_metadata: {
      id: record.id,
      type: record.type,
      user: userToWire(user),
      authorizing_integration_owners: { '0': record.guildId ?? '0' },
    },
  };
}

/** Files that components or embeds show are left out of the list, as Discord does on purpose: they are found where they show. */
function listedAttachments(message: EmulatedMessage): readonly EmulatedAttachment[] {
  if (usesComponentsV2(message)) return [];
  const embedded = findEmbeddedAttachments(message);
  return message.attachments.filter((attachment) => !embedded.has(attachment));
}

/** What Discord makes of an address: for a file of the message, its signed address and what is known of it. */
function resolveMedia(context: MessageWireContext, message: EmulatedMessage, url: string): WireObject {
  const attachment = findReferencedAttachment(url, message.attachments);
  if (attachment === undefined) return { url, proxy_url: url };
  const signedUrl = context.cdn.signedUrl(attachment);
  return {
    url: signedUrl,
    proxy_url: signedUrl,
    width: attachment.width ?? null,
    height: attachment.height ?? null,
    content_type: attachment.contentType,
    attachment_id: attachment.id,
  };
}

function embedToWire(context: MessageWireContext, message: EmulatedMessage, embed: Embed): WireObject {
  const resolve = (url: string): WireObject => resolveMedia(context, message, url);
  return {
    ...embed,
    type: embed.type ?? 'rich',
    ...(embed.image ? { image: resolve(embed.image.url) } : {}),
    ...(embed.thumbnail ? { thumbnail: resolve(embed.thumbnail.url) } : {}),
  };
}

/** Components with every `id` filled in, counted from the top, and every medium resolved. */
function componentsToWire(context: MessageWireContext, message: EmulatedMessage): WireObject[] {
  let lastId = 0;
  const resolve = (media: { url: string }): WireObject => resolveMedia(context, message, media.url);
  const convert = (component: AnyComponent): WireObject => {
    lastId += 1;
    const base = { ...component, id: component.id ?? lastId };
    switch (component.type) {
      case COMPONENT.actionRow:
      case COMPONENT.container:
        return { ...base, components: convertAll(component.components) };
      case COMPONENT.section:
        return { ...base, components: convertAll(component.components), accessory: convert(component.accessory) };
      case COMPONENT.mediaGallery:
        return { ...base, items: component.items.map((item) => ({ ...item, media: resolve(item.media) })) };
      case COMPONENT.thumbnail:
        return { ...base, media: resolve(component.media) };
      case COMPONENT.file: {
        const attachment = findReferencedAttachment(component.file.url, message.attachments);
        return { ...base, file: resolve(component.file), name: attachment?.filename, size: attachment?.sizeBytes };
      }
      default:
        return base;
    }
  };
  const convertAll = (components: readonly AnyComponent[]): WireObject[] =>
    components.map((component) => convert(component));
  return convertAll(message.components);
}
