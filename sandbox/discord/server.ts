import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiRefusal, refusals } from './api-refusal.ts';
import type { Cdn } from './cdn.ts';
import { respondWithFile } from './cdn-response.ts';
import type { FaultKind, Faults } from './faults.ts';
import type { OpenApiCheck } from './open-api.ts';
import { OPENAPI_CODE_PREFIX } from './open-api.ts';
import type { LoggedRequest, Violation } from './request-log.ts';
import type { RequestBody } from './request-body.ts';
import { parseRequestBody, readBytes } from './request-body.ts';
import type { Route, RouteAnswer } from './route.ts';
import type { MatchedRoute } from './route-table.ts';
import { createRouteTable } from './route-table.ts';

const API_PREFIX = '/api/v10';
const FORM_ERROR_CODES: ReadonlySet<number> = new Set([50006, 50035, 50109]);

export type ServerOptions = {
  readonly routes: readonly Route[];
  readonly cdn: Cdn;
  readonly faults: Faults;
  readonly requests: LoggedRequest[];
  readonly violations: Violation[];
  readonly botToken: string;
  readonly now: () => number;
  readonly checkOpenApi: OpenApiCheck | undefined;
};

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly log: LoggedRequest;
};

/** The HTTP side: finds the route, applies faults, checks tokens and forms, answers as Discord does, keeps the log. */
export function createDiscordServer(options: ServerOptions): Server {
  const findRoute = createRouteTable(options.routes);
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const matched = url.pathname.startsWith(`${API_PREFIX}/`)
      ? findRoute(request.method ?? 'GET', url.pathname.slice(API_PREFIX.length))
      : undefined;
    const log: LoggedRequest = {
      atMs: options.now(),
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      route: url.pathname.startsWith('/attachments/') ? 'attachment' : matched?.route.name,
      body: undefined,
      files: [],
      status: undefined,
      fault: undefined,
      code: undefined,
    };
    options.requests.push(log);
    const exchange: Exchange = { request, response, url, log };
    // A client that hangs up in the middle is its own affair; anything else thrown here is a bug of the emulator.
    serve(options, exchange, matched).catch((error: unknown) => {
      if (request.destroyed || response.destroyed) return;
      log.fault = `emulator: ${String(error)}`;
      send(exchange, { status: 500, body: { message: `Emulator: ${String(error)}`, code: 0 } });
    });
  });
}

async function serve(options: ServerOptions, exchange: Exchange, matched: MatchedRoute | undefined): Promise<void> {
  const { log } = exchange;
  const fault = log.route === undefined ? undefined : options.faults.take(log.route, carriesFiles(exchange.request));
  log.fault = fault?.kind;
  if (fault !== undefined && (await spoilBefore(exchange, fault))) return;
  if (log.route === 'attachment') {
    const answer = options.cdn.resolve(exchange.url);
    log.status = answer.found ? 200 : 404;
    await respondWithFile(exchange.response, answer);
    return;
  }
  const answer = await handle(options, exchange, matched);
  if (fault?.kind === 'accept then hang') return;
  if (fault?.kind === 'accept then reset') {
    exchange.request.socket.resetAndDestroy();
    return;
  }
  send(exchange, answer);
}

/** Files come as forms of several parts; everything else is JSON. */
function carriesFiles(request: IncomingMessage): boolean {
  return request.headers['content-type']?.startsWith('multipart/form-data') ?? false;
}

/** Applies a fault that comes before the handling; true when the request ends there. */
async function spoilBefore(exchange: Exchange, fault: FaultKind): Promise<boolean> {
  switch (fault.kind) {
    case 'accept then hang':
    case 'accept then reset':
      return false;
    case 'delay':
      await sleep(fault.delayMs);
      return false;
    case 'hang':
      exchange.request.resume();
      return true;
    case 'reset':
      exchange.request.socket.resetAndDestroy();
      return true;
    case 'status':
      await readBytes(exchange.request);
      send(
        exchange,
        { status: fault.status, body: fault.body ?? { message: `${fault.status}: Server Error`, code: 0 } },
        fault.headers,
      );
      return true;
    case 'rate limit': {
      await readBytes(exchange.request);
      const isGlobal = fault.scope === 'global';
      send(
        exchange,
        {
          status: 429,
          body: { message: 'You are being rate limited.', retry_after: fault.retryAfterSeconds, global: isGlobal },
        },
        {
          'retry-after': String(Math.ceil(fault.retryAfterSeconds)),
          'x-ratelimit-scope': fault.scope ?? 'user',
          ...(isGlobal
            ? { 'x-ratelimit-global': 'true' }
            : { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': String(fault.retryAfterSeconds) }),
        },
      );
      return true;
    }
  }
}

async function handle(
  options: ServerOptions,
  exchange: Exchange,
  matched: MatchedRoute | undefined,
): Promise<RouteAnswer> {
  const { request, url, log } = exchange;
  let body: RequestBody = { json: undefined, files: [] };
  try {
    const bytes = await readBytes(request);
    if (matched === undefined) throw refusals.noSuchRoute();
    const { route } = matched;
    if (route.needsBot && request.headers.authorization !== `Bot ${options.botToken}`) throw refusals.unauthorized();
    body = await parseRequestBody(request.headers['content-type'], bytes);
    log.body = body.json;
    log.files = body.files.map(({ index, filename, contentType, bytes: content }) => ({
      index,
      filename,
      contentType,
      sizeBytes: content.length,
    }));
    const mismatches = body.json === undefined ? [] : (options.checkOpenApi?.(route, body.json) ?? []);
    if (mismatches.length > 0) throw refusals.invalidForm(mismatches);
    return route.handle({ parameter: matched.parameter, query: url.searchParams, ...body });
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    log.code = error.code;
    if (matched !== undefined && FORM_ERROR_CODES.has(error.code)) {
      recordViolation(options, log, matched.route, error);
    }
    return { status: error.status, body: error.toBody() };
  }
}

function recordViolation(options: ServerOptions, log: LoggedRequest, route: Route, refusal: ApiRefusal): void {
  options.violations.push({
    atMs: log.atMs,
    method: log.method,
    path: log.path,
    route: route.name,
    source: refusal.problems.some(({ code }) => code.startsWith(OPENAPI_CODE_PREFIX)) ? 'openapi' : 'rules',
    code: refusal.code,
    message: refusal.message,
    problems: refusal.problems,
    body: log.body,
  });
}

/** Generous limits in Discord's headers, so that a client's own bookkeeping runs as against the real service. */
const RATE_LIMIT = { limit: 1000, remaining: 999, resetAfterSeconds: 1 } as const;

function send(exchange: Exchange, answer: RouteAnswer, headers: Record<string, string> = {}): void {
  const { response, log } = exchange;
  log.status = answer.status;
  const resetAtSeconds = (Date.now() / 1000 + RATE_LIMIT.resetAfterSeconds).toFixed(3);
  const rateLimitHeaders = {
    'x-ratelimit-limit': String(RATE_LIMIT.limit),
    'x-ratelimit-remaining': String(RATE_LIMIT.remaining),
    'x-ratelimit-reset': resetAtSeconds,
    'x-ratelimit-reset-after': RATE_LIMIT.resetAfterSeconds.toFixed(3),
    'x-ratelimit-bucket': (log.route ?? 'unknown').replaceAll(' ', '-').toLowerCase(),
  };
  const text = answer.body === undefined ? undefined : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    ...rateLimitHeaders,
    ...headers,
  });
  response.end(text);
}
