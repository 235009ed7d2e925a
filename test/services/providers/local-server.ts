import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Server } from 'node:net';

export type ReceivedRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

export type LocalServer = {
  /** Like `http://127.0.0.1:54321`. */
  readonly origin: string;
  readonly requests: readonly ReceivedRequest[];
  connectionCount(): number;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Answers one request after its body was read. */
export type Answer = (response: ServerResponse, request: ReceivedRequest) => void | Promise<void>;

/** A loopback HTTP server that remembers what it was asked. */
export async function startLocalServer(answer: Answer): Promise<LocalServer> {
  const requests: ReceivedRequest[] = [];
  let connections = 0;
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) {
      chunks.push(chunk);
    }
    const { method = '', url = '', headers } = incoming;
    const request = { method, path: url, headers, body: Buffer.concat(chunks) };
    requests.push(request);
    await answer(response, request);
  };
  const server = createServer((incoming, response) => {
    // A client that goes away in the middle is part of what is tested here.
    serve(incoming, response).catch(() => response.destroy());
  });
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    connectionCount: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function answerJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** The port on which a server listens. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('The server does not listen on a port.');
  return address.port;
}
