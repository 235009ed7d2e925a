import type { RESTOptions } from 'discord.js';
import { REST } from 'discord.js';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Headers, Pool, request } from 'undici';
import * as z from 'zod';
import type { Acknowledgements } from './acknowledgements.ts';
import { createAcknowledgements } from './acknowledgements.ts';

/**
 * The ways to speak to Discord's REST interface: quick ones and patient ones, each kind on connections of its own.
 *
 * An acknowledgement that is not there within three seconds is worth nothing, so it is sent with a short wait, and once
 * more where that can be in time: Discord takes one for each interaction, however many it gets.
 * A result was paid for, so its upload may take long; trying again is left to whoever knows whether that is safe.
 */
export type DiscordRest = {
  readonly acknowledgements: Acknowledgements;
  /** The short way, as options for the gateway client, whose own REST interface it becomes. */
  readonly quickOptions: Partial<RESTOptions>;
  readonly patient: REST;
  /**
   * The patient way once more, for the news of jobs: the library sends one request for a reply after the other, and a
   * result must not have to wait for news that Discord is slow to answer.
   */
  readonly news: REST;
  close(): Promise<void>;
};

const API_VERSION = '10';
const QUICK_TIMEOUT_MS = 2_500;
const PATIENT_TIMEOUT_MS = 120_000;
/**
 * The library counts webhook edits against Discord's fifty requests a second, which Discord itself does not. Real
 * limits are answered by Discord with a 429, which we honour.
 */
const REQUESTS_PER_SECOND = 1_000;
/**
 * For each of the two kinds: an acknowledgement must never have to wait until an upload lets go of its connection. With
 * sixteen, a hundred acknowledgements at once took turns on them, and the last one came 100 ms later than with these.
 * They are pools and not agents, because an agent forgets the TLS session with its last connection: after a quiet
 * minute, the next acknowledgement would wait for a whole handshake.
 */
const CONNECTIONS_MAX = 64;
const HTTP_TOO_MANY_REQUESTS = 429;
const rateLimitSchema = z.object({ retry_after: z.number().positive() });

export function createDiscordRest(options: { apiUrl: string; token: string; now: () => number }): DiscordRest {
  const { origin } = new URL(options.apiUrl);
  const quick = new Pool(origin, {
    connections: CONNECTIONS_MAX,
    headersTimeout: QUICK_TIMEOUT_MS,
    bodyTimeout: QUICK_TIMEOUT_MS,
    connectTimeout: QUICK_TIMEOUT_MS,
  });
  const patient = new Pool(origin, { connections: CONNECTIONS_MAX });
  const shared: Partial<RESTOptions> = {
    api: options.apiUrl,
    version: API_VERSION,
    // Discord counts every refused request; whoever retries does so knowingly.
    retries: 0,
    rejectOnRateLimit: () => true,
    globalRequestsPerSecond: REQUESTS_PER_SECOND,
  };
  const createPatientWay = (): REST =>
    keepToken(
      new REST({
        ...shared,
        timeout: PATIENT_TIMEOUT_MS,
        makeRequest: createRequestFunction(patient),
      }).setToken(options.token),
    );
  return {
    acknowledgements: createAcknowledgements(`${options.apiUrl}/v${API_VERSION}`, quick, options.now),
    quickOptions: { ...shared, timeout: QUICK_TIMEOUT_MS, makeRequest: createRequestFunction(quick) },
    patient: createPatientWay(),
    news: createPatientWay(),
    close: async () => void (await Promise.all([quick.close(), patient.close()])),
  };
}

/**
 * The library forgets its token as soon as one call is answered with 401, and then refuses all others by itself until
 * the process ends. Whether the token still holds, Discord says to each call anew.
 */
export function keepToken(rest: REST): REST {
  return Object.assign(rest, { setToken: () => rest });
}

/**
 * Sends what the library prepared, through connections of our own, so that acknowledgements and uploads do not share
 * theirs.
 */
function createRequestFunction(dispatcher: Dispatcher): RESTOptions['makeRequest'] {
  return async (url, init) => {
    const method = init.method ?? 'GET';
    const response = await request(url, {
      dispatcher,
      method,
      headers: Object.fromEntries(Object.entries(init.headers ?? {})),
      body: sendable(init.body),
      signal: init.signal ?? null,
    });
    const { body, statusCode } = response;
    const ok = statusCode >= 200 && statusCode < 300;
    // What Discord took is taken, even where its answer cannot be read: sent again, a message would be there twice.
    const isDone = ok && method !== 'GET';
    const readAnswer = async <Answer>(reading: Promise<Answer>, instead: Answer): Promise<Answer> =>
      isDone ? reading.catch(() => instead) : reading;
    const headers = new Headers();
    for (const [name, value] of Object.entries(response.headers)) {
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
    }
    if (statusCode === HTTP_TOO_MANY_REQUESTS && !(Number(headers.get('retry-after')) > 0)) {
      const wait = await readWait(body);
      if (wait === undefined) headers.delete('retry-after');
      else headers.set('retry-after', wait);
    }
    return {
      status: statusCode,
      statusText: String(statusCode),
      ok,
      headers,
      body,
      get bodyUsed() {
        return body.bodyUsed;
      },
      arrayBuffer: async () => readAnswer(body.arrayBuffer(), new ArrayBuffer(0)),
      json: async () => readAnswer(body.json(), undefined),
      text: async () => body.text(),
    };
  };
}

/** How long Discord wants to be left alone, in seconds, where only the body says it: the library looks at the headers alone. */
async function readWait(body: Dispatcher.ResponseData['body']): Promise<string | undefined> {
  const told = rateLimitSchema.safeParse(await body.json().catch(() => undefined));
  return told.success ? String(told.data.retry_after) : undefined;
}

/** JSON goes out as it is, multipart while it is read. Nothing else is ever sent to Discord. */
function sendable(body: unknown): string | Readable | null {
  if (body === null || body === undefined || typeof body === 'string') return body ?? null;
  if (isAsyncIterable(body)) return Readable.from(body, { objectMode: false });
  throw new TypeError('a body for Discord is JSON or multipart');
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
