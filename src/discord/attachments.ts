import type { Readable } from 'node:stream';
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

export function createAttachmentLoader(
  origins: readonly string[],
  { bytesMax, waitMsMax } = { bytesMax: ATTACHMENT_BYTES_MAX, waitMsMax: WAIT_MS_MAX },
): AttachmentLoader {
  const dispatcher = new Agent({ headersTimeout: waitMsMax, bodyTimeout: waitMsMax, maxResponseSize: bytesMax });
  return {
    accepts: (url) => isTrusted(url, origins),
    async load(url) {
      if (!isTrusted(url, origins)) return { refused: 'foreign-origin' };
      try {
        const signal = AbortSignal.timeout(waitMsMax);
        const { statusCode, headers, body } = await request(url, { dispatcher, signal });
        if (statusCode !== 200 || Number(headers['content-length'] ?? 0) > bytesMax) {
          discard(body);
          return statusCode === 200 ? tooLarge(bytesMax) : { refused: 'gone' };
        }
        // Collected by the library, each piece is touched once.
        const { buffer, byteOffset, byteLength } = await body.bytes();
        return Buffer.from(buffer, byteOffset, byteLength);
      } catch (error) {
        return error instanceof errors.ResponseExceededMaxSizeError ? tooLarge(bytesMax) : { refused: 'unreachable' };
      }
    },
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
