import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, errors, request } from 'undici';
import type { AttachmentRefusal } from '../services/image-request.ts';

/**
 * Downloads what members attach. The address comes from outside, so it is trusted for one thing only: to be on one of
 * the listed origins. No redirect is followed, and no more is read than a picture may have.
 */
export type AttachmentLoader = {
  /** Whether it would go to this address at all. */
  accepts(url: string): boolean;
  load(url: string): Promise<Buffer | AttachmentRefusal>;
  close(): Promise<void>;
};

const ATTACHMENT_BYTES_MAX = 50 * 1024 * 1024;
/** For the whole of a download: a file that comes a byte at a time must not stand in the way for long. */
const WAIT_MS_MAX = 30_000;
/** A server that is out of breath for a moment has the file a moment later. All of them share the time of one download. */
const ATTEMPTS_MAX = 3;
const PAUSE_MS = 250;
const HTTP_TOO_MANY_REQUESTS = 429;
/** Nothing here would undo an encoding, and pictures are compressed as they are. */
const HEADERS = { 'accept-encoding': 'identity' };

export function createAttachmentLoader(
  origins: readonly string[],
  { bytesMax, waitMsMax } = { bytesMax: ATTACHMENT_BYTES_MAX, waitMsMax: WAIT_MS_MAX },
): AttachmentLoader {
  const dispatcher = new Agent({ headersTimeout: waitMsMax, bodyTimeout: waitMsMax, maxResponseSize: bytesMax });

  /** One attempt. Throws where another one may go better. */
  async function download(url: string, signal: AbortSignal): Promise<Buffer | AttachmentRefusal> {
    const { statusCode, headers, body } = await request(url, { dispatcher, signal, headers: HEADERS });
    if (statusCode !== 200 || Number(headers['content-length'] ?? 0) > bytesMax) {
      discard(body);
      const isBusy = statusCode >= 500 || statusCode === HTTP_TOO_MANY_REQUESTS;
      if (isBusy) throw new Error(`the server of an attachment answered ${statusCode}`);
      return statusCode === 200 ? tooLarge(bytesMax) : { refused: 'gone' };
    }
    // Collected by the library, each piece is touched once.
    const { buffer, byteOffset, byteLength } = await body.bytes();
    return Buffer.from(buffer, byteOffset, byteLength);
  }

  async function downloadPatiently(url: string): Promise<Buffer | AttachmentRefusal> {
    const signal = AbortSignal.timeout(waitMsMax);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await download(url, signal);
      } catch (error) {
        if (error instanceof errors.ResponseExceededMaxSizeError) return tooLarge(bytesMax);
        if (attempt === ATTEMPTS_MAX || signal.aborted) return { refused: 'unreachable' };
        await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  return {
    accepts: (url) => isTrusted(url, origins),
    load: async (url) => (isTrusted(url, origins) ? downloadPatiently(url) : { refused: 'foreign-origin' }),
    close: async () => dispatcher.close(),
  };
}

/** The origin is compared whole, so neither user info nor a look-alike host nor plain http gets through. */
function isTrusted(url: string, origins: readonly string[]): boolean {
  if (!URL.canParse(url)) return false;
  const { origin, username, password } = new URL(url);
  return username === '' && password === '' && origins.includes(origin);
}

/** Ends an answer that nobody will read. The stream calls that an error, and one that nobody hears ends the process. */
function discard(body: Readable): void {
  body.on('error', () => undefined).destroy();
}

function tooLarge(limitBytes: number): AttachmentRefusal {
  return { refused: 'too-large', limitBytes };
}
