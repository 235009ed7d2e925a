import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFaults } from '../../../sandbox/discord/faults.ts';
import { at, call } from './raw-bot.ts';
import { deferredImagine, setScene, webhookPath } from './support.ts';

test('faults strike their route, after some requests, as often as told', () => {
  const faults = createFaults();
  const handle = faults.add({ route: 'callback', after: 1, times: 2, kind: 'status', status: 503 });
  const struck = ['follow-up', 'callback', 'callback', 'callback', 'callback'] as const;
  assert.deepEqual(
    struck.map((route) => faults.take(route)?.kind),
    [undefined, undefined, 'status', 'status', undefined],
  );
  assert.equal(handle.spoiled(), 2);
  faults.add({ route: 'any', times: Infinity, kind: 'hang' }).remove();
  assert.equal(faults.take('callback'), undefined);
});

test('a server error and a rate limit do nothing, and say so in Discord’s way', async (context) => {
  const scene = await setScene(context);
  const { discord } = scene;
  const interaction = await deferredImagine(scene);
  const path = webhookPath(discord, interaction, '/messages/@original');
  discord.faults.add({ route: 'PATCH original', kind: 'status', status: 500 });
  discord.faults.add({ route: 'PATCH original', kind: 'rate limit', retryAfterSeconds: 1.5 });
  discord.faults.add({ route: 'PATCH original', kind: 'rate limit', retryAfterSeconds: 2, scope: 'global' });
  assert.equal((await call(discord, 'PATCH', path, { content: 'x' })).status, 500);
  const limited = await call(discord, 'PATCH', path, { content: 'x' });
  assert.deepEqual(limited.body, { message: 'You are being rate limited.', retry_after: 1.5, global: false });
  assert.deepEqual(
    ['retry-after', 'x-ratelimit-scope', 'x-ratelimit-remaining'].map((name) => limited.headers.get(name)),
    ['2', 'user', '0'],
  );
  const global = await call(discord, 'PATCH', path, { content: 'x' });
  assert.deepEqual([at(global.body, 'global'), global.headers.get('x-ratelimit-global')], [true, 'true']);
  assert.equal(interaction.original()?.isLoading, true);
  const well = await call(discord, 'PATCH', path, { content: 'x' });
  assert.deepEqual([well.status, well.headers.get('x-ratelimit-remaining')], [200, '999']);
  const statuses = discord.requests.filter(({ route }) => route === 'PATCH original').map(({ status }) => status);
  assert.deepEqual(statuses, [500, 429, 429, 200]);
});

test('a reset leaves nothing done, and accept then reset leaves it done', async (context) => {
  const scene = await setScene(context);
  const { discord } = scene;
  const interaction = await deferredImagine(scene);
  const path = webhookPath(discord, interaction, '/messages/@original');
  discord.faults.add({ route: 'PATCH original', kind: 'reset' });
  await assert.rejects(call(discord, 'PATCH', path, { content: 'lost' }), /fetch failed/);
  assert.equal(interaction.original()?.content, '');
  discord.faults.add({ route: 'PATCH original', kind: 'accept then reset' });
  await assert.rejects(call(discord, 'PATCH', path, { content: 'done' }), /fetch failed/);
  assert.equal(interaction.original()?.content, 'done');
  assert.deepEqual(
    discord.requests.slice(-2).map(({ fault, status }) => [fault, status]),
    [
      ['reset', undefined],
      ['accept then reset', undefined],
    ],
  );
});

test('a hanging request is never answered, and a delayed one late', async (context) => {
  const scene = await setScene(context);
  const { discord } = scene;
  const interaction = await deferredImagine(scene);
  const url = `${discord.apiUrl}/v10${webhookPath(discord, interaction, '/messages/@original')}`;
  discord.faults.add({ route: 'GET original', kind: 'hang' });
  await assert.rejects(fetch(url, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' });
  discord.faults.add({ route: 'GET original', kind: 'delay', delayMs: 60 });
  const startedAtMs = performance.now();
  assert.equal((await fetch(url)).status, 200);
  assert.ok(performance.now() - startedAtMs >= 59);
});
