import type { REST } from 'discord.js';
import { Routes } from 'discord.js';
import type { Logger } from 'pino';
import type { Upload } from './multipart.ts';
import { createMultipart } from './multipart.ts';
import type { MessagePayload } from './result-message.ts';
import { sendUntilSettled } from './send-attempts.ts';

/** The reply to a command, as long as the command's token lives. */
export type ReplyTarget = { readonly applicationId: string; readonly token: string };

/** Edits deferred replies that cost nothing: answers to questions, and news of a job. Its promise never rejects. */
export type ReplyEditor = {
  edit(target: ReplyTarget, payload: MessagePayload, uploads?: readonly Upload[]): Promise<void>;
};

export function createReplyEditor(parts: {
  rest: REST;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): ReplyEditor {
  const { rest, sleep, log } = parts;
  return {
    async edit(target, payload, uploads = []) {
      const result = await sendUntilSettled(async () => editOriginal(rest, target, payload, uploads), {
        sleep,
        onFailure: (error) => log.warn({ err: error }, 'reply could not be edited'),
      });
      if (result !== 'sent') log.error({ result }, 'reply given up');
    },
  };
}

/** One attempt to put a message in the place of the deferred reply. */
export async function editOriginal(
  rest: REST,
  target: ReplyTarget,
  payload: object,
  uploads: readonly Upload[],
): Promise<void> {
  const route = Routes.webhookMessage(target.applicationId, target.token, '@original');
  await rest.patch(route, { ...bodyOf(payload, uploads), auth: false });
}

/** A message as a request body: JSON, or multipart where it has files. */
export function bodyOf(payload: object, uploads: readonly Upload[]) {
  if (uploads.length === 0) return { body: payload };
  const { headers, body } = createMultipart(payload, uploads);
  return { body, headers: { ...headers }, passThroughBody: true };
}
