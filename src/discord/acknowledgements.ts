import type { RESTPostAPIInteractionCallbackJSONBody } from 'discord.js';
import { DefaultUserAgent, RESTJSONErrorCodes, Routes } from 'discord.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import * as z from 'zod';
import { within } from '../services/time-limit.ts';

/**
 * The first answers to interactions.
 *
 * They need no token and count against no limit, so they go past the library and what that keeps account of. And they
 * go before everything else: a hundred at once were out after 120 ms while the jobs that had been acknowledged began
 * beside them, and are after 20 ms since those wait.
 */
export type Acknowledgements = {
  /**
   * Gives Discord the first answer to an interaction. It takes one for each, from whoever is first. Where it asks for a
   * moment of patience, it gets that, and the answer once more: it has surely not taken it yet.
   * @throws {AcknowledgementError} when Discord refuses it
   */
  send(interaction: Acknowledgeable, answer: RESTPostAPIInteractionCallbackJSONBody): Promise<void>;
  /** Resolves once all of them are on their way, and after a moment in any case. */
  whenSent(): Promise<void>;
};

export type Acknowledgeable = { readonly id: string; readonly token: string };

/** Discord did not take an acknowledgement. The message carries what it said. */
export class AcknowledgementError extends Error {
  override readonly name = 'AcknowledgementError';
  /**
   * Whether the request is known not to be ours: another process has it, or nobody waits any more. Of everything else,
   * Discord may have taken the acknowledgement and not said so.
   */
  readonly isFinal: boolean;
  /** How long Discord wants to be left alone first; undefined where it refused for any other reason. */
  readonly waitMs: number | undefined;

  constructor(statusCode: number, refusal: string) {
    super(`Discord answered ${statusCode}: ${refusal}`);
    const { code, retry_after: waitSeconds } = readRefusal(refusal);
    this.isFinal = FINAL_CODES.has(code);
    if (statusCode === HTTP_TOO_MANY_REQUESTS && waitSeconds !== undefined) this.waitMs = waitSeconds * 1_000;
  }
}

const FINAL_CODES: ReadonlySet<unknown> = new Set([
  RESTJSONErrorCodes.UnknownInteraction,
  RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged,
]);

const HTTP_TOO_MANY_REQUESTS = 429;
/** With a longer one, little would be left of the three seconds in which an acknowledgement is worth something. */
const RATE_LIMIT_WAIT_MS_MAX = 1_500;
/** Opening a connection to Discord takes less; nothing of a job is in such a hurry. */
const SENDING_WAIT_MS_MAX = 100;
/** Discord's own refusals have about 200 characters. */
const REFUSAL_LENGTH_MAX = 2_000;

/**
 * @param address of the interface, with its version
 * @param dispatcher says how long an answer may take
 */
export function createAcknowledgements(address: string, dispatcher: Dispatcher): Acknowledgements {
  const { origin, pathname } = new URL(address);
  const headers = { 'content-type': 'application/json', 'user-agent': DefaultUserAgent };
  let unsentCount = 0;
  let allSent = Promise.withResolvers<void>();

  function noteSent(): void {
    unsentCount -= 1;
    if (unsentCount > 0) return;
    allSent.resolve();
    allSent = Promise.withResolvers();
  }

  async function sendOnce(
    { id, token }: Acknowledgeable,
    answer: RESTPostAPIInteractionCallbackJSONBody,
  ): Promise<void> {
    unsentCount += 1;
    const path = `${pathname}${Routes.interactionCallback(id, token)}`;
    const body = JSON.stringify(answer);
    await new Promise<void>((resolve, reject) => {
      dispatcher.dispatch(
        { origin, path, method: 'POST', headers, body },
        createHandler(once(noteSent), resolve, reject),
      );
    });
  }

  return {
    async send(interaction, answer) {
      try {
        await sendOnce(interaction, answer);
      } catch (error) {
        const waitMs = error instanceof AcknowledgementError ? error.waitMs : undefined;
        if (waitMs === undefined || waitMs > RATE_LIMIT_WAIT_MS_MAX) throw error;
        await sleep(waitMs);
        await sendOnce(interaction, answer);
      }
    },
    async whenSent() {
      if (unsentCount === 0) return;
      await within(SENDING_WAIT_MS_MAX, async () => allSent.promise);
    },
  };
}

function createHandler(
  onSent: () => void,
  onTaken: () => void,
  onFailed: (error: Error) => void,
): Dispatcher.DispatchHandler {
  let statusCode = 0;
  let refusal = '';
  return {
    // The request is written right after this.
    onRequestStart: onSent,
    onResponseStart(_controller, status) {
      statusCode = status;
    },
    onResponseData(_controller, piece) {
      if (refusal.length < REFUSAL_LENGTH_MAX) refusal += piece.toString();
    },
    onResponseEnd() {
      if (statusCode >= 200 && statusCode < 300) return onTaken();
      onFailed(new AcknowledgementError(statusCode, refusal));
    },
    onResponseError(_controller, error) {
      onSent();
      onFailed(error);
    },
  };
}

const refusalSchema = z.object({
  code: z.number().optional().catch(undefined),
  /** In seconds. */
  retry_after: z.number().nonnegative().optional().catch(undefined),
});

function readRefusal(refusal: string): z.infer<typeof refusalSchema> {
  try {
    return refusalSchema.safeParse(JSON.parse(refusal)).data ?? {};
  } catch {
    return {};
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}
