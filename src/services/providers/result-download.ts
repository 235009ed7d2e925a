import { setTimeout as wait } from 'node:timers/promises';
import type { HttpTransport } from './http-transport.ts';
import type { ImageWriter } from './image-writer.ts';

/** Why an image that the answer points to could not be fetched. Its message names no path: such URLs are signed. */
export class ResultDownloadError extends Error {
  override readonly name = 'ResultDownloadError';
}

/** Fetching a result makes nothing, so it may be tried again. */
const attemptsMax = 3;
const firstPauseMs = 500;

/**
 * Which results may be fetched: an answer could point anywhere, also into the network of this machine.
 * @param origins like `https://cdn.example`; compared whole
 * @throws {ResultDownloadError} where the URL is not at one of them
 */
export function requireTrustedResultUrl(text: string, origins: ReadonlySet<string>): URL {
  const url = URL.parse(text);
  if (url === null) {
    throw new ResultDownloadError('The answer points to something that is not a URL.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new ResultDownloadError(`The result at ${url.origin} is behind a user name, and is not fetched.`);
  }
  if (!origins.has(url.origin)) {
    throw new ResultDownloadError(`The result is at ${url.origin}, which is not among the trusted result origins.`);
  }
  return url;
}

/**
 * Fetches a result into the writer. No redirect is followed, and the provider's key is not sent along.
 * @throws {ResultDownloadError} after the last attempt, or as soon as `signal` is aborted
 * @throws {ImageTooLargeError}
 * @throws whatever a sink throws, as it is
 */
export async function downloadResult(
  url: URL,
  transport: HttpTransport,
  writer: ImageWriter,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const chunk of fetchResult(url, transport, signal)) {
        await writer.write(chunk);
      }
      if (await writer.finish()) {
        return;
      }
      throw new ResultDownloadError(`The result at ${url.origin} is empty.`);
    } catch (error) {
      await writer.abandon();
      if (!(error instanceof ResultDownloadError) || attempt === attemptsMax || signal.aborted) {
        throw error;
      }
    }
    await pause(firstPauseMs * 2 ** (attempt - 1), signal);
  }
}

async function* fetchResult(url: URL, transport: HttpTransport, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const headers = { accept: 'image/*', 'accept-encoding': 'identity' };
    const response = await transport.beginExchange().fetch(url, { headers, signal });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw new ResultDownloadError(`The result at ${url.origin} was answered with status ${response.status}.`);
    }
    yield* response.body;
  } catch (cause) {
    if (cause instanceof ResultDownloadError) {
      throw cause;
    }
    throw new ResultDownloadError(`The result at ${url.origin} could not be fetched.`, { cause });
  }
}

async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(waitMs, undefined, { signal });
  } catch (cause) {
    throw new ResultDownloadError('The call was stopped while a result was being fetched.', { cause });
  }
}
