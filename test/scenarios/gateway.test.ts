import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { runBotToItsEnd } from '../../sandbox/bot-process.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { until } from '../until.ts';
import type { SharedStage } from './shared-stage.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const HASTY_LOGIN = fileURLToPath(new URL('./hasty-login.ts', import.meta.url));
const HURRIED_PAUSES = fileURLToPath(new URL('./hurried-pauses.ts', import.meta.url));
const HTTP_OK = 200;
const HTTP_UNAVAILABLE = 503;
const RECONNECTED_WITHIN_MS = 20_000;
const STOPPED_WITHIN_MS = 5_000;

/** Asks something that costs nothing, and resolves when it is answered. */
async function expectAnswer({ stage }: SharedStage): Promise<void> {
  const { channel, member } = addServer(stage);
  const interaction = stage.discord.invoke({ command: 'quota', member, channel });
  await interaction.finalMessage({ timeoutMs: RECONNECTED_WITHIN_MS });
}

async function health({ bot }: SharedStage, path: '/healthz' | '/readyz'): Promise<number> {
  return (await fetch(`http://127.0.0.1:${bot.httpPort}${path}`)).status;
}

/** Does what another program with the same token would do, which has no commands. */
async function overwriteCommands(stage: Stage): Promise<void> {
  const { DISCORD_API_URL, DISCORD_TOKEN } = stage.environment();
  const response = await fetch(`${DISCORD_API_URL}/v10/applications/${stage.discord.applicationId}/commands`, {
    method: 'PUT',
    headers: { authorization: `Bot ${DISCORD_TOKEN}`, 'content-type': 'application/json' },
    body: '[]',
  });
  assert.equal(response.status, HTTP_OK);
}

/** Waits until the bot itself says so, which is a little after the connection itself has changed. */
async function untilReadinessIs(shared: SharedStage, status: number): Promise<void> {
  await until(async () => (await health(shared, '/readyz')) === status);
}

describe('the gateway comes and goes', () => {
  const shared = shareStage({ bot: { preload: [HURRIED_PAUSES] } });

  test('commands are answered after Discord asks to reconnect', async () => {
    const { discord } = shared().stage;
    discord.gateway.requestReconnect();
    await discord.waitFor(() => discord.gateway.connectedSessions().length === 0);
    await discord.botConnected({ timeoutMs: RECONNECTED_WITHIN_MS });
    await expectAnswer(shared());
  });

  test('a command that came while the connection was cut is answered when it resumes', async () => {
    const { stage } = shared();
    const [session] = stage.discord.gateway.connectedSessions();
    stage.discord.gateway.cutConnections();
    await expectAnswer(shared());
    assert.equal(stage.discord.gateway.connectedSessions()[0]?.id, session?.id, 'it resumed and did not begin anew');
  });

  test('a session that is gone for good is replaced by a new one', async () => {
    const { discord } = shared().stage;
    discord.gateway.invalidateSessions({ resumable: false });
    await discord.botConnected({ timeoutMs: RECONNECTED_WITHIN_MS });
    await expectAnswer(shared());
  });

  test('events that make no sense are survived', async () => {
    const { stage, bot } = shared();
    const nonsense: unknown[] = [null, 'text', [], {}, { id: 7, type: 2 }, { id: '1', type: 2, data: null, token: 1 }];
    for (const data of nonsense) stage.discord.gateway.dispatch('INTERACTION_CREATE', data);
    stage.discord.gateway.dispatch('NO_SUCH_EVENT', { guild_id: 'x' });
    stage.discord.gateway.dispatch('GUILD_CREATE', null);
    await expectAnswer(shared());
    assert.equal(bot.exit, undefined);
  });

  test('without the gateway the bot lives, is not ready, and becomes ready again', async () => {
    const { stage } = shared();
    const { gateway } = stage.discord;
    assert.deepEqual([await health(shared(), '/healthz'), await health(shared(), '/readyz')], [HTTP_OK, HTTP_OK]);
    gateway.greetsClients = false;
    gateway.cutConnections();
    await untilReadinessIs(shared(), HTTP_UNAVAILABLE);
    assert.equal(await health(shared(), '/healthz'), HTTP_OK);
    gateway.greetsClients = true;
    await untilReadinessIs(shared(), HTTP_OK);
    await expectAnswer(shared());
  });
});

test('a gateway that never says hello ends the start, with a remedy', async (t) => {
  const stage = await setStage(t);
  stage.discord.gateway.greetsClients = false;
  const environment = stage.environment();
  const { exitCode, output } = await runBotToItsEnd({ environment, preload: [HASTY_LOGIN] });
  assert.equal(exitCode, 1);
  assert.match(output, /gateway did not let us in within 30 seconds.*DISCORD_API_URL/);
});

test('the more shards have to be let in one after the other, the longer that may take', async (t) => {
  const stage = await setStage(t);
  stage.discord.gateway.greetsClients = false;
  stage.discord.gateway.shardsRecommended = 5;
  stage.discord.gateway.concurrentIdentifiesMax = 2;
  const { output } = await runBotToItsEnd({ environment: stage.environment(), preload: [HASTY_LOGIN] });
  assert.match(output, /gateway did not let us in within 43 seconds/);
});

