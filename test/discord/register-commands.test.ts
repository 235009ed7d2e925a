import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { createDiscordRest } from '../../src/discord/discord-rest.ts';
import { registerCommands } from '../../src/discord/register-commands.ts';
import { answerJson, startLocalServer } from '../services/providers/local-server.ts';

/** Starts of one bot, with a Discord that takes its commands, and what that was asked. */
async function openStarts(t: TestContext) {
  const server = await startLocalServer((response) => answerJson(response, 200, []));
  t.after(async () => server[Symbol.asyncDispose]());
  const apiUrl = `${server.origin}/api`;
  const rest = createDiscordRest({ apiUrl, token: 'a-token', now: Date.now });
  t.after(async () => rest.close());
  const directory = await mkdtemp(join(tmpdir(), 'easel-commands-'));
  t.after(async () => rm(directory, { recursive: true }));
  const start = async (ready: Promise<void>, stopping: AbortSignal = new AbortController().signal) =>
    registerCommands({
      rest: rest.patient,
      apiUrl,
      applicationId: '1100000000000000001',
      commands: [],
      recordPath: join(directory, 'registered-commands'),
      ready,
      stopping,
      sleep: async () => undefined,
      log: pino({ level: 'silent' }),
    });
  return { start, asked: () => server.requests.length };
}

const never = new Promise<void>(() => undefined);

test('commands that Discord was told before are told again when the bot is ready, and not sooner', async (t) => {
  const { start, asked } = await openStarts(t);
  await (
    await start(never)
  ).ended;
  assert.equal(asked(), 1, 'what is new does not wait');
  const ready = Promise.withResolvers<void>();
  const { ended } = await start(ready.promise);
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  assert.equal(asked(), 1);
  ready.resolve();
  await ended;
  assert.equal(asked(), 2);
});

test('a bot that is stopped before it is ready tells nobody', async (t) => {
  const { start, asked } = await openStarts(t);
  await (
    await start(never)
  ).ended;
  const stopping = new AbortController();
  const { ended } = await start(never, stopping.signal);
  stopping.abort();
  await ended;
  assert.equal(asked(), 1);
});
