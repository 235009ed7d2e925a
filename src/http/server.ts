import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Metrics } from './metrics.ts';

/** What the operator's tools ask. */
export type Health = {
  /** Whether commands can come in and be paid for right now. */
  isReady(): Promise<boolean>;
};

export type HttpServer = { readonly port: number; close(): Promise<void> };

/**
 * `/healthz` says that the process lives, `/readyz` that it can do its work: it is connected to Discord and its store
 * answers. `/metrics` tells Prometheus what it has done. `/paint` is for members, where the painter is to be reached.
 */
export async function startHttpServer(options: {
  host: string;
  port: number;
  health: Health;
  metrics: Pick<Metrics, 'render'>;
  painter: Hono | undefined;
}): Promise<HttpServer> {
  const app = new Hono();
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', async (context) => {
    const isReady = await options.health.isReady();
    return context.json({ status: isReady ? 'ready' : 'not ready' }, isReady ? 200 : 503);
  });
  app.get('/metrics', async (context) => {
    const { text, contentType } = await options.metrics.render();
    return context.body(text, 200, { 'content-type': contentType });
  });
  if (options.painter) app.route('/paint', options.painter);
  return new Promise((resolve, reject) => {
    const server = serve(
      // Left to itself the library puts its own `Request` and `Response` in the place of everybody's.
      { fetch: app.fetch, hostname: options.host, port: options.port, overrideGlobalObjects: false },
      (address: AddressInfo) =>
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
