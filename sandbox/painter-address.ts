import { once } from 'node:events';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** Settings of a bot whose painter is reached at its own port, which stays the same after a restart. */
export async function reachablePainter(): Promise<Record<string, string>> {
  const probe = createServer().listen(0, LOOPBACK);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port');
  return { HTTP_PORT: String(address.port), PUBLIC_URL: `http://${LOOPBACK}:${address.port}` };
}
