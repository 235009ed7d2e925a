import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Headers, Pool, Response } from 'undici';
import { decompress } from './decompression.ts';
import { GrowingBytes } from './growing-bytes.ts';
import type { ReadBody } from './incoming-body.ts';
import { IncomingBody } from './incoming-body.ts';
import type { IntakeGate } from './intake-gate.ts';
import { createIntakeGate } from './intake-gate.ts';

/** One request, and whether any of it can have reached the other side. */
export type HttpExchange = {
  /**
   * A `fetch` for exactly one request. It follows no redirect and repeats nothing. A refusal comes with its text; a
   * success comes without its body, which is read by `readBody`.
   */
  readonly fetch: (url: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Reads the body of the successful answer, once. */
  readonly readBody: ReadBody;
  /** False as long as provably not one byte of the request has been written to a connected socket. */
  wasDispatched(): boolean;
};

export type HttpTransport = {
  beginExchange(): HttpExchange;
};

/** How long a TCP and TLS connection may take to stand. */
const CONNECT_TIMEOUT_MS = 10_000;

/** A refusal is a few hundred bytes; a gateway's error page must not fill the memory. */
const ERROR_BODY_SIZE_BYTES_MAX = 64 * 1024;

/**
 * With two answers at a time, one is decoded while the other is written to disk. Of each, up to two megabytes come in
 * with every turn of the event loop, and that is how long an acknowledgement then waits: with four at a time, it was twice
 * as long while fifty results of 3 MB came in, and no image was there sooner.
 */
const INTAKE_CONCURRENCY = 2;
/** Longer than what is there already takes to be read, and short enough that slow connections do not add up. */
const INTAKE_PAUSE_MS_MAX = 10;

/** Below it are words on the way to the answer, like "continue". */
const HTTP_OK = 200;

/** Statuses whose answer has no body; `Response` refuses to be given one. */
const BODYLESS_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The connection to the provider.
 *
 * It is undici's `dispatch` behind the shape of `fetch` rather than undici's `fetch`: what arrives is taken where it
 * arrives, it tells whether a request left this machine, and it takes nothing from Node's own fetch, whose classes do
 * not mix with those of another version of undici.
 *
 * Every request has a connection of its own. A kept one may be closed by the other side in the very moment in which it
 * is used again, and that reset looks like the loss of an image that was paid for. What outlasts the connection is the
 * pool of its origin, which keeps the TLS session: the next handshake needs no certificates. An `Agent` would drop
 * both with the last connection, and make them anew for every request.
 * @param silenceMsMax how long the other side may take to begin its answer, and pause within it
 */
export function createHttpTransport({ silenceMsMax }: { readonly silenceMsMax: number }): HttpTransport {
  const options: Pool.Options = {
    // Zero means: no connection is used twice. HTTP/2 would share one connection among all requests.
    pipelining: 0,
    allowH2: false,
    headersTimeout: silenceMsMax,
    bodyTimeout: silenceMsMax,
    connect: { timeout: CONNECT_TIMEOUT_MS },
  };
  // The provider's own, and those that it keeps results at: as many as are configured.
  const pools = new Map<string, Pool>();
  const poolOf: PoolOf = (origin) => {
    const pool = pools.get(origin) ?? new Pool(origin, options);
    pools.set(origin, pool);
    return pool;
  };
  const gate = createIntakeGate({ concurrency: INTAKE_CONCURRENCY, pauseMsMax: INTAKE_PAUSE_MS_MAX }, () =>
    performance.now(),
  );
  return { beginExchange: () => beginExchange(poolOf, gate) };
}

type PoolOf = (origin: string) => Pool;

function beginExchange(poolOf: PoolOf, gate: IntakeGate): HttpExchange {
  let wasDispatched = false;
  let readBody: ReadBody | undefined;
  return {
    async fetch(url, init) {
      const answer = await send(poolOf, gate, { url, init, onDispatch: () => (wasDispatched = true) });
      const { statusCode: status } = answer;
      const headers = toHeaders(answer.headers);
      const isSuccess = status >= 200 && status < 300;
      if (!isSuccess) return new Response(await readRefusal(answer), { status, headers });
      ({ readBody } = answer);
      return new Response(null, { status, headers });
    },
    async readBody(take) {
      if (readBody === undefined) throw new Error('There is no answer to be read.');
      return readBody(take);
    },
    wasDispatched: () => wasDispatched,
  };
}

type Answer = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'> & { readonly readBody: ReadBody };

type Sending = {
  readonly url: string | URL | Request;
  readonly init: RequestInit | undefined;
  readonly onDispatch: () => void;
};

/** Sends one request, and resolves with the head of its answer. */
async function send(poolOf: PoolOf, gate: IntakeGate, { url, init, onDispatch }: Sending): Promise<Answer> {
  const { origin, pathname, search } = new URL(typeof url === 'string' || url instanceof URL ? url : url.url);
  const options: Dispatcher.DispatchOptions = {
    origin,
    path: `${pathname}${search}`,
    method: readMethod(init?.method),
    headers: toRequestHeaders(init?.headers),
    body: toRequestBody(init?.body),
  };
  return new Promise((resolve, reject) => {
    const body = new IncomingBody(gate);
    const leash = createLeash(init?.signal ?? undefined, reject);
    poolOf(origin).dispatch(options, {
      // undici calls this when it has a connected socket, just before it writes the first byte. A request that was
      // aborted until then, also within this call, is not written.
      onRequestStart(controller) {
        if (leash.hold(controller)) onDispatch();
      },
      onResponseStart(controller, statusCode, headers) {
        if (statusCode < HTTP_OK) return;
        body.begin(controller, readLength(headers['content-length']));
        resolve({ statusCode, headers, readBody: decompress(body, headers['content-encoding']) });
      },
      onResponseData: (_controller, piece) => body.push(piece),
      onResponseEnd() {
        leash.letGo();
        body.finish();
      },
      onResponseError(_controller, error) {
        leash.letGo();
        reject(error);
        body.fail(error);
      },
    });
  });
}

/** What ends a request when its signal says so, also while there is no connection for it yet. */
function createLeash(signal: AbortSignal | undefined, onAbort: (reason: unknown) => void) {
  let held: Dispatcher.DispatchController | undefined;
  const abort = (): void => {
    onAbort(signal?.reason);
    held?.abort(toError(signal?.reason));
  };
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  return {
    /** @returns false where the request was aborted before it could begin */
    hold(controller: Dispatcher.DispatchController): boolean {
      held = controller;
      if (signal?.aborted) abort();
      return !signal?.aborted;
    },
    letGo: () => signal?.removeEventListener('abort', abort),
  };
}

/** What a refusal says, cut off where it goes on for too long; null where it says nothing. */
async function readRefusal({ statusCode, readBody }: Answer): Promise<string | null> {
  const bytes = new GrowingBytes(ERROR_BODY_SIZE_BYTES_MAX);
  await readBody((piece) => {
    const room = ERROR_BODY_SIZE_BYTES_MAX - bytes.length;
    bytes.append(piece.subarray(0, room));
    return piece.length < room ? 'more' : 'enough';
  });
  return BODYLESS_STATUSES.has(statusCode) ? null : bytes.text();
}

/** Undefined where the answer does not tell how long it is. */
function readLength(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && value !== '' ? Number(value) : undefined;
}

function readMethod(method = 'GET'): 'GET' | 'POST' {
  if (method !== 'GET' && method !== 'POST') {
    throw new TypeError(`The method ${method} is not used with image providers.`);
  }
  return method;
}

/** By their names, in whichever of the forms that `fetch` takes they come, and of whosever class. */
function toRequestHeaders(given: RequestInit['headers'] = {}): Record<string, string> {
  if (Symbol.iterator in given) return Object.fromEntries(given);
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
}

function toRequestBody(body: RequestInit['body']): string | Readable | null {
  if (body === undefined || body === null || typeof body === 'string') return body ?? null;
  if (body instanceof ReadableStream) return Readable.from(body, { objectMode: false });
  throw new TypeError('A request body must be text or a stream.');
}

function toHeaders(received: Dispatcher.ResponseData['headers']): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(received)) {
    for (const value of [values ?? []].flat()) {
      headers.append(name, value);
    }
  }
  return headers;
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('The request was called off.', 'AbortError');
}
