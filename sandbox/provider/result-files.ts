/** Serves finished pictures by address, for the providers that answer with `url`. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

/** One request for a file. */
export type FileRequest = { readonly origin: string; readonly path: string; readonly status: number };

export type ResultFiles = {
  readonly requests: readonly FileRequest[];
  /** Keeps a picture and returns its path, `/files/…`. Only the latest are kept. */
  keep(bytes: Buffer, contentType: string): string;
  /** Answers a request for a path under `/files/`. */
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** Listens on a second port, whose origin therefore differs, and serves the same files there. Idempotent. */
  openOtherOrigin(): Promise<string>;
  close(): void;
};

const filesKeptMax = 64;

/** Listens on a free port of the loopback interface unless told which. Returns the origin. */
export async function listenOnLoopback(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('The server has no port.');
  return `http://127.0.0.1:${address.port}`;
}

export function createResultFiles(): ResultFiles {
  const files = new Map<string, { readonly bytes: Buffer; readonly contentType: string }>();
  const requests: FileRequest[] = [];
  let otherServer: Server | undefined;
  let otherOrigin: Promise<string> | undefined;

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const file = files.get(path);
    const status = file === undefined ? 404 : 200;
    requests.push({ origin: `http://${request.headers.host ?? ''}`, path, status });
    if (requests.length > filesKeptMax) requests.shift();
    if (file === undefined) response.writeHead(status).end();
    else
      response
        .writeHead(status, { 'content-type': file.contentType, 'content-length': file.bytes.length })
        .end(file.bytes);
  }

  return {
    requests,
    serve,
    keep(bytes, contentType) {
      const path = `/files/${randomUUID()}`;
      files.set(path, { bytes, contentType });
      const [oldest] = files.keys();
      if (files.size > filesKeptMax && oldest !== undefined) files.delete(oldest);
      return path;
    },
    async openOtherOrigin() {
      otherServer ??= createServer(serve);
      otherOrigin ??= listenOnLoopback(otherServer, 0);
      return otherOrigin;
    },
    close() {
      otherServer?.close();
      otherServer?.closeAllConnections();
    },
  };
}
