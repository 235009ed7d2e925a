import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A wire between a client and a server that can be cut, frozen, and mended. */
export type TcpProxy = {
  /** On this machine. */
  readonly port: number;
  /** Ends every connection, and from now on every new one at once. */
  cut(): void;
  /** From now on nothing arrives any more, in either direction, and nobody is told. */
  freeze(): void;
  /** New connections work again. Frozen ones stay as they are, as they would for a client whose server moved. */
  mend(): void;
  close(): Promise<void>;
};

export async function createTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  let state: 'whole' | 'cut' | 'frozen' = 'whole';
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((client) => {
    if (state === 'cut') {
      client.destroy();
      return;
    }
    const upstream = connect(target);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('error', () => undefined);
      from.once('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
      if (state === 'whole') from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');

  const endAll = (): void => pairs.forEach(([client]) => client.destroy());
  return {
    port: address.port,
    cut() {
      state = 'cut';
      endAll();
    },
    freeze() {
      state = 'frozen';
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream).pause();
        upstream.unpipe(client).pause();
      }
    },
    mend() {
      state = 'whole';
    },
    async close() {
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
}
