/** Every request that arrived, billed or not. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A file of an edit, without its bytes unless they are kept. */
export type ReceivedFile = {
  /** Name of the form field: `image`, `image[]` or `mask`. */
  readonly field: string;
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Only with the option `keepUploads`. */
  readonly bytes: Buffer | undefined;
};

/** How a call ended for the client. */
export type CallEnd = 'answered' | 'refused' | 'dropped' | 'hung' | 'cut' | 'reset' | 'client-gone';

export type ProviderCall = {
  /** When it arrived, in milliseconds since the epoch. */
  readonly at: number;
  /** Also the value of the x-request-id header. */
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly endpoint: 'models' | 'generations' | 'edits' | 'costs' | 'other';
  /** The bearer token presented. */
  readonly apiKey: string | undefined;
  /** By lower-case name, without `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The fields of the request as they were sent, prompt included, files apart. Empty until the body was read. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly model: string | undefined;
  readonly prompt: string | undefined;
  /** How many images were asked for; 1 where the request does not say. */
  readonly imageCount: number;
  readonly files: readonly ReceivedFile[];
  /** HTTP status of the answer, where one was begun. */
  readonly status: number | undefined;
  readonly isBilled: boolean;
  /** Undefined while the call is under way. */
  readonly end: CallEnd | undefined;
};

/** The log's own view of a call, which it fills in as the call goes on. */
export type OpenCall = { -readonly [Field in keyof ProviderCall]: ProviderCall[Field] };

/** The record of a call whose headers have arrived. */
export function describeRequest(request: IncomingMessage, at: number): OpenCall {
  const { pathname } = new URL(request.url ?? '/', 'http://provider.invalid');
  const route = `${request.method ?? ''} ${pathname}`;
  const routes: Readonly<Record<string, OpenCall['endpoint']>> = {
    'GET /v1/models': 'models',
    'GET /v1/organization/costs': 'costs',
    'POST /v1/images/generations': 'generations',
    'POST /v1/images/edits': 'edits',
  };
  const { authorization, ...headers } = request.headers;
  return {
    at,
    requestId: `req_${randomBytes(16).toString('hex')}`,
    method: request.method ?? '',
    path: pathname,
    endpoint: routes[route] ?? 'other',
    apiKey: /^Bearer (.+)$/.exec(authorization ?? '')?.[1],
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    parameters: {},
    model: undefined,
    prompt: undefined,
    imageCount: 1,
    files: [],
    status: undefined,
    isBilled: false,
    end: undefined,
  };
}

export type CallLog = {
  /** In order of arrival. */
  readonly calls: readonly ProviderCall[];
  readonly inFlight: number;
  open(call: OpenCall): void;
  close(call: OpenCall, end: CallEnd): void;
  /** Resolves when no call is under way. Held and hung calls are. */
  idle(): Promise<void>;
};

/** @param callsKeptMax beyond this many the oldest are forgotten */
export function createCallLog(callsKeptMax: number): CallLog {
  const calls: OpenCall[] = [];
  let inFlight = 0;
  let waiting: (() => void)[] = [];
  return {
    calls,
    get inFlight() {
      return inFlight;
    },
    open(call) {
      calls.push(call);
      if (calls.length > callsKeptMax) calls.shift();
      inFlight += 1;
    },
    close(call, end) {
      if (call.end !== undefined) return;
      call.end = end;
      inFlight -= 1;
      if (inFlight > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    async idle() {
      if (inFlight === 0) return;
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
