/** A provider that asks for more is taken at no more than this: nobody waits longer for a picture. */
const WAIT_MS_MAX = 10 * 60_000;

const MILLISECONDS_BY_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * How long a provider asks us to wait, in milliseconds; undefined where it does not say.
 *
 * The headers `retry-after-ms` and `retry-after` (seconds or a date) come first; else the words of the message, as in
 * "Please try again in 1m2s".
 */
export function readRetryAfterMs(headers: Headers, message: string, now: Date): number | undefined {
  const waitMs =
    readNumber(headers.get('retry-after-ms')) ??
    readSecondsOrDate(headers.get('retry-after'), now) ??
    readMessage(message);
  return waitMs === undefined ? undefined : Math.ceil(Math.min(Math.max(waitMs, 0), WAIT_MS_MAX));
}

function readNumber(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function readSecondsOrDate(text: string | null, now: Date): number | undefined {
  const seconds = readNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? undefined : date - now.getTime();
}

function readMessage(message: string): number | undefined {
  const words = /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?\s*(?:ms|[hms])[a-z]*\s*)+)/i.exec(message)?.[1];
  if (words === undefined) return undefined;
  return [...words.matchAll(/(\d+(?:\.\d+)?)\s*(millisecond|ms|[hms])/gi)].reduce((totalMs, [, amount, unit]) => {
    const name = unit?.toLowerCase() ?? '';
    return totalMs + Number(amount) * (MILLISECONDS_BY_UNIT[name === 'millisecond' ? 'ms' : name] ?? 0);
  }, 0);
}