test('commands are registered at every start, and waited for only where they or their place have changed', async (t) => {
  const stage = await setStage(t);
  const { discord } = stage;
  const registrations = () =>
    discord.requests.filter(({ route, status }) => route === 'PUT commands' && status === 200);
  const restart = async (waits: boolean): Promise<void> => {
    const before = registrations().length;
    discord.faults.add({ route: 'PUT commands', kind: 'delay', delayMs: 2_000 });
    const bot = await stage.startBot();
    assert.equal(registrations().length, waits ? before + 1 : before);
    await discord.waitFor(() => registrations().length === before + 1, RECONNECTED_WITHIN_MS);
    await until(() => bot.logLines.some(({ msg }) => msg === 'commands registered'));
    await bot.stop();
  };
  await restart(true);
  await restart(false);
  // What an earlier version has left there is what it registered, and not what this one would.
  await writeFile(join(stage.dataDirectory, 'registered-commands'), 'other commands');
  await restart(true);
  await restart(false);
});

test('commands that another program has overwritten are there again after a start, also where that takes some attempts', async (t) => {
  const stage = await setStage(t);
  const { discord } = stage;
  const isThere = (): boolean => discord.registeredCommands().some(({ name }) => name === 'imagine');
  await (await stage.startBot()).stop();
  await overwriteCommands(stage);
  assert.ok(!isThere());
  discord.faults.add({ route: 'PUT commands', kind: 'status', status: 503, times: 2 });
  await stage.startBot({ preload: [HURRIED_PAUSES] });
  await discord.waitFor(isThere, RECONNECTED_WITHIN_MS);
  const { channel, member } = addServer(stage);
  await discord.invoke({ command: 'quota', member, channel }).finalMessage();
});

test('commands are registered however long Discord takes over them', async (t) => {
  const stage = await setStage(t);
  stage.discord.faults.add({ route: 'PUT commands', kind: 'delay', delayMs: 4_000 });
  await stage.startBot();
  assert.ok(stage.discord.registeredCommands().some(({ name }) => name === 'imagine'));
});

test('commands that Discord does not take at first are registered while the bot is at work, and told of once', async (t) => {
  const stage = await setStage(t);
  const away = stage.discord.faults.add({ route: 'PUT commands', kind: 'status', status: 503, times: 5 });
  const bot = await stage.startBot({ preload: [HURRIED_PAUSES] });
  await stage.discord.waitFor(() => stage.discord.registeredCommands().length > 0, RECONNECTED_WITHIN_MS);
  assert.equal(away.spoiled(), 5);
  const { channel, member } = addServer(stage);
  await stage.discord.invoke({ command: 'quota', member, channel }).finalMessage();
  await bot.stop();
  const messages = bot.logLines.map(({ msg }) => String(msg)).filter((message) => message.startsWith('commands '));
  assert.deepEqual(messages, [
    'commands could not be registered; this is tried again until it succeeds',
    'commands registered',
  ]);
});

test('a bot that is asked to stop does not wait for commands to be registered that are those of the last time', async (t) => {
  const stage = await setStage(t);
  await (await stage.startBot()).stop();
  const hanging = stage.discord.faults.add({ route: 'PUT commands', kind: 'hang', times: Infinity });
  const bot = await stage.startBot();
  await stage.discord.waitFor(() => hanging.spoiled() === 1, RECONNECTED_WITHIN_MS);
  const askedAt = Date.now();
  await bot.stop();
  assert.deepEqual(bot.exit, { code: 0, signal: null });
  assert.ok(Date.now() - askedAt < STOPPED_WITHIN_MS);
});

test('a bot that is asked to stop does not wait for its commands to be registered', async (t) => {
  const stage = await setStage(t);
  stage.discord.faults.add({ route: 'PUT commands', kind: 'status', status: 503, times: 4 });
  stage.discord.faults.add({ route: 'PUT commands', kind: 'hang' });
  const bot = await stage.startBot({ preload: [HURRIED_PAUSES] });
  const attempts = () => stage.discord.requests.filter(({ route }) => route === 'PUT commands').length;
  await stage.discord.waitFor(() => attempts() === 5, RECONNECTED_WITHIN_MS);
  const askedAt = Date.now();
  await bot.stop();
  assert.deepEqual(bot.exit, { code: 0, signal: null });
  assert.ok(Date.now() - askedAt < STOPPED_WITHIN_MS);
});

test('commands that cannot be noted down are registered all the same, and the log says which of the two failed', async (t) => {
  const stage = await setStage(t);
  await mkdir(join(stage.dataDirectory, 'registered-commands'));
  const bot = await stage.startBot();
  assert.ok(stage.discord.registeredCommands().some(({ name }) => name === 'imagine'));
  const messages = bot.logLines.map(({ msg }) => msg);
  assert.ok(messages.includes('commands registered'));
  assert.ok(messages.includes('that commands are registered could not be noted down; the next start does it again'));
});
