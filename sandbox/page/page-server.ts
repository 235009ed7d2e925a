import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Stage } from '../stage.ts';
import type { BotControl } from './bot-control.ts';
import type { Person } from './cast.ts';
import { readClientFiles } from './client-files.ts';
import { createRoutes } from './routes.ts';

/** The page as it is served. */
export type PageServer = {
  /** Such as `http://127.0.0.1:8790/`. */
  readonly address: string;
  close(): Promise<void>;
};

export type PageServerOptions = {
  readonly stage: Pick<Stage, 'discord' | 'provider' | 'dataDirectory'>;
  readonly people: readonly Person[];
  /** Made with what tells the pages that the bot's state has changed. */
  readonly createBot: (onChange: () => void) => BotControl;
  /** The port on 127.0.0.1, where it is free; a free one otherwise. */
  readonly port: number;
  readonly usesRealProvider: boolean;
};

const LOOPBACK = '127.0.0.1';

/** Serves the page to this machine alone, and resolves once it listens. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer & { readonly bot: BotControl }> {
  const files = await readClientFiles();
  const listeners = new Set<() => void>();
  const bot = options.createBot(() => listeners.forEach((listener) => listener()));
  let port = 0;
  const routes = createRoutes({
    ...options,
    bot,
    files,
    port: () => port,
    onBotChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  const server = await listen(routes.fetch, options.port);
  port = server.port;
  return { address: `http://${LOOPBACK}:${port}/`, bot, close: async () => server.close() };
}

type Listening = { readonly port: number; close(): Promise<void> };

async function listen(fetch: Parameters<typeof serve>[0]['fetch'], port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: LOOPBACK, port }, (address: AddressInfo) =>
      resolve({
        port: address.port,
        close: async () =>
          new Promise((done) => {
            server.close(() => done());
            // Open pages listen for as long as they are open.
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      }),
    );
    server.once('error', (error: NodeJS.ErrnoException) => {
      // Another sandbox, or anything else, has the port that people know: any will do.
      if (error.code === 'EADDRINUSE' && port !== 0) resolve(listen(fetch, 0));
      else reject(error);
    });
  });
}
