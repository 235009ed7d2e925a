import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { pino } from 'pino';
import { createEmulatedDiscord } from '../../sandbox/discord/emulated-discord.ts';
import { createDiscordRest } from '../../src/discord/discord-rest.ts';
import { GatewayError } from '../../src/discord/gateway-error.ts';
import { createGateway } from '../../src/discord/gateway.ts';

/** Discord lets one in every five seconds. */
const SECOND_SHARD_MS_MAX = 10_000;

/** An emulated Discord, and what it takes to enter its gateway. */
async function openDiscord(t: TestContext) {
  const discord = await createEmulatedDiscord();
  t.after(async () => discord.close());
  return {
    discord,
    open,
    connect: async (changes: Changes = {}) => {
      const gateway = open(changes);
      return { ...gateway, ...((await gateway.connect()) ?? assert.fail('it was left')) };
    },
  };

  function open({ token = discord.botToken, onInteraction = () => undefined, sleep = async () => undefined }: Changes) {
    const rest = createDiscordRest({ apiUrl: discord.apiUrl, token, now: Date.now });
    t.after(async () => rest.close());
    const log = pino({ level: 'silent' });
    return createGateway({ token, rest: rest.quickOptions, onInteraction, onLost: () => undefined, sleep, log });
  }
}

type Changes = {
  readonly token?: string;
  readonly onInteraction?: (interaction: { readonly id: string }) => void;
  readonly sleep?: () => Promise<unknown>;
};

test('a token that Discord refuses is named as the reason, and not shown', async (t) => {
  const { connect } = await openDiscord(t);
  await assert.rejects(connect({ token: 'canary-token' }), (error) => {
    assert.ok(error instanceof GatewayError);
    assert.match(error.message, /refused DISCORD_TOKEN.*Copy a new one/);
    assert.doesNotMatch(error.message, /canary/);
    return true;
  });
});

test('a Discord that cannot be reached is not blamed on the token', async (t) => {
  const { discord, connect } = await openDiscord(t);
  await discord.close();
  await assert.rejects(connect(), (error) => {
    assert.ok(error instanceof GatewayError);
    assert.match(error.message, /cannot be reached.*network/);
    return true;
  });
});

test('an address that is wrong is not blamed on the token', async (t) => {
  const { discord, connect } = await openDiscord(t);
  discord.faults.add({ kind: 'status', status: 404, route: 'gateway', body: { message: '404: Not Found', code: 0 } });
  await assert.rejects(connect(), /cannot be reached.*DISCORD_API_URL/);
});

test('a Discord that is not up yet is waited for, and a token that it refuses is not tried again', async (t) => {
  const { discord, connect } = await openDiscord(t);
  const unavailable = discord.faults.add({ kind: 'status', status: 503, route: 'gateway', times: 9 });
  const gateway = await connect();
  assert.equal(unavailable.spoiled(), 9);
  await gateway.disconnect();

  const asked = () => discord.requests.filter(({ route }) => route === 'gateway').length;
  const before = asked();
  await assert.rejects(connect({ token: 'canary-token' }), /refused DISCORD_TOKEN/);
  assert.equal(asked() - before, 1);
});

test('a gateway that does not say how often it may be entered is entered', async (t) => {
  const { discord, connect } = await openDiscord(t);
  const url = discord.apiUrl.replace(/^http(.*)\/api$/, 'ws$1/gateway');
  discord.faults.add({ kind: 'status', status: 200, route: 'gateway', body: { url }, times: Infinity });
  const gateway = await connect();
  assert.equal(gateway.isConnected(), true);
  assert.equal(gateway.shards, 1);
  await gateway.disconnect();
});

test('a bot that has been let in too often today is told how often, and until when', async (t) => {
  const { discord, connect } = await openDiscord(t);
  const limit = { total: 1_000, remaining: 1, reset_after: 90_000, max_concurrency: 1 };
  const body = { url: discord.gatewayUrl, shards: 2, session_start_limit: limit };
  discord.faults.add({ kind: 'status', status: 200, route: 'gateway', body });
  await assert.rejects(connect(), /only 1000 times a day.*needs 2.*has 1 left.*in 2 minutes/);
});

test('a command of the first shard is handed on while the last one waits to be let in', async (t) => {
  const { discord, connect } = await openDiscord(t);
  discord.gateway.shardsRecommended = 2;
  const heard: string[] = [];
  const connecting = connect({ onInteraction: ({ id }) => void heard.push(id) });
  await discord.botConnected();
  const interaction = { id: '8', token: 'token', type: 2, channel_id: '1', user: { id: '2', username: 'mira' } };
  const data = { id: '3', name: 'imagine', type: 1 };
  const [first] = discord.gateway.connectedSessions();
  first?.dispatch('INTERACTION_CREATE', { ...interaction, data });
  await discord.waitFor(
    () => heard.length > 0 || discord.gateway.connectedSessions().length === 2,
    SECOND_SHARD_MS_MAX,
  );
  assert.deepEqual(heard, ['8']);
  const gateway = await connecting;
  assert.equal(gateway.shards, 2);
  await gateway.disconnect();
});

test('whoever leaves while Discord is not up yet has not got to wait for it', async (t) => {
  const { discord, open } = await openDiscord(t);
  const { promise: forever } = Promise.withResolvers<never>();
  discord.faults.add({ kind: 'status', status: 503, route: 'gateway', times: Infinity });
  const waits = Promise.withResolvers<void>();
  const waiting = open({ sleep: async () => (waits.resolve(), forever) });
  const entering = waiting.connect();
  await waits.promise;
  await waiting.disconnect();
  assert.equal(await entering, undefined);
  assert.equal(waiting.isConnected(), false);

  discord.faults.clear();
  const left = open({});
  await left.disconnect();
  assert.equal(await left.connect(), undefined);
  assert.equal(discord.gateway.connectedSessions().length, 0);
});

test('once let in, the connection says so until it is left', async (t) => {
  const { discord, connect } = await openDiscord(t);
  const gateway = await connect();
  assert.equal(gateway.applicationId, discord.applicationId);
  assert.equal(gateway.isConnected(), true);
  await gateway.disconnect();
  assert.equal(gateway.isConnected(), false);
});
