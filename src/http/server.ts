import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

/** What the operator's tools ask. */
export type Health = {
  /** Whether commands can come in and be paid for right now. */
  isReady(): Promise<boolean>;
};

export type HttpServer = { readonly port: number; close(): Promise<void> };

type Answer = { readonly status: number; readonly contentType: string; readonly text: string };

/** Where the painter is to be reached, with all that is below it. */
export const PAINTER_PATH = '/paint';

/**
 * Taken as `require` would take it. An `import` reads whatever the module exports, and with it the classes of Node's own
 * copy of undici, which nothing needs before the first picture: 27 ms and 13 MB of every start.
 */
const { createServer } = process.getBuiltinModule('node:http');

/**
 * `/healthz` says that the process lives, `/readyz` that it can do its work: it is connected to Discord and its store
 * answers. `/metrics` tells Prometheus what it has done. `/paint` is for members, where the painter is to be reached.
 */
export async function startHttpServer(options: {
  host: string;
  port: number;
  health: Health;
  metrics: Pick<Metrics, 'render'>;
  painter: RequestListener | undefined;
  log: Logger;
}): Promise<HttpServer> {
  const { host, port, painter, log } = options;
  const answers = createAnswers(options);

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request);
    if (painter !== undefined && isBelow(PAINTER_PATH, path)) return painter(request, response);
    void answer(answers.get(isReading(request) ? path : ''))
      .catch((error: unknown) => {
        log.error({ err: error, path }, 'a request over HTTP failed');
        return FAILED;
      })
      .then(({ status, contentType, text }) => response.writeHead(status, { 'content-type': contentType }).end(text));
  }

  const server = createServer(handle);
  return new Promise((resolve, reject) => {
    server.on('error', (error) => reject(explain(error, port)));
    server.listen(port, host, () =>
      resolve({
        port: portOf(server.address()),
        close: async () => close(server),
      }),
    );
  });
}

function explain(error: Error, port: number): Error {
  const isTaken = 'code' in error && error.code === 'EADDRINUSE';
  return isTaken
    ? new Error(`Another process listens to HTTP_PORT ${port}. Set another one.`, { cause: error })
    : error;
}

/** Long enough for every page; a picture that somebody still loads can be loaded again. */
const LAST_ANSWERS_MS_MAX = 2_000;

/** Answers that are under way still get out, and whoever has only opened a connection keeps nobody waiting. */
async function close(server: Server): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS_MAX);
    server.close(() => {
      clearTimeout(timer);
      done();
    });
  });
}

const PLAIN_TEXT = 'text/plain; charset=utf-8';
const NOT_FOUND: Answer = { status: 404, contentType: PLAIN_TEXT, text: 'There is nothing here.\n' };
const FAILED: Answer = { status: 500, contentType: PLAIN_TEXT, text: 'This failed; the log says why.\n' };

function createAnswers({ health, metrics }: { health: Health; metrics: Pick<Metrics, 'render'> }) {
  return new Map<string, () => Promise<Answer>>([
    ['/healthz', async () => toJson(200, { status: 'ok' })],
    [
      '/readyz',
      async () => ((await health.isReady()) ? toJson(200, { status: 'ready' }) : toJson(503, { status: 'not ready' })),
    ],
    ['/metrics', async () => ({ status: 200, ...(await metrics.render()) })],
  ]);
}

async function answer(make: (() => Promise<Answer>) | undefined): Promise<Answer> {
  return make === undefined ? NOT_FOUND : make();
}

function toJson(status: number, body: Readonly<Record<string, string>>): Answer {
  return { status, contentType: 'application/json', text: JSON.stringify(body) };
}

/** Without what is asked behind a question mark. */
function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

function isReading({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('the server does not listen to a port');
  return address.port;
}
