import type { REST } from 'discord.js';
import { MessageFlags, Routes } from 'discord.js';
import type { Logger } from 'pino';
import * as z from 'zod';
import type { Upload } from './multipart.ts';
import { createMultipart } from './multipart.ts';
import type { MessagePayload } from './result-message.ts';
import type { SendResult } from './send-attempts.ts';
import { isMessageGone, sendUntilSettled } from './send-attempts.ts';

/** The reply to a command, as long as the command's token lives. */
export type ReplyTarget = { readonly applicationId: string; readonly token: string };

/** Edits deferred replies that cost nothing: answers to questions, and news of a job. Its promises never reject. */
export type ReplyEditor = {
  /** @param instead is said where Discord finds the files too large */
  edit(
    target: ReplyTarget,
    payload: MessagePayload,
    uploads?: readonly Upload[],
    instead?: MessagePayload,
  ): Promise<void>;
  /**
   * Makes one attempt, beside everything else that is done with the reply. An abort cuts it off wherever it stands; it
   * may be carried out all the same.
   */
  tryEdit(
    target: ReplyTarget,
    payload: MessagePayload,
    uploads: readonly Upload[],
    signal: AbortSignal,
  ): Promise<SendResult>;
  /** A message of its own that only whoever acted sees, where the reply is the message that a button is under. */
  tellAlone(target: ReplyTarget, payload: MessagePayload): Promise<void>;
  /** The same with a message that will not hold for long: its id, or undefined where it was not taken. */
  tellAloneForNow(target: ReplyTarget, payload: MessagePayload): Promise<string | undefined>;
  /** Says something else in the place of such a message. */
  changeAlone(target: ReplyTarget, id: string, payload: MessagePayload): Promise<void>;
  /**
   * Ends a "thinking" that may be there after all, in one attempt. Another process may have the same request, so what
   * already says something is left as it is.
   */
  fillEmpty(target: ReplyTarget, payload: MessagePayload): Promise<void>;
  /** Removes the reply, or the message that a button is under. Whether it is gone then, by whomever. */
  remove(target: ReplyTarget): Promise<boolean>;
};

/** What Discord is still at work on is there after this, and what another process answers at once says something. */
const FILLING_WAIT_MS = 1_500;

export function createReplyEditor(parts: {
  rest: REST;
  /** The way of what nothing else must have to wait for. */
  newsRest: REST;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): ReplyEditor {
  const { rest, newsRest, sleep, log } = parts;

  const attempts = { sleep, onFailure: (error: unknown) => log.warn({ err: error }, 'a reply was not taken') };

  async function settle(send: () => Promise<unknown>): Promise<boolean> {
    return report(await sendUntilSettled(send, attempts));
  }

  function report(result: SendResult): boolean {
    if (result !== 'sent') log.error({ result }, 'reply given up');
    return result === 'sent';
  }

  return {
    async edit(target, payload, uploads = [], instead) {
      const result = await sendUntilSettled(async () => editOriginal(rest, target, payload, uploads), attempts);
      if (result !== 'too-large' || !instead) report(result);
      else await settle(async () => editOriginal(rest, target, instead, []));
    },
    tryEdit: async (target, payload, uploads, signal) =>
      sendUntilSettled(async () => editOriginal(newsRest, target, payload, uploads, signal), {
        ...attempts,
        attemptsMax: 1,
      }),
    async tellAlone(target, payload) {
      await settle(async () => postAlone(rest, target, payload));
    },
    async tellAloneForNow(target, payload) {
      let sent: unknown;
      await settle(async () => {
        sent = await postAlone(rest, target, payload);
      });
      return sentSchema.safeParse(sent).data?.id;
    },
    async changeAlone({ applicationId, token }, id, payload) {
      await settle(async () =>
        rest.patch(Routes.webhookMessage(applicationId, token, id), { body: payload, auth: false }),
      );
    },
    async fillEmpty(target, payload) {
      await sleep(FILLING_WAIT_MS);
      try {
        // Whether it is empty cannot always be found out; where nothing is there, the edit is refused.
        const shown = await rest.get(originalRoute(target), { auth: false }).catch(() => undefined);
        if (!saysSomething(shown)) await editOriginal(rest, target, payload, []);
      } catch (error) {
        log.info({ err: error }, 'nothing was there that could be answered');
      }
    },
    remove: async (target) => settle(async () => deleteOriginal(rest, target)),
  };
}

const sentSchema = z.object({ id: z.string() });

async function postAlone(rest: REST, { applicationId, token }: ReplyTarget, payload: MessagePayload): Promise<unknown> {
  const body = { ...payload, flags: payload.flags | MessageFlags.Ephemeral };
  return rest.post(Routes.webhook(applicationId, token), { body, auth: false });
}

/** One attempt to put a message in the place of the deferred reply. Answers the message as Discord took it. */
export async function editOriginal(
  rest: REST,
  target: ReplyTarget,
  payload: object,
  uploads: readonly Upload[],
  signal?: AbortSignal,
): Promise<unknown> {
  const request = { ...bodyOf(payload, uploads), auth: false, ...(signal ? { signal } : {}) };
  return rest.patch(originalRoute(target), request);
}

/** One attempt to remove the reply, which is done as well where it is not there any more. */
export async function deleteOriginal(rest: REST, target: ReplyTarget): Promise<void> {
  try {
    await rest.delete(originalRoute(target), { auth: false });
  } catch (error) {
    if (!isMessageGone(error)) throw error;
  }
}

const somethingSchema = z.union([
  z.object({ content: z.string().min(1) }),
  z.object({ components: z.array(z.unknown()).min(1) }),
]);

function saysSomething(message: unknown): boolean {
  return somethingSchema.safeParse(message).success;
}

/** The library would write the sign before the name as %40, which Discord's own documents do not, nor servers like it. */
function originalRoute({ applicationId, token }: ReplyTarget): `/${string}` {
  return `${Routes.webhook(applicationId, token)}/messages/@original`;
}

/** A message as a request body: JSON, or multipart where it has files. */
export function bodyOf(payload: object, uploads: readonly Upload[]) {
  if (uploads.length === 0) return { body: payload };
  const { headers, body } = createMultipart(payload, uploads);
  return { body, headers: { ...headers }, passThroughBody: true };
}
