import type { CallDeadline } from './call-deadline.ts';
import { startCallDeadline } from './call-deadline.ts';
import { GrowingBytes } from './growing-bytes.ts';
import type { HttpExchange, HttpTransport } from './http-transport.ts';
import { createHttpTransport } from './http-transport.ts';
import type { ImageProvider, OfferedModel } from './image-provider.ts';
import { parseJson } from './json-fields.ts';
import type { ModelPage } from './offered-models.ts';
import { readModelPage } from './offered-models.ts';

export type ModelListOptions = {
  readonly apiKey: string;
  /** Up to and including the version, like `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** For the whole of a call, in milliseconds. */
  readonly timeoutMs: number;
  readonly now?: () => Date;
};

/** A list of models costs nothing to make, so it is not worth waiting for as long as an image. */
const LIST_TIMEOUT_MS = 15_000;

/** OpenAI's list has some twenty kilobytes. */
const LIST_SIZE_BYTES_MAX = 4 * 1024 * 1024;

/** Nobody has so many models. A start waits for the list, so it must come to an end. */
const PAGES_MAX = 20;

/** Statuses with which a compatible provider says that it has no list of models. */
const WITHOUT_LIST_STATUSES: ReadonlySet<number> = new Set([404, 405, 501]);

/** Asks for the models without OpenAI's SDK: it is the one request that a start waits for. */
export function createModelList(options: ModelListOptions): ImageProvider['listModels'] {
  const timeoutMs = Math.min(options.timeoutMs, LIST_TIMEOUT_MS);
  const transport = createHttpTransport({ silenceMsMax: timeoutMs });
  return async () => {
    const deadline = startCallDeadline(timeoutMs);
    const exchange = transport.beginExchange();
    try {
      const response = await requestList(exchange, options, deadline.signal);
      if (response.ok) return await readAllPages(await readPage(exchange), { transport, options, deadline });
      if (WITHOUT_LIST_STATUSES.has(response.status)) return undefined;
      throw await toApiError(response);
    } catch (error) {
      // What refusals mean is known where the SDK is; it is loaded for one that did come.
      const { createRedactor, toProviderFailure } = await import('./provider-errors.ts');
      const { now = () => new Date() } = options;
      const state = { makesImages: false, isTimeUp: deadline.signal.aborted, wasDispatched: exchange.wasDispatched() };
      throw toProviderFailure(error, { ...state, requestId: undefined }, createRedactor(options.apiKey), now());
    } finally {
      deadline.dispose();
    }
  };
}

async function requestList(
  exchange: HttpExchange,
  { apiKey, baseUrl }: ModelListOptions,
  signal: AbortSignal,
  after?: string,
): Promise<Response> {
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    authorization: `Bearer ${apiKey}`,
    'user-agent': 'Easel',
  };
  return exchange.fetch(listUrl(baseUrl, after), { headers, signal });
}

/** As the SDK does it: what a base URL asks for behind its path stays behind the path. */
function listUrl(baseUrl: string, after: string | undefined): URL {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/models`;
  if (after !== undefined) url.searchParams.set('after', after);
  return url;
}

/** What it takes to ask for another page. */
type Asking = {
  readonly transport: HttpTransport;
  readonly options: ModelListOptions;
  readonly deadline: Pick<CallDeadline, 'signal'>;
};

/**
 * Follows a list to its end. Undefined where it names no model, and where a page of it cannot be had: what stands there
 * would seem not to be offered.
 */
async function readAllPages(
  first: ModelPage | undefined,
  asking: Asking,
): Promise<readonly OfferedModel[] | undefined> {
  const models: OfferedModel[] = [];
  const askedAfter = new Set<string>();
  for (let page = first; page !== undefined; page = await requestPage(asking, page.lastId)) {
    models.push(...page.models);
    if (!page.hasMore) return models.length > 0 ? models : undefined;
    const { lastId } = page;
    // Who gives the same page again does not know of pages, or not as they are asked for here.
    if (lastId === undefined || askedAfter.has(lastId) || askedAfter.size === PAGES_MAX - 1) return undefined;
    askedAfter.add(lastId);
  }
  return undefined;
}

/** Undefined where it cannot be had. */
async function requestPage(
  { transport, options, deadline }: Asking,
  after: string | undefined,
): Promise<ModelPage | undefined> {
  const exchange = transport.beginExchange();
  try {
    const { ok } = await requestList(exchange, options, deadline.signal, after);
    return ok ? await readPage(exchange) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where it is too long, or no such list. */
async function readPage(exchange: HttpExchange): Promise<ModelPage | undefined> {
  const bytes = new GrowingBytes(LIST_SIZE_BYTES_MAX);
  let isTooLong = false;
  await exchange.readBody((piece) => {
    isTooLong = !bytes.append(piece);
    return isTooLong ? 'enough' : 'more';
  });
  return isTooLong ? undefined : readModelPage(bytes.text());
}

/** The error that the SDK would make of the same answer. */
async function toApiError(response: Response): Promise<Error> {
  const { APIError } = await import('openai');
  const text = await response.text();
  const parsed = parseJson(text);
  const body = typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  return APIError.generate(response.status, body, body === undefined ? text : undefined, response.headers);
}
