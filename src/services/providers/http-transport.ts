import { pipeline, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Agent, type Dispatcher } from 'undici';
import { createIntakeGate, type IntakeGate } from './intake-gate.ts';

/** One request, and whether any of it can have reached the other side. */
export type HttpExchange = {
  /** A `fetch` for exactly one request. It follows no redirect and repeats nothing. */
  readonly fetch: (url: string | URL | Request, init?: RequestInit) => Promise<Response>;
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

/** What `identity` asks not to be sent, for the gateways that do not listen. */
const DECOMPRESSORS = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress };

/** With four answers at a time, one is decoded while others are written to disk; more of them make nothing faster. */
const INTAKE_CONCURRENCY = 4;
/** Longer than what is there already takes to be read, and short enough that slow connections do not add up. */
const INTAKE_PAUSE_MS_MAX = 10;

/** Statuses whose answer has no body; `Response` refuses to be given one. */
const BODYLESS_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The connection to the provider.
 *
 * It is undici's `request` behind the shape of `fetch` rather than undici's `fetch`: half of the CPU time for a large
 * body, it tells whether a request left this machine, and it takes nothing from Node's own fetch, whose classes do not
 * mix with those of another version of undici.
 *
 * Every request has a connection of its own. A kept one may be closed by the other side in the very moment in which it
 * is used again, and that reset looks like the loss of an image that was paid for.
 * @param silenceMsMax how long the other side may take to begin its answer, and pause within it
 */
export function createHttpTransport({ silenceMsMax }: { readonly silenceMsMax: number }): HttpTransport {
  const agent = new Agent({
    // Zero means: no connection is used twice. HTTP/2 would share one connection among all requests.
    pipelining: 0,
    allowH2: false,
    headersTimeout: silenceMsMax,
    bodyTimeout: silenceMsMax,
    connect: { timeout: CONNECT_TIMEOUT_MS },
  });
  const gate = createIntakeGate({ concurrency: INTAKE_CONCURRENCY, pauseMsMax: INTAKE_PAUSE_MS_MAX }, () =>
    performance.now(),
  );
  return {
    beginExchange() {
      let dispatched = false;
      const dispatcher = agent.compose(reportDispatch(() => (dispatched = true)));
      return { fetch: (url, init) => fetchOver({ dispatcher, gate }, url, init), wasDispatched: () => dispatched };
    },
  };
}

/**
 * undici calls `onRequestStart` when it has a connected socket, just before it writes the first byte. A request that
 * was aborted until then, also within that call, is not written.
 */
function reportDispatch(onDispatch: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => {
        handler.onRequestStart?.(controller, context);
        if (!controller.aborted) {
          onDispatch();
        }
      },
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    });
}

async function fetchOver(
  { dispatcher, gate }: { readonly dispatcher: Dispatcher; readonly gate: IntakeGate },
  url: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const { origin, pathname, search } = new URL(url instanceof Request ? url.url : url);
  const answer = await dispatcher.request({
    origin,
    path: `${pathname}${search}`,
    method: readMethod(init?.method),
    headers: Object.fromEntries(new Headers(init?.headers)),
    body: toRequestBody(init?.body),
    signal: init?.signal ?? null,
  });
  // Whoever reads the body learns of its failure there; without a listener the same failure would end the process.
  answer.body.on('error', () => {});
  if (BODYLESS_STATUSES.has(answer.statusCode)) {
    await answer.body.dump();
    return new Response(null, { status: answer.statusCode, headers: toHeaders(answer.headers) });
  }
  const isSuccess = answer.statusCode >= 200 && answer.statusCode < 300;
  const bytes = decompress(answer.body, answer.headers['content-encoding']);
  const body = toWebStream(isSuccess ? bytes : cutAfter(bytes, ERROR_BODY_SIZE_BYTES_MAX), gate);
  return new Response(body, { status: answer.statusCode, headers: toHeaders(answer.headers) });
}

function readMethod(method = 'GET'): 'GET' | 'POST' {
  if (method !== 'GET' && method !== 'POST') {
    throw new TypeError(`The method ${method} is not used with image providers.`);
  }
  return method;
}

function toRequestBody(body: RequestInit['body']): string | Readable | null {
  if (body === undefined || body === null || typeof body === 'string') {
    return body ?? null;
  }
  if (body instanceof ReadableStream) {
    return Readable.from(body, { objectMode: false });
  }
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

function decompress(body: Readable, contentEncoding: string | string[] | undefined): Readable {
  const encoding = String(contentEncoding ?? '').toLowerCase();
  if (encoding !== 'gzip' && encoding !== 'deflate' && encoding !== 'br') {
    return body;
  }
  // `pipeline` destroys both ends when one fails; the reader of the second meets the failure.
  return pipeline(body, DECOMPRESSORS[encoding](), () => {});
}

async function* cutAfter(body: AsyncIterable<Uint8Array>, sizeBytesMax: number): AsyncGenerator<Uint8Array> {
  let remaining = sizeBytesMax;
  for await (const chunk of body) {
    yield chunk.subarray(0, remaining);
    remaining -= chunk.length;
    if (remaining <= 0) {
      return;
    }
  }
}

/** Pulls one chunk at a time, so that what is not read stays in the kernel; cancelling closes the connection. */
function toWebStream(body: AsyncIterable<Uint8Array>, gate: IntakeGate): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  const place = gate.begin();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        place.pause();
        const next = await chunks.next().catch((error: unknown) => {
          place.leave();
          throw error;
        });
        if (next.done === true) {
          place.leave();
          controller.close();
        } else {
          await place.enter();
          controller.enqueue(next.value);
        }
      },
      async cancel() {
        place.leave();
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
