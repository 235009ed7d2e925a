import { startCallDeadline } from './call-deadline.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { createHttpTransport, type HttpExchange } from './http-transport.ts';
import type { ImageProvider, OfferedModel } from './image-provider.ts';
import { readOfferedModels } from './offered-models.ts';

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
      if (response.ok) return await readList(exchange);
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
): Promise<Response> {
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    authorization: `Bearer ${apiKey}`,
    'user-agent': 'Easel',
  };
  return exchange.fetch(listUrl(baseUrl), { headers, signal });
}

/** As the SDK does it: what a base URL asks for behind its path stays behind the path. */
function listUrl(baseUrl: string): URL {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/models`;
  return url;
}

/** Undefined where it is too long, or no such list. */
async function readList(exchange: HttpExchange): Promise<readonly OfferedModel[] | undefined> {
  const bytes = new GrowingBytes(LIST_SIZE_BYTES_MAX);
  let isTooLong = false;
  await exchange.readBody((piece) => {
    isTooLong = !bytes.append(piece);
    return isTooLong ? 'enough' : 'more';
  });
  return isTooLong ? undefined : readOfferedModels(bytes.text());
}

/** The error that the SDK would make of the same answer. */
async function toApiError(response: Response): Promise<Error> {
  const { APIError } = await import('openai');
  const text = await response.text();
  const body = parseJson(text);
  return APIError.generate(response.status, body, body === undefined ? text : undefined, response.headers);
}

function parseJson(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
