import type { RESTPostAPIInteractionCallbackJSONBody } from 'discord.js';
import { DefaultUserAgent, RESTJSONErrorCodes, Routes } from 'discord.js';
import type { Dispatcher } from 'undici';
import * as z from 'zod';

/**
 * The first answers to interactions.
 *
 * They need no token and count against no limit, so they go past the library and what that keeps account of. And they
 * go before everything else: a hundred at once were out after 120 ms while the jobs that had been acknowledged began
 * beside them, and are after 20 ms since those wait.
 */
export type Acknowledgements = {
  /**
   * Gives Discord the first answer to an interaction. It takes one for each, from whoever is first.
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

  constructor(statusCode: number, refusal: string) {
    super(`Discord answered ${statusCode}: ${refusal}`);
    this.isFinal = FINAL_CODES.has(readCode(refusal));
  }
}

const FINAL_CODES: ReadonlySet<unknown> = new Set([
  RESTJSONErrorCodes.UnknownInteraction,
  RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged,
]);

/** Longer than a connection to Discord takes; a job has half a minute before it. */
const SENDING_WAIT_MS_MAX = 100;
/** What Discord says when it refuses one has a tenth of this. */
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

  return {
    async send({ id, token }, answer) {
      unsentCount += 1;
      const path = `${pathname}${Routes.interactionCallback(id, token)}`;
      const body = JSON.stringify(answer);
      await new Promise<void>((resolve, reject) => {
        dispatcher.dispatch(
          { origin, path, method: 'POST', headers, body },
          createHandler(once(noteSent), resolve, reject),
        );
      });
    },
    async whenSent() {
      if (unsentCount === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, SENDING_WAIT_MS_MAX);
      await Promise.race([allSent.promise, promise]);
      clearTimeout(timer);
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
    // The request is written in the same breath.
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

function readCode(refusal: string): unknown {
  try {
    return z.object({ code: z.number() }).safeParse(JSON.parse(refusal)).data?.code;
  } catch {
    return undefined;
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
