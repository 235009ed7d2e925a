import type { REST } from 'discord.js';
import { Routes } from 'discord.js';
import * as z from 'zod';
import type { MessagePlace } from '../services/job-conclusion.ts';
import { isRefusal } from './send-attempts.ts';

/** What Discord tells of a message that is there. */

const placeSchema = z.object({ id: z.string(), channel_id: z.string() });

/** Where the message of an answer stands; undefined where the answer is none. */
export function placeOf(message: unknown): MessagePlace | undefined {
  const { data } = placeSchema.safeParse(message);
  return data && { channelId: data.channel_id, messageId: data.id };
}

const messageSchema = placeSchema.extend({
  author: z.object({ bot: z.boolean().default(false) }),
  components: z.array(z.unknown()).default([]),
});

/** A component that shows pictures, or has such components in it, or neither. */
const componentSchema = z.object({
  items: z.array(z.object({ media: z.object({ url: z.string() }) })).default([]),
  components: z.array(z.unknown()).default([]),
});

/** As many as Discord lists at once. A reply is there within seconds, so it is among the first after its request. */
const LISTED_MESSAGES_MAX = 100;

/**
 * Looks for a result among the messages that came after its request, by the names that its files have and no others.
 * Undefined where it is not there, or Easel may not look.
 */
export async function findPostedResult(
  rest: REST,
  channelId: string,
  jobId: string,
): Promise<MessagePlace | undefined> {
  const query = new URLSearchParams({ after: jobId, limit: String(LISTED_MESSAGES_MAX) });
  const listed = await rest.get(Routes.channelMessages(channelId), { query }).catch((error: unknown) => {
    if (isRefusal(error)) return [];
    throw error;
  });
  const messages = z.array(messageSchema).safeParse(listed).data ?? [];
  const isOfJob = (url: string): boolean => fileNameOf(url).startsWith(`${jobId}-`);
  const posted = messages.find(({ author, components }) => author.bot && components.flatMap(picturesOf).some(isOfJob));
  return placeOf(posted);
}

function fileNameOf(url: string): string {
  return (URL.canParse(url) ? new URL(url).pathname.split('/').at(-1) : undefined) ?? '';
}

function picturesOf(component: unknown): string[] {
  const { data } = componentSchema.safeParse(component);
  if (!data) return [];
  return [...data.items.map(({ media }) => media.url), ...data.components.flatMap(picturesOf)];
}
