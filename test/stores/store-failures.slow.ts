import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { createRecordFile } from '../../src/services/spool/record-file.ts';
import type { Books } from '../audit.ts';
import { readBooks } from '../audit.ts';
import { createPostgresDatabase } from '../contracts/postgres-database.ts';
import { readRedisBooks } from '../contracts/redis-books.ts';
import { addressOf, POSTGRES_URL, whyMissing } from '../contracts/servers.ts';
import { atRest, callsFor, judgeBooks, onlyPost } from '../scenarios/judgement.ts';
import { answered } from '../scenarios/requests.ts';
import { addServer } from '../scenarios/shared-stage.ts';
import { setStage } from '../scenarios/support.ts';
import { createTcpProxy } from '../storage/tcp-proxy.ts';
import type { RedisServer } from './redis-server.ts';
import { startRedisServer } from './redis-server.ts';

/**
 * Stores that fail while a paid picture waits to be booked. Each time the picture has to be posted once and billed
 * once when the store is back, and nobody else may be charged in between. Much of it is waiting.
 */

const WAIT_MS_MAX = 60_000;
const LOCKED_MS = 30_000;
const MEBIBYTE = 1024 * 1024;
const HASTY_RECOVERY = { RECOVERY_SECONDS: '1' };

const redisMissing = await whyNoRedisServer();
const postgresMissing = await whyMissing(POSTGRES_URL);

describe('a store that fails between the receipt and the books', { concurrency: true }, () => {
  test('SQLite, locked by somebody else for half a minute', async (t) => {
    const stage = await setStage(t, { environment: HASTY_RECOVERY });
    await provePaidOnce(stage, {
      async outage(untilMended) {
        const database = new DatabaseSync(join(stage.dataDirectory, 'easel.sqlite'));
        database.exec('PRAGMA busy_timeout = 5000; BEGIN EXCLUSIVE');
        const isLongEnough = sleep(LOCKED_MS);
        await untilMended();
        await isLongEnough;
        database.exec('COMMIT');
        database.close();
      },
      readBooks: async () => readBooks(stage.dataDirectory),
    });
  });

  test('Redis, killed and started again', { skip: redisMissing ?? false }, async (t) => {
    const redis = await redisFor(t);
    const stage = await setStage(t, { environment: { ...HASTY_RECOVERY, STORE_URL: redis.url } });
    await provePaidOnce(stage, {
      async outage(untilMended) {
        await redis.kill();
        await untilMended();
        await redis.start();
      },
      readBooks: async () => readRedisBooks(redis.url, 'ledger'),
    });
  });

  test('Redis, out of memory', { skip: redisMissing ?? false }, async (t) => {
    const redis = await redisFor(t, { maxmemory: String(64 * MEBIBYTE) });
    const stage = await setStage(t, { environment: { ...HASTY_RECOVERY, STORE_URL: redis.url } });
    await provePaidOnce(stage, {
      async outage(untilMended) {
        await redis.command('SET', 'filler', 'x'.repeat(8 * MEBIBYTE));
        // Far below what is in use, because a server at the very edge has room again whenever a client leaves.
        await redis.command('CONFIG', 'SET', 'maxmemory', String(4 * MEBIBYTE));
        await assert.rejects(async () => redis.command('SET', 'one more', ''), /OOM/);
        await untilMended();
        await redis.command('DEL', 'filler');
      },
      readBooks: async () => readRedisBooks(redis.url, 'ledger'),
    });
  });

  test('PostgreSQL, cut off', { skip: postgresMissing ?? false }, async (t) => {
    const database = await createPostgresDatabase();
    const proxy = await createTcpProxy(addressOf(database.url));
    const url = Object.assign(new URL(database.url), { hostname: '127.0.0.1', port: String(proxy.port) }).href;
    const stage = await setStage(t, { environment: { ...HASTY_RECOVERY, STORE_URL: url } });
    // After the stage, which is closed first, and its bots with it.
    t.after(async () => {
      await proxy.close();
      await database.drop();
    });
    await provePaidOnce(stage, {
      async outage(untilMended) {
        proxy.cut();
        await untilMended();
        proxy.mend();
      },
      readBooks: async () => database.readBooks('ledger'),
    });
  });
});

