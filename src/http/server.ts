import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

/** What the operator's tools ask. */
export type Health = {
  /** Whether commands can come in and be paid for right now. */
  isReady(): Promise<boolean>;
};

export type HttpServer = { readonly port: number; close(): Promise<void> };

/**
 * `/healthz` says that the process lives, `/readyz` that it can do its work: it is connected to Discord and its store
 * answers.
 */
export async function startHttpServer(options: { host: string; port: number; health: Health }): Promise<HttpServer> {
  const app = new Hono();
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', async (context) => {
    const isReady = await options.health.isReady();
    return context.json({ status: isReady ? 'ready' : 'not ready' }, isReady ? 200 : 503);
  });
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: options.host, port: options.port }, (address: AddressInfo) =>
      resolve({
        port: address.port,
        close: async () =>
          new Promise((done) => {
            server.close(() => done());
          }),
      }),
    );
    server.on('error', reject);
  });
}
