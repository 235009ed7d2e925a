import type { APIMessage } from 'discord.js';
import { Message } from 'discord.js';
import * as z from 'zod';

/** A picture of a message. Its address is only as good as what was checked of it: it comes from outside. */
export type MessagePicture = { readonly url: string; readonly isSpoiler: boolean };

/** As many as a form can offer to choose from. */
const PICTURES_MAX = 10;
const SPOILER_NAME = /^SPOILER_/;
/** Discord's two file servers, which have every attachment under the same path. */
const ATTACHMENT_HOSTS: ReadonlySet<string> = new Set(['https://cdn.discordapp.com', 'https://media.discordapp.net']);

const mediaSchema = z.object({
  url: z.string(),
  proxy_url: z.string().nullish(),
  content_type: z.string().nullish(),
});

const shownSchema = z.object({ media: mediaSchema, spoiler: z.boolean().nullish() });

/** A component that shows pictures, has such components in it or at its side, or none of that. */
const componentSchema = z.object({
  items: z.array(shownSchema).default([]),
  accessory: z.unknown().optional(),
  components: z.array(z.unknown()).default([]),
});

const contentsSchema = z.object({
  attachments: z.array(mediaSchema.extend({ filename: z.string(), width: z.number().nullish() })).default([]),
  embeds: z.array(z.object({ image: mediaSchema.nullish(), thumbnail: mediaSchema.nullish() })).default([]),
  components: z.array(z.unknown()).default([]),
});

/** A message that was forwarded has its contents in a copy, and none of its own. */
const forwardedSchema = z.object({ message_snapshots: z.array(z.object({ message: z.unknown() })).default([]) });

type Candidate = { readonly urls: readonly (string | null | undefined)[]; readonly isSpoiler: boolean };

/**
 * The pictures of a message as Discord sends it, from top to bottom: attached, in galleries, in embeds, and in what was
 * forwarded. Discord has copies of pictures from elsewhere; whichever address of a picture is accepted is taken, and
 * where none is, it is left out.
 */
export function findPictures(message: unknown, accepts: (url: string) => boolean): readonly MessagePicture[] {
  const forwarded = forwardedSchema.safeParse(message).data?.message_snapshots ?? [];
  const contents = [message, ...forwarded.map((snapshot) => snapshot.message)];
  const pictures = contents.flatMap(listCandidates).flatMap(({ urls, isSpoiler }) => {
    const url = urls.find((candidate) => typeof candidate === 'string' && accepts(candidate));
    return typeof url === 'string' ? [{ url, isSpoiler }] : [];
  });
  const distinct = new Map<string, MessagePicture>();
  for (const picture of pictures) {
    const key = identityOf(picture);
    const before = distinct.get(key) ?? picture;
    // The same picture may be attached and shown by an embed; what is covered in one place is not shown by the other.
    distinct.set(key, { ...before, isSpoiler: before.isSpoiler || picture.isSpoiler });
  }
  return [...distinct.values()].slice(0, PICTURES_MAX);
}

/** A message that came with an interaction, as Discord sent it. */
export function contentsOf(message: Message | APIMessage): unknown {
  if (!(message instanceof Message)) return message;
  const forwarded = [...message.messageSnapshots.values()];
  return {
    ...asReceived(message),
    message_snapshots: forwarded.map((snapshot) => ({ message: asReceived(snapshot) })),
  };
}

function asReceived({ attachments, embeds, components }: Pick<Message, 'attachments' | 'embeds' | 'components'>) {
  return {
    attachments: [...attachments.values()].map(({ name, url, proxyURL, contentType, width }) => ({
      filename: name,
      url,
      proxy_url: proxyURL,
      content_type: contentType,
      width,
    })),
    embeds: embeds.map((embed) => embed.toJSON()),
    components: components.map((component) => component.toJSON()),
  };
}

function listCandidates(contents: unknown): Candidate[] {
  const { data } = contentsSchema.safeParse(contents);
  if (!data) return [];
  const { attachments, embeds, components } = data;
  const attached = attachments
    .filter(({ content_type: type, width }) => type?.startsWith('image/') ?? typeof width === 'number')
    .map(({ url, proxy_url: copy, filename }) => ({ urls: [url, copy], isSpoiler: SPOILER_NAME.test(filename) }));
  const embedded = embeds
    .flatMap(({ image, thumbnail }) => [image, thumbnail])
    .map((picture) => ({ urls: [picture?.proxy_url, picture?.url], isSpoiler: false }));
  return [...attached, ...components.flatMap(listShown), ...embedded];
}

function listShown(component: unknown): Candidate[] {
  const { data } = componentSchema.safeParse(component);
  if (!data) return [];
  const thumbnail = shownSchema.safeParse(data.accessory).data;
  const shown = [...data.items, ...(thumbnail ? [thumbnail] : [])]
    .filter(({ media }) => media.content_type?.startsWith('image/') ?? true)
    .map(({ media, spoiler }) => ({ urls: [media.url, media.proxy_url], isSpoiler: spoiler ?? false }));
  return [...shown, ...data.components.flatMap(listShown)];
}

/**
 * What tells one picture from another. The signature may differ from one mention of the same picture to the next, and
 * Discord shows an attachment under either of its hosts.
 */
function identityOf({ url }: MessagePicture): string {
  const { origin, pathname } = new URL(url);
  return ATTACHMENT_HOSTS.has(origin) ? pathname : `${origin}${pathname}`;
}
