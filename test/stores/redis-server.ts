import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@keyv/redis';
import { findFreePort } from '../free-port.ts';

/** A Redis server of a test's own, with the settings that a ledger needs, which can be killed and started again. */
export type RedisServer = {
  readonly url: string;
  /** Uses a connection of its own. */
  command(...words: readonly string[]): Promise<unknown>;
  start(): Promise<void>;
  /** Ends it at once, as a crash would. What it reported as written is on its disk. */
  kill(): Promise<void>;
  /** Ends it and removes everything of it. */
  remove(): Promise<void>;
};

const START_WAIT_MS_MAX = 20_000;
const START_PAUSE_MS = 50;

/**
 * Starts a server on a free port.
 * @throws {Error} where there is no `redis-server` on the PATH
 */
export async function startRedisServer(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-redis-'));
  const port = await findFreePort();
  const url = `redis://127.0.0.1:${port}`;
  const durable = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction', save: '' };
  const given = { port: String(port), bind: '127.0.0.1', dir: directory, ...durable, ...settings };
  const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
  let server: ChildProcess | undefined;

  async function command(...parts: readonly string[]): Promise<unknown> {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand(parts);
    } finally {
      client.destroy();
    }
  }

  async function untilAnswering(): Promise<void> {
    const deadline = performance.now() + START_WAIT_MS_MAX;
    for (;;) {
      try {
        await command('PING');
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await sleep(START_PAUSE_MS);
      }
    }
  }

  const running: RedisServer = {
    url,
    command,
    async start() {
      server = spawn('redis-server', words, { stdio: 'ignore' });
      await once(server, 'spawn');
      await untilAnswering();
    },
    async kill() {
      if (!server || server.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
    async remove() {
      await running.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await running.start();
  return running;
}
