import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
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
  const dispatcher = new Agent({ headersTimeout: waitMsMax, bodyTimeout: waitMsMax });
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
        return await readAtMost(body, bytesMax);
      } catch {
        return { refused: 'unreachable' };
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

async function readAtMost(body: Readable, bytesMax: number): Promise<Buffer | AttachmentRefusal> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > bytesMax) {
      discard(body);
      return tooLarge(bytesMax);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(limitBytes: number): AttachmentRefusal {
  return { refused: 'too-large', limitBytes };
}
