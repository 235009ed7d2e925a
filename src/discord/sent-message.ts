import type { REST } from 'discord.js';
import { Routes } from 'discord.js';
import * as z from 'zod';
import type { MessagePlace } from '../services/job-conclusion.ts';
import type { DiscordAddress } from './reply-address.ts';
import { isRefusal } from './send-attempts.ts';

/** What Discord tells of what is there. */

const placeSchema = z.object({ id: z.string(), channel_id: z.string() });

const idSchema = z.object({ id: z.string() });

/** The id of what was made; undefined where the answer has none. */
export function idOf(answer: unknown): string | undefined {
  return idSchema.safeParse(answer).data?.id;
}

/** Where the message of an answer stands; undefined where the answer is none. */
export function placeOf(message: unknown): MessagePlace | undefined {
  const { data } = placeSchema.safeParse(message);
  return data && { channelId: data.channel_id, messageId: data.id };
}

const messageSchema = placeSchema.extend({
  author: z.object({ id: z.string().optional().catch(undefined), bot: z.boolean().default(false) }),
  application_id: z.string().nullish().catch(undefined),
  attachments: z.array(z.object({ filename: z.string() })).catch([]),
  components: z.array(z.unknown()).default([]),
});

type SentMessage = z.infer<typeof messageSchema>;

/** Replies say whose application they are of; what it posts to a channel is by its user, who mostly has the same id. */
function isOwn({ author, application_id }: SentMessage, applicationId: string): boolean {
  return author.id === applicationId || application_id === applicationId;
}

/** A component that shows pictures, or has such components in it, or neither. */
const componentSchema = z.object({
  items: z.array(z.object({ media: z.object({ url: z.string() }) })).default([]),
  components: z.array(z.unknown()).default([]),
});

/** As many as Discord lists at once. A reply is there within seconds, so it is among the first after its request. */
const LISTED_MESSAGES_MAX = 100;

/**
 * Looks for a result in the reply, where that was there before its request, and among the messages that came after the
 * request, by the names that its files have and no others. Undefined where it is not there, or Easel may not look.
 */
export async function findPostedResult(
  rest: REST,
  { applicationId, channelId, replyId }: Pick<DiscordAddress, 'applicationId' | 'channelId' | 'replyId'>,
  jobId: string,
): Promise<MessagePlace | undefined> {
  const isPosted = (message: SentMessage): boolean => {
    const { author, attachments, components } = message;
    const shown = components.flatMap(picturesOf).map(fileNameOf);
    // Other bots attach copies of what they were shown. Those of a deleted result must not pass for it.
    const attached = isOwn(message, applicationId) ? attachments.map(({ filename }) => filename) : [];
    return author.bot && [...shown, ...attached].some((fileName) => fileName.startsWith(`${jobId}-`));
  };
  if (replyId !== undefined) {
    const { data: reply } = messageSchema.safeParse(await look(rest, Routes.channelMessage(channelId, replyId)));
    if (reply && isPosted(reply)) return placeOf(reply);
  }
  const query = new URLSearchParams({ after: jobId, limit: String(LISTED_MESSAGES_MAX) });
  const listed = await look(rest, Routes.channelMessages(channelId), query);
  const messages = z.array(messageSchema).safeParse(listed).data ?? [];
  return placeOf(messages.find(isPosted));
}

/** Undefined where there is nothing, or Easel may not look. */
async function look(rest: REST, route: `/${string}`, query = new URLSearchParams()): Promise<unknown> {
  try {
    return await rest.get(route, { query });
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

const ATTACHMENT_SCHEME = 'attachment://';

/** The last part of an address, or the name by which a message names a file of its own. */
function fileNameOf(url: string): string {
  if (url.startsWith(ATTACHMENT_SCHEME)) return url.slice(ATTACHMENT_SCHEME.length);
  return (URL.canParse(url) ? new URL(url).pathname.split('/').at(-1) : undefined) ?? '';
}

function picturesOf(component: unknown): string[] {
  const { data } = componentSchema.safeParse(component);
  if (!data) return [];
  return [...data.items.map(({ media }) => media.url), ...data.components.flatMap(picturesOf)];
}