test('PostgreSQL, cut off while the bot starts, is missed by nobody', { skip: postgresMissing ?? false }, async (t) => {
  const database = await createPostgresDatabase();
  const proxy = await createTcpProxy(addressOf(database.url));
  const url = Object.assign(new URL(database.url), { hostname: '127.0.0.1', port: String(proxy.port) }).href;
  const stage = await setStage(t, { environment: { ...HASTY_RECOVERY, STORE_URL: url } });
  t.after(async () => {
    await proxy.close();
    await database.drop();
  });
  // Whoever asks for the gateway has opened the store, and recovery has still to begin.
  const asked = stage.discord.faults.add({ kind: 'delay', delayMs: 1_000, route: 'gateway' });
  const starting = stage.startBot();
  await stage.discord.waitFor(() => asked.spoiled() > 0, WAIT_MS_MAX);
  proxy.cut();
  const bot = await starting;
  await stage.discord.waitFor(() => /servers that may have holds could not be listed/.test(bot.output), WAIT_MS_MAX);
  proxy.mend();
  assert.match((await answered(imagine(stage, 'after the outage'))).text, /after the outage/);
  bot.signal('SIGTERM');
  await bot.ended();
  assert.deepEqual(bot.exit, { code: 0, signal: null });
  assert.doesNotMatch(bot.output, /nobody listened/);
});

type FailingStore = {
  /** Breaks the store, waits until it may be mended, and mends it. */
  readonly outage: (untilMended: () => Promise<void>) => Promise<void>;
  readonly readBooks: () => Promise<Books>;
};

async function provePaidOnce(stage: Stage, store: FailingStore): Promise<void> {
  const { discord, provider } = stage;
  const bot = await stage.startBot();
  const gate = provider.holdAnswers();
  const paid = imagine(stage, 'already under way');
  await gate.arrived(1);
  await store.outage(async () => {
    gate.release();
    await discord.waitFor(() => /settlement failed/.test(bot.output), WAIT_MS_MAX);
    assert.ok(hasReceipt(stage, paid), 'the result and its receipt are on this disk, whatever the store does');
    const { channel, member } = addServer(stage);
    const denied = discord.invoke({ command: 'imagine', member, channel, options: { prompt: 'too late' } });
    assert.match((await answered(denied)).text, /You were not charged/);
  });

  await onlyPost(stage, paid, stage.member);
  // The store serves again, in the same process.
  const later = imagine(stage, 'after the outage');
  await onlyPost(stage, later, stage.member);
  await atRest(stage);
  assert.equal(bot.exit, undefined);
  assert.equal(callsFor(stage, 'too late').length, 0);
  assert.equal(callsFor(stage, 'already under way').length, 1);
  const { posted, unknown, exposure } = judgeBooks(stage, await store.readBooks());
  assert.deepEqual({ posted, unknown, exposure }, { posted: 2, unknown: 0, exposure: 0 });
}

function imagine({ discord, member, channel }: Stage, prompt: string): InteractionHandle {
  return discord.invoke({ command: 'imagine', member, channel, options: { prompt } });
}

function hasReceipt({ dataDirectory }: Stage, { id }: InteractionHandle): boolean {
  const spool = join(dataDirectory, 'spool');
  const folder = readdirSync(spool).find((name) => name.startsWith(id));
  return folder !== undefined && createRecordFile(join(spool, folder, 'receipt.json'), false).read() !== undefined;
}

async function redisFor(t: TestContext, settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const redis = await startRedisServer(settings);
  t.after(async () => redis.remove());
  return redis;
}

/** Why tests with a Redis server of their own have to be left out; they must not be in continuous integration. */
async function whyNoRedisServer(): Promise<string | undefined> {
  try {
    await promisify(execFile)('redis-server', ['--version']);
    return undefined;
  } catch (error) {
    const reason = 'there is no redis-server on the PATH';
    if (process.env['CI'] === 'true') throw new Error(reason, { cause: error });
    return reason;
  }
}
