import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, call, connectRawBot, openGateway } from './raw-bot.ts';
import { setScene } from './support.ts';

const PROPERTIES = { os: 'linux', browser: 'raw', device: 'raw' };
const GUILDS_INTENT = 1;
const MESSAGE_CONTENT_INTENT = 1 << 15;

test('a heartbeat is acknowledged', async (context) => {
  const { bot } = await setScene(context);
  bot.send(1, null);
  await bot.waitFor(() => bot.received.some(({ op }) => op === 11), 'the acknowledgement');
});

test('each wrong opening closes the connection with its own code', async (context) => {
  const { discord } = await setScene(context);
  const identify = { token: discord.botToken, intents: 0, properties: PROPERTIES };
  const cases: readonly [op: number, d: unknown, code: number][] = [
    [2, { ...identify, token: 'wrong' }, 4004],
    [2, { ...identify, intents: MESSAGE_CONTENT_INTENT }, 4014],
    [2, { ...identify, intents: 1 << 17 }, 4013],
    [2, { ...identify, shard: [2, 2] }, 4010],
    [3, { status: 'online' }, 4003],
    [99, null, 4001],
    [2, { token: 7 }, 4002],
  ];
  for (const [op, d, code] of cases) {
    const bot = openGateway(discord);
    await bot.waitFor(() => bot.received.length > 0, 'HELLO');
    bot.send(op, d);
    assert.equal(await bot.waitFor(() => bot.closeCode(), `the close code ${code}`), code);
  }
});

test('more guilds than a shard may serve require more shards, and as many are recommended', async (context) => {
  const { discord } = await setScene(context);
  discord.world.addGuild();
  discord.gateway.guildsPerShardMax = 1;
  const bot = openGateway(discord);
  await bot.waitFor(() => bot.received.length > 0, 'HELLO');
  bot.send(2, { token: discord.botToken, intents: 0, properties: PROPERTIES });
  assert.equal(await bot.waitFor(() => bot.closeCode(), 'the refusal'), 4011);

  const recommended = async () => at((await call(discord, 'GET', '/gateway/bot')).body, 'shards');
  assert.equal(await recommended(), 1);
  for (let count = 2; count <= 1_000; count += 1) discord.world.addGuild();
  assert.equal(await recommended(), 2);
});

test('guilds are named to every session, and told about to those that asked', async (context) => {
  const { discord, guild, bot } = await setScene(context);
  const asking = await connectRawBot(discord, { intents: GUILDS_INTENT });
  for (const session of [bot, asking]) {
    assert.deepEqual(at(session.events('READY'), 0, 'd', 'guilds'), [{ id: guild.id, unavailable: true }]);
  }
  assert.equal(at(asking.events('READY'), 0, 'd', 'application', 'id'), discord.applicationId);
  await asking.waitFor(() => asking.events('GUILD_CREATE').length === 1, 'GUILD_CREATE');
  discord.removeGuild(guild);
  await asking.waitFor(() => asking.events('GUILD_DELETE').length === 1, 'GUILD_DELETE');
  assert.deepEqual(asking.events('GUILD_DELETE')[0]?.d, { id: guild.id });
  assert.deepEqual([...bot.events('GUILD_CREATE'), ...bot.events('GUILD_DELETE')], []);
});

test('an interaction goes to the latest session, to all when asked, and again when repeated', async (context) => {
  const { discord, member, bot: first } = await setScene(context);
  const second = await connectRawBot(discord);
  const request = { member, command: 'imagine', options: { prompt: 'a fox' } };
  discord.invoke(request);
  const repeated = discord.invoke({ ...request, deliverTo: 'all', times: 3 });
  await second.waitFor(() => second.events('INTERACTION_CREATE').length === 4, 'four events');
  await first.waitFor(() => first.events('INTERACTION_CREATE').length === 3, 'three events');
  const ids = first.events('INTERACTION_CREATE').map(({ d }) => at(d, 'id'));
  assert.deepEqual(ids, [repeated.id, repeated.id, repeated.id]);
});

test('a shard hears only of its own guilds', async (context) => {
  const { discord, guild, member, bot } = await setScene(context);
  bot.close(1000);
  await discord.waitFor(() => discord.gateway.connectedSessions().length === 0);
  const shardId = Number((BigInt(guild.id) >> 22n) % 2n);
  const own = await connectRawBot(discord, { shard: [shardId, 2] });
  const other = await connectRawBot(discord, { shard: [1 - shardId, 2] });
  discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' }, deliverTo: 'all' });
  await own.waitFor(() => own.events('INTERACTION_CREATE').length === 1, 'the event');
  assert.deepEqual(other.events('INTERACTION_CREATE'), []);
});

test('a session whose connection broke gets what it missed when it resumes', async (context) => {
  const { discord, member, bot } = await setScene(context);
  const ready = bot.events('READY')[0];
  discord.gateway.cutConnections();
  await bot.waitFor(() => bot.closeCode(), 'the end of the connection');
  const missed = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  const again = openGateway(discord);
  await again.waitFor(() => again.received.length > 0, 'HELLO');
  again.send(6, { token: discord.botToken, session_id: at(ready, 'd', 'session_id'), seq: ready?.s });
  await again.waitFor(() => again.events('RESUMED').length === 1, 'RESUMED');
  assert.deepEqual(
    again.events('INTERACTION_CREATE').map(({ d }) => at(d, 'id')),
    [missed.id],
  );
});

test('an unknown session cannot be resumed, and reconnects can be asked for', async (context) => {
  const { discord, bot } = await setScene(context);
  discord.gateway.requestReconnect();
  await bot.waitFor(() => bot.received.some(({ op }) => op === 7), 'RECONNECT');
  const stranger = openGateway(discord);
  await stranger.waitFor(() => stranger.received.length > 0, 'HELLO');
  stranger.send(6, { token: discord.botToken, session_id: 'unknown', seq: 1 });
  const answer = await stranger.waitFor(() => stranger.received.find(({ op }) => op === 9), 'INVALID_SESSION');
  assert.equal(answer.d, false);
});

test('a gateway that does not greet closes the connection before HELLO', async (context) => {
  const { discord } = await setScene(context);
  discord.gateway.greetsClients = false;
  const bot = openGateway(discord);
  assert.equal(await bot.waitFor(() => bot.closeCode(), 'the end of the connection'), 1001);
  assert.deepEqual(bot.received, []);
});

test('a bot that comes while another one goes is waited for, and not mistaken for it', async (context) => {
  const { discord, bot } = await setScene(context);
  const besides = discord.gateway.connectedSessions();
  await assert.rejects(discord.botConnected({ besides, timeoutMs: 50 }), /in vain for a connected bot/);
  bot.close(1000);
  await connectRawBot(discord);
  await discord.botConnected({ besides, timeoutMs: 1_000 });
});

test('a member cannot reach a bot that is not there', async (context) => {
  const { discord, member, bot } = await setScene(context);
  bot.close(1000);
  await discord.waitFor(() => discord.gateway.connectedSessions().length === 0);
  const invoke = () => discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  assert.throws(invoke, /No bot is connected/);
});
