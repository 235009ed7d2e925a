import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BotProcess } from '../../sandbox/bot-process.ts';
import { runBotToItsEnd } from '../../sandbox/bot-process.ts';
import type { Stage } from '../../sandbox/stage.ts';
import type { Server } from './shared-stage.ts';
import { addServer, addServerOn } from './shared-stage.ts';
import { finalMessage, setStage } from './support.ts';

const HURRIED_PAUSES = fileURLToPath(new URL('./hurried-pauses.ts', import.meta.url));
const SHARDS = 2;
const SHARDING_REQUIRED = 4011;
const AUTHENTICATION_FAILED = 4004;
const RECONNECTED_WITHIN_MS = 20_000;

/** A stage whose servers are spread over two shards, and a server on each. */
async function setShardedStage(t: TestContext) {
  const stage = await setStage(t);
  stage.discord.gateway.shardsRecommended = SHARDS;
  const servers = [0, 1].map((shard) => addServerOn(stage, shard, SHARDS));
  const bot = await stage.startBot({ preload: [HURRIED_PAUSES] });
  return { stage, servers, bot };
}

async function expectPicture({ discord }: Stage, { member, channel }: Server): Promise<void> {
  const interaction = discord.invoke({ command: 'imagine', options: { prompt: 'a fox' }, member, channel });
  assert.equal((await finalMessage(interaction)).shownAttachments.length, 1);
}

async function readiness({ httpPort }: BotProcess): Promise<number> {
  return (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).status;
}

async function untilReadinessIs(bot: BotProcess, status: number): Promise<void> {
  const deadline = Date.now() + RECONNECTED_WITHIN_MS;
  while ((await readiness(bot)) !== status) assert.ok(Date.now() < deadline, `never answered ${status}`);
}

async function untilStopping(bot: BotProcess): Promise<void> {
  const deadline = Date.now() + RECONNECTED_WITHIN_MS;
  while (!bot.logLines.some(({ msg }) => msg === 'stopping')) {
    assert.ok(Date.now() < deadline, 'it goes on');
    await sleep(10);
  }
}

test('as many shards are opened as Discord recommends, and commands of servers on each of them are answered', async (t) => {
  const { stage, servers, bot } = await setShardedStage(t);
  const opened = stage.discord.gateway
    .connectedSessions()
    .map(({ shardId, shardCount }) => `${shardId} of ${shardCount}`);
  assert.deepEqual(new Set(opened), new Set(['0 of 2', '1 of 2']));
  await Promise.all(servers.map(async (server) => expectPicture(stage, server)));
  assert.equal(bot.logLines.find(({ msg }) => msg === 'ready')?.['shards'], SHARDS);
});

test('while one shard is away the bot is not ready, the others are served, and it resumes', async (t) => {
  const { stage, servers, bot } = await setShardedStage(t);
  const { gateway } = stage.discord;
  const [first, second] = servers;
  assert.ok(first && second);
  assert.equal(await readiness(bot), 200);
  const lost = gateway.connectedSessions().find(({ shardId }) => shardId === 1);
  gateway.greetsClients = false;
  lost?.cut();
  await untilReadinessIs(bot, 503);
  await expectPicture(stage, first);
  const { member, channel } = second;
  const missed = stage.discord.invoke({ command: 'quota', member, channel });
  gateway.greetsClients = true;
  await missed.finalMessage({ timeoutMs: RECONNECTED_WITHIN_MS });
  await untilReadinessIs(bot, 200);
  const again = gateway.connectedSessions().find(({ shardId }) => shardId === 1);
  assert.equal(again?.id, lost?.id, 'it resumed and did not begin anew');
});

test('a bot whose servers do not fit on its shards is told so, and not to look at its network', async (t) => {
  const stage = await setStage(t);
  stage.discord.gateway.guildsPerShardMax = 1;
  addServer(stage);
  const { exitCode, output } = await runBotToItsEnd({ environment: stage.environment() });
  assert.equal(exitCode, 1);
  assert.match(output, /does not serve all of the bot's servers on 1 shard \(4011\).*Discord recommends/);
  assert.doesNotMatch(output, /network/);
});

for (const [code, remedy] of [
  [SHARDING_REQUIRED, /on 2 shards \(4011\)\. Start again/],
  [AUTHENTICATION_FAILED, /refused DISCORD_TOKEN/],
] as const) {
  test(`a shard that Discord will not have back (${code}) ends the bot with a reason, after what is under way`, async (t) => {
    const { stage, servers, bot } = await setShardedStage(t);
    const [server] = servers;
    assert.ok(server);
    const gate = stage.provider.holdAnswers();
    const { member, channel } = server;
    const drawn = stage.discord.invoke({ command: 'imagine', options: { prompt: 'a fox' }, member, channel });
    await gate.arrived(1);
    stage.discord.gateway
      .connectedSessions()
      .find(({ shardId }) => shardId === 1)
      ?.close(code, 'for good');
    await untilStopping(bot);
    gate.release();
    assert.equal((await finalMessage(drawn)).shownAttachments.length, 1);
    await bot.ended();
    assert.equal(bot.exit?.code, 1);
    assert.match(bot.output, remedy);
  });
}
