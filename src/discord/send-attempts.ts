import { DiscordAPIError, HTTPError, RateLimitError, RESTJSONErrorCodes } from 'discord.js';
import { backoffMs } from '../services/backoff.ts';

/** What became of an attempt to send, in the only terms that matter for the next step. */
export type SendResult =
  | 'sent'
  /** It can never be sent this way: the token is dead, the message or the channel is gone, or access is. */
  | 'closed'
  /** The files are too large here. */
  | 'too-large'
  /** It did not work out now, though it might later. */
  | 'later';

const ATTEMPTS_MAX = 6;
const PAUSES = { firstMs: 500 };
/** Longer than this nobody waits within one attempt; recovery will come back. */
const RATE_LIMIT_WAIT_MS_MAX = 30_000;

const HTTP_PAYLOAD_TOO_LARGE = 413;
/** With these Discord says that it does not do it now, and not that it will not. */
const PASSING_CODES: ReadonlySet<unknown> = new Set([
  RESTJSONErrorCodes.OpeningDirectMessagesTooFast,
  RESTJSONErrorCodes.SendMessagesHasBeenTemporarilyDisabled,
  RESTJSONErrorCodes.FeatureTemporarilyDisabledServerSide,
  RESTJSONErrorCodes.CloudflareIsBlockingYourRequest,
  RESTJSONErrorCodes.APIResourceOverloaded,
]);

/**
 * Sends until it is sent or provably cannot be. Whatever is sent this way must be safe to send twice: an edit of one
 * message, a new message with an enforced nonce, or one that only its member sees, whom a second copy does no harm.
 */
export async function sendUntilSettled(
  send: () => Promise<unknown>,
  parts: { sleep: (ms: number) => Promise<unknown>; onFailure: (error: unknown) => void; attemptsMax?: number },
): Promise<SendResult> {
  const { attemptsMax = ATTEMPTS_MAX } = parts;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    try {
      await send();
      return 'sent';
    } catch (error) {
      parts.onFailure(error);
      if (isTooLarge(error)) return 'too-large';
      if (isRefusal(error)) return 'closed';
      if (error instanceof RateLimitError && error.retryAfter > RATE_LIMIT_WAIT_MS_MAX) return 'later';
      if (attempt < attemptsMax) await parts.sleep(pauseMsAfter(error, attempt));
    }
  }
  return 'later';
}

/** A limit that says too little, or nothing that is a number, must not have all attempts go out at once. */
function pauseMsAfter(error: unknown, attempt: number): number {
  const usualMs = backoffMs(attempt, PAUSES);
  const askedMs = error instanceof RateLimitError ? error.retryAfter : 0;
  return askedMs > usualMs ? askedMs : usualMs;
}

/** Whether Discord may have carried out an attempt that failed. Where it answered, it has said that it did not. */
export function mayBeDone(error: unknown): boolean {
  return !(error instanceof RateLimitError) && !isRefusal(error);
}

/** Whether a message that was to be changed or removed is not there any more. */
export function isMessageGone(error: unknown): boolean {
  return error instanceof DiscordAPIError && error.code === RESTJSONErrorCodes.UnknownMessage;
}

function isTooLarge(error: unknown): boolean {
  if (error instanceof HTTPError) return error.status === HTTP_PAYLOAD_TOO_LARGE;
  if (!(error instanceof DiscordAPIError)) return false;
  return error.status === HTTP_PAYLOAD_TOO_LARGE || error.code === RESTJSONErrorCodes.RequestEntityTooLarge;
}

/**
 * Discord understood and said no. Repeating it would change nothing, and repeated refusals get an address banned. What is
 * not JSON is of something in front of it, such as a page of Cloudflare's, and may pass.
 */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof DiscordAPIError) || error.rawError instanceof ArrayBuffer) return false;
  return !PASSING_CODES.has(error.code);
}
