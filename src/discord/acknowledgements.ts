import type { RESTPostAPIInteractionCallbackJSONBody } from 'discord.js';
import { DefaultUserAgent, RESTJSONErrorCodes, Routes } from 'discord.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import * as z from 'zod';
import { timeOfSnowflake } from '../billing/period.ts';
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
   * moment of patience, it gets that, and the answer once more: it has surely not taken it yet. Where it fails by
   * itself, or the connection does, it gets the answer once more as long as that can be in time: whether it has taken
   * it, it then says.
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
   * Discord may have taken the acknowledgement and not said so. After a failure of which that is true, "already
   * acknowledged" may as well mean our own first attempt as another process.
   */
  readonly isFinal: boolean;
  /** Whether it is known that another process has the request. */
  readonly isAnothers: boolean;
  /** How long Discord wants to be left alone first; undefined where it refused for any other reason. */
  readonly waitMs: number | undefined;
  /** Whether Discord failed by itself, so that the same may succeed a moment later. */
  readonly isServerError: boolean;

  /** @param options with the failure before it as its cause, if Discord may have taken that attempt */
  constructor(statusCode: number, refusal: string, options: ErrorOptions = {}) {
    super(`Discord answered ${statusCode}: ${refusal}`, options);
    const { code, retry_after: waitSeconds } = readRefusal(refusal);
    this.isAnothers = code === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged && this.cause === undefined;
    this.isFinal = this.isAnothers || code === RESTJSONErrorCodes.UnknownInteraction;
    this.isServerError = statusCode >= HTTP_SERVER_ERROR_MIN;
    if (statusCode === HTTP_TOO_MANY_REQUESTS && waitSeconds !== undefined) this.waitMs = waitSeconds * 1_000;
  }
}

const HTTP_TOO_MANY_REQUESTS = 429;
const HTTP_SERVER_ERROR_MIN = 500;
/** With a longer one, little would be left of the three seconds in which an acknowledgement is worth something. */
const RATE_LIMIT_WAIT_MS_MAX = 1_500;
/** A server that failed a moment ago fails again at once, and what stands in front of several then asks another one. */
const SERVER_ERROR_PAUSE_MS = 250;
/**
 * Discord takes the first answer for three seconds. What is sent again by now has time for a new connection and the
 * way; an attempt that was not answered at all ends later, and is not made again.
 */
const REPETITION_AGE_MS_MAX = 2_400;
/** Opening a connection to Discord takes less; nothing of a job is in such a hurry. */
const SENDING_WAIT_MS_MAX = 100;
/** Discord's own refusals have about 200 characters. */
const REFUSAL_LENGTH_MAX = 2_000;

/**
 * @param address of the interface, with its version
 * @param dispatcher says how long an answer may take
 * @param now in milliseconds since the epoch: whether what failed can still be in time, counted from the interaction
 */
export function createAcknowledgements(address: string, dispatcher: Dispatcher, now: () => number): Acknowledgements {
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
    failureBefore: ErrorOptions = {},
  ): Promise<void> {
    unsentCount += 1;
    const path = `${pathname}${Routes.interactionCallback(id, token)}`;
    const body = JSON.stringify(answer);
    await new Promise<void>((resolve, reject) => {
      dispatcher.dispatch(
        { origin, path, method: 'POST', headers, body },
        createHandler(once(noteSent), resolve, reject, failureBefore),
      );
    });
  }

  return {
    async send(interaction, answer) {
      try {
        await sendOnce(interaction, answer);
      } catch (error) {
        const pauseMs = pauseBeforeRepetition(error, now() - timeOfSnowflake(interaction.id));
        if (pauseMs === undefined) throw error;
        if (pauseMs > 0) await sleep(pauseMs);
        await sendOnce(interaction, answer, isRefusal(error) ? {} : { cause: error });
      }
    },
    async whenSent() {
      if (unsentCount === 0) return;
      await within(SENDING_WAIT_MS_MAX, async () => allSent.promise);
    },
  };
}

/** Whether Discord has surely not taken it. Where it fails by itself, or the connection does, nobody knows. */
function isRefusal(failure: unknown): failure is AcknowledgementError {
  return failure instanceof AcknowledgementError && !failure.isServerError;
}

/** Undefined where it is not to be sent again: Discord does not want it, or would get it too late. */
function pauseBeforeRepetition(failure: unknown, ageMs: number): number | undefined {
  if (isRefusal(failure)) {
    const { waitMs = Infinity } = failure;
    return waitMs <= RATE_LIMIT_WAIT_MS_MAX ? waitMs : undefined;
  }
  // A connection that broke says little of Discord, and the next attempt has another one.
  const pauseMs = failure instanceof AcknowledgementError ? SERVER_ERROR_PAUSE_MS : 0;
  return ageMs + pauseMs < REPETITION_AGE_MS_MAX ? pauseMs : undefined;
}

function createHandler(
  onSent: () => void,
  onTaken: () => void,
  onFailed: (error: Error) => void,
  failureBefore: ErrorOptions,
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
      onFailed(new AcknowledgementError(statusCode, refusal, failureBefore));
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
