import type { REST } from 'discord.js';
import type { Logger } from 'pino';
import * as z from 'zod';
import { createLateAnswers } from './late-answers.ts';
import type { ReplyTarget } from './message-requests.ts';
import { deleteOriginal, editEphemeral, editOriginal, postEphemeral, readOriginal } from './message-requests.ts';
import type { Upload } from './multipart.ts';
import type { MessagePayload } from './message-payload.ts';
import type { SendResult } from './send-attempts.ts';
import { sendUntilSettled } from './send-attempts.ts';
import { idOf } from './sent-message.ts';

/** Edits deferred replies that cost nothing: answers to questions, and news of a job. Its promises never reject. */
export type ReplyEditor = {
  /**
   * Says the last word in a reply: nothing else will be said there, by anybody. So where Discord does not take it, it is
   * tried again for as long as the reply can be edited, or until the process is asked to stop.
   * @param instead is said where Discord finds the files too large
   */
  answer(
    target: ReplyTarget,
    payload: MessagePayload,
    uploads?: readonly Upload[],
    instead?: MessagePayload,
  ): Promise<void>;
  /**
   * Says something that a job may put its result in the place of, and that must not come minutes later, behind that.
   * @param mayRepeat is asked before each further attempt, because Discord may have taken the one before without saying
   * so, and somebody may have acted on it; left out where nobody can
   */
  edit(target: ReplyTarget, payload: MessagePayload, mayRepeat?: () => Promise<boolean>): Promise<void>;
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
  tellEphemerally(target: ReplyTarget, payload: MessagePayload): Promise<void>;
  /** The same with a message that will not hold for long: its id, or undefined where it was not taken. */
  tellEphemerallyForNow(target: ReplyTarget, payload: MessagePayload): Promise<string | undefined>;
  /** Says something else in the place of such a message. */
  editEphemeral(target: ReplyTarget, id: string, payload: MessagePayload): Promise<void>;
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
  /** Ends what would otherwise be tried again for minutes. */
  stopping: AbortSignal;
  now: () => number;
  log: Logger;
}): ReplyEditor {
  const { rest, newsRest, sleep, stopping, now, log } = parts;
  const attempts = { sleep, onFailure: (error: unknown) => log.warn({ err: error }, 'a reply was not taken') };
  const lateAnswers = createLateAnswers({ ...attempts, stopping, now });

  async function settle(send: () => Promise<unknown>): Promise<boolean> {
    return report(await sendUntilSettled(send, attempts));
  }

  function report(result: SendResult): boolean {
    if (result !== 'sent') log.error({ result }, 'reply given up');
    return result === 'sent';
  }

  return {
    async answer(target, payload, uploads = [], instead) {
      const say = async (message: MessagePayload, files: readonly Upload[]): Promise<SendResult> =>
        lateAnswers.settle(async (signal) => editOriginal(rest, target, message, files, signal));
      const result = await say(payload, uploads);
      report(result === 'too-large' && instead ? await say(instead, []) : result);
    },
    async edit(target, payload, mayRepeat = async () => true) {
      let isFirst = true;
      await settle(async () => {
        if (!isFirst && !(await mayRepeat())) return;
        isFirst = false;
        await editOriginal(rest, target, payload);
      });
    },
    tryEdit: async (target, payload, uploads, signal) =>
      sendUntilSettled(async () => editOriginal(newsRest, target, payload, uploads, signal), {
        ...attempts,
        attemptsMax: 1,
      }),
    async tellEphemerally(target, payload) {
      await settle(async () => postEphemeral(rest, target, payload));
    },
    async tellEphemerallyForNow(target, payload) {
      let sent: unknown;
      await settle(async () => {
        sent = await postEphemeral(rest, target, payload);
      });
      return idOf(sent);
    },
    async editEphemeral(target, id, payload) {
      await settle(async () => editEphemeral(rest, target, id, payload));
    },
    async fillEmpty(target, payload) {
      await sleep(FILLING_WAIT_MS);
      try {
        // Whether it is empty cannot always be found out; where nothing is there, the edit is refused.
        const shown = await readOriginal(rest, target).catch(() => undefined);
        if (!saysSomething(shown)) await editOriginal(rest, target, payload);
      } catch (error) {
        log.info({ err: error }, 'nothing was there that could be answered');
      }
    },
    remove: async (target) => settle(async () => deleteOriginal(rest, target)),
  };
}

const somethingSchema = z.union([
  z.object({ content: z.string().min(1) }),
  z.object({ components: z.array(z.unknown()).min(1) }),
]);

function saysSomething(message: unknown): boolean {
  return somethingSchema.safeParse(message).success;
}
