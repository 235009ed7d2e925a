import { once } from 'node:events';
import { connect } from 'node:net';

/** The servers that the tests use, and never stop. Both addresses can be set from outside. */
export const POSTGRES_URL = process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
export const REDIS_URL = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'postgres:': 5432, 'postgresql:': 5432, 'redis:': 6379 };
const CONNECT_WAIT_MS_MAX = 2_000;

/** Where a server listens. */
export function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port) };
}

/**
 * Why tests against a server have to be left out on this machine; undefined where nothing is in their way.
 * @throws {Error} where they must not be left out, which is in continuous integration.
 */
export async function whyMissing(url: string): Promise<string | undefined> {
  const { host, port } = addressOf(url);
  const socket = connect({ host, port, timeout: CONNECT_WAIT_MS_MAX });
  socket.once('timeout', () => socket.destroy(new Error('it does not answer')));
  try {
    await once(socket, 'connect');
    return undefined;
  } catch (error) {
    const reason = `no server at ${host}:${port}: ${error instanceof Error ? error.message : 'unknown'}`;
    if (process.env['CI'] === 'true') throw new Error(reason, { cause: error });
    return reason;
  } finally {
    socket.destroy();
  }
}
