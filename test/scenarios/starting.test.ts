import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { launchBot, runBotToItsEnd } from '../../sandbox/bot-process.ts';
import { findFreePort } from '../free-port.ts';
import { until } from '../until.ts';
import { addServerOn } from './shared-stage.ts';
import { finalMessage, setStage } from './support.ts';

const HURRIED_PAUSES = fileURLToPath(new URL('./hurried-pauses.ts', import.meta.url));
const HASTY_LOGIN = fileURLToPath(new URL('./hasty-login.ts', import.meta.url));
const WAIT_MS_MAX = 20_000;
/** Between the question for the gateway and an answer that does not come. */
const ENTERING_MS = 500;
const ENDED_WITHIN_MS = 5_000;
/** So many that the last one waits for longer than a test. */
const SHARDS_MANY = 16;

/** Waits until something listens there. */
async function ask(port: number, path: string): Promise<{ status: number; text: string }> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    if (response) return { status: response.status, text: await response.text() };
    assert.ok(Date.now() < deadline, `nobody answers at ${path}`);
    await sleep(20);
  }
}

test('a second process on the same port ends before it has entered the gateway', async (t) => {
  const stage = await setStage(t);
  const first = await stage.startBot();
  const { gateway, requests } = stage.discord;
  const before = requests.length;
  const environment = stage.environment({ HTTP_PORT: String(first.httpPort) });
  const { exitCode, output } = await runBotToItsEnd({ environment });
  assert.equal(exitCode, 1);
  assert.match(output, new RegExp(`Another process listens to HTTP_PORT ${first.httpPort}`));
  assert.equal(requests.length, before, 'it asked nothing of Discord');
  assert.equal(gateway.connectedSessions().length, 1);
});

for (const fault of [{ kind: 'status', status: 503 }, { kind: 'hang' }] as const) {
  test(`a bot that waits for Discord (${fault.kind}) ends at once when it is asked to`, async (t) => {
    const stage = await setStage(t);
    stage.discord.faults.add({ ...fault, route: 'gateway', times: Infinity });
    const bot = launchBot({ environment: stage.environment() });
    t.after(() => bot.signal('SIGKILL'));
    const attempts = () => stage.discord.requests.filter(({ route }) => route === 'gateway').length;
    await stage.discord.waitFor(() => attempts() >= 2, WAIT_MS_MAX);
    const askedAt = Date.now();
    bot.signal('SIGTERM');
    await bot.ended();
    assert.deepEqual(bot.exit, { code: 0, signal: null });
    assert.ok(Date.now() - askedAt < ENDED_WITHIN_MS);
    assert.doesNotMatch(bot.output, /"level":(50|60)/);
  });
}

test('a bot that is never let in ends at once as well, and begins nothing more', async (t) => {
  const stage = await setStage(t);
  stage.discord.gateway.letsClientsIn = false;
  const bot = launchBot({ environment: stage.environment() });
  t.after(() => bot.signal('SIGKILL'));
  await stage.discord.waitFor(() => stage.discord.requests.some(({ route }) => route === 'gateway'), WAIT_MS_MAX);
  await sleep(ENTERING_MS);
  bot.signal('SIGTERM');
  const askedAt = Date.now();
  await bot.ended();
  assert.deepEqual(bot.exit, { code: 0, signal: null });
  assert.ok(Date.now() - askedAt < ENDED_WITHIN_MS);
});

test('a bot that is never let in gives up', async (t) => {
  const stage = await setStage(t);
  stage.discord.gateway.letsClientsIn = false;
  const { exitCode, output } = await runBotToItsEnd({ environment: stage.environment(), preload: [HASTY_LOGIN] });
  assert.equal(exitCode, 1);
  assert.match(output, /gateway did not let us in within 30 seconds/);
});

test('a bot that waits for the list of models ends at once when it is asked to', async (t) => {
  const stage = await setStage(t);
  const asked = stage.provider.faults.add({ kind: 'delay', delayMs: WAIT_MS_MAX, endpoints: ['models'] });
  const bot = launchBot({ environment: stage.environment() });
  t.after(() => bot.signal('SIGKILL'));
  await until(() => asked.timesUsed > 0);
  bot.signal('SIGTERM');
  const askedAt = Date.now();
  await bot.ended();
  assert.deepEqual(bot.exit, { code: 0, signal: null });
  assert.ok(Date.now() - askedAt < ENDED_WITHIN_MS);
});

test('a bot whose commands Discord is slow to take works meanwhile', async (t) => {
  const stage = await setStage(t);
  const hanging = stage.discord.faults.add({ route: 'PUT commands', kind: 'hang', times: Infinity });
  const bot = await stage.startBot({ preload: [HURRIED_PAUSES] });
  assert.equal(hanging.spoiled(), 1);
  assert.equal((await ask(bot.httpPort, '/readyz')).status, 200);
});

test('a bot that waits for its other shards ends at once as well, after what the first has brought', async (t) => {
  const stage = await setStage(t);
  await (await stage.startBot()).stop();
  stage.discord.gateway.shardsRecommended = SHARDS_MANY;
  const bot = launchBot({ environment: stage.environment() });
  t.after(() => bot.signal('SIGKILL'));
  await stage.discord.botConnected({ timeoutMs: WAIT_MS_MAX });
  const [session] = stage.discord.gateway.connectedSessions();
  const server = addServerOn(stage, session?.shardId ?? 0, SHARDS_MANY);
  const gate = stage.provider.holdAnswers();
  const { member, channel } = server;
  const asked = stage.discord.invoke({ command: 'imagine', options: { prompt: 'a fox' }, member, channel });
  await gate.arrived(1);
  bot.signal('SIGTERM');
  await stage.discord.waitFor(() => stage.discord.gateway.connectedSessions().length === 0, ENDED_WITHIN_MS);
  gate.release();
  assert.equal((await finalMessage(asked)).shownAttachments.length, 1);
  await bot.ended();
  assert.deepEqual(bot.exit, { code: 0, signal: null });
});

test('a bot that waits for Discord says that it lives and is not ready, also to whoever wants to paint', async (t) => {
  const stage = await setStage(t);
  const port = await findFreePort();
  const away = stage.discord.faults.add({ route: 'gateway', kind: 'status', status: 503, times: Infinity });
  const environment = { HTTP_PORT: String(port), PUBLIC_URL: 'https://easel.example' };
  const starting = stage.startBot({ environment, preload: [HURRIED_PAUSES] });
  assert.deepEqual(await ask(port, '/healthz'), { status: 200, text: '{"status":"ok"}' });
  assert.deepEqual(await ask(port, '/readyz'), { status: 503, text: '{"status":"not ready"}' });
  const page = await ask(port, '/paint/somebody');
  assert.equal(page.status, 503);
  assert.match(page.text, /Load this page again in a minute/);

  away.remove();
  await starting;
  assert.equal((await ask(port, '/readyz')).status, 200);
  assert.equal((await ask(port, '/paint/somebody')).status, 404);
});
