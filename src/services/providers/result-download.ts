import type { HttpTransport } from './http-transport.ts';
import type { ImageWriter } from './image-writer.ts';
import { explainFailures } from './incoming-body.ts';

/** Waits, and rejects as soon as `signal` is aborted. */
export type Pause = (waitMs: number, signal: AbortSignal) => Promise<unknown>;

/** Why an image that the answer points to could not be fetched. Its message names no path: such URLs are signed. */
export class ResultDownloadError extends Error {
  override readonly name = 'ResultDownloadError';
}

/** The result is somewhere from where it may not be fetched, until the operator says otherwise. */
export class UntrustedResultError extends ResultDownloadError {}

/** Fetching a result makes nothing, so it may be tried again. */
const ATTEMPTS_MAX = 3;
const FIRST_PAUSE_MS = 500;
const HTTP_OK = 200;
const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/**
 * Which results may be fetched: an answer could point anywhere, also into the network of this machine.
 * @param origins like `https://cdn.example`; compared whole
 * @throws {UntrustedResultError} where the URL is not at one of them
 * @throws {ResultDownloadError} where it is none, or behind a user name
 */
export function requireTrustedResultUrl(text: string, origins: ReadonlySet<string>): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ResultDownloadError('The answer points to something that is not a web address.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new ResultDownloadError(`The result at ${url.origin} is behind a user name, and is not fetched.`);
  }
  if (!origins.has(url.origin)) {
    throw new UntrustedResultError(`The result is at ${url.origin}, which is not among the trusted result origins.`);
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
  parts: { readonly transport: HttpTransport; readonly writer: ImageWriter; readonly pause: Pause },
  signal: AbortSignal,
): Promise<void> {
  const { writer, pause } = parts;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await fetchResult(url, parts, signal);
      if (await writer.finish()) return;
      throw new ResultDownloadError(`The result at ${url.origin} is empty.`);
    } catch (error) {
      await writer.abandon();
      if (!(error instanceof ResultDownloadError) || attempt === ATTEMPTS_MAX || signal.aborted) throw error;
    }
    // An aborted pause ends at once, and the next attempt then fails by the same signal.
    await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal).catch(() => {});
  }
}

async function fetchResult(
  url: URL,
  { transport, writer }: { readonly transport: HttpTransport; readonly writer: ImageWriter },
  signal: AbortSignal,
): Promise<void> {
  const exchange = transport.beginExchange();
  const explain = (cause: unknown): ResultDownloadError =>
    new ResultDownloadError(`The result at ${url.origin} could not be fetched.`, { cause });
  const headers = { accept: 'image/*', 'accept-encoding': 'identity' };
  const { status } = await exchange.fetch(url, { headers, signal }).catch((error: unknown) => {
    throw explain(error);
  });
  if (status !== HTTP_OK) {
    // What is not wanted must not be left waiting: its connection would stay open for as long as the other side likes.
    if (isSuccess(status)) await exchange.readBody(() => 'enough').catch(() => undefined);
    throw new ResultDownloadError(`The result at ${url.origin} was answered with status ${status}.`);
  }
  const readBody = explainFailures(exchange.readBody, explain);
  await readBody(async (bytes) => {
    await writer.write(bytes);
    return 'more' as const;
  });
}
