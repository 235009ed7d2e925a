import type { REST } from 'discord.js';
import { MessageFlags, Routes } from 'discord.js';
import type { Upload } from './multipart.ts';
import { createMultipart } from './multipart.ts';
import type { MessagePayload } from './message-payload.ts';
import { isMessageGone } from './send-attempts.ts';

/** What becomes of messages, one attempt each. Whoever wants more than one has `sendUntilSettled`. */

/** The reply to a command, as long as the command's token lives. */
export type ReplyTarget = { readonly applicationId: string; readonly token: string };

export async function readOriginal(rest: REST, target: ReplyTarget): Promise<unknown> {
  return rest.get(originalRoute(target), { auth: false });
}

/** Puts a message in the place of the reply. Answers the message as Discord took it. */
export async function editOriginal(
  rest: REST,
  target: ReplyTarget,
  payload: MessagePayload,
  uploads: readonly Upload[] = [],
  signal?: AbortSignal,
): Promise<unknown> {
  const request = { ...bodyOf(payload, uploads), auth: false, ...(signal ? { signal } : {}) };
  return rest.patch(originalRoute(target), request);
}

/** Removes the reply, which is done as well where it is not there any more. */
export async function deleteOriginal(rest: REST, target: ReplyTarget): Promise<void> {
  try {
    await rest.delete(originalRoute(target), { auth: false });
  } catch (error) {
    if (!isMessageGone(error)) throw error;
  }
}

/** Posts a message of its own that only whoever acted sees, below the reply. Answers the message. */
export async function postEphemeral(
  rest: REST,
  { applicationId, token }: ReplyTarget,
  payload: MessagePayload,
  uploads: readonly Upload[] = [],
): Promise<unknown> {
  const body = { ...payload, flags: payload.flags | MessageFlags.Ephemeral };
  return rest.post(Routes.webhook(applicationId, token), { ...bodyOf(body, uploads), auth: false });
}

/** Says something else in the place of such a message. */
export async function editEphemeral(
  rest: REST,
  { applicationId, token }: ReplyTarget,
  id: string,
  payload: MessagePayload,
): Promise<unknown> {
  return rest.patch(Routes.webhookMessage(applicationId, token, id), { body: payload, auth: false });
}

/**
 * Posts a message into a channel. Answers the message.
 * @param nonce by it Discord knows a second copy, of which it makes none; so it can be sent again when nobody knows what
 * became of it
 */
export async function postOnce(
  rest: REST,
  channelId: string,
  nonce: string,
  payload: MessagePayload,
  uploads: readonly Upload[] = [],
): Promise<unknown> {
  const message = { ...payload, nonce, enforce_nonce: true };
  return rest.post(Routes.channelMessages(channelId), bodyOf(message, uploads));
}

/** The library would write the sign before the name as %40, which Discord's own documents do not, nor servers like it. */
function originalRoute({ applicationId, token }: ReplyTarget): `/${string}` {
  return `${Routes.webhook(applicationId, token)}/messages/@original`;
}

/** A message as a request body: JSON, or multipart where it has files. */
function bodyOf(payload: object, uploads: readonly Upload[]) {
  if (uploads.length === 0) return { body: payload };
  const { headers, body } = createMultipart(payload, uploads);
  return { body, headers: { ...headers }, passThroughBody: true };
}
