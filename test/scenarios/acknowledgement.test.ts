import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readBooks } from '../audit.ts';
import { atRest, callsFor, judge, onlyPost, textOf } from './judgement.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const MEBIBYTE = 1024 * 1024;
const HEAVY_WAIT_MS_MAX = 60_000;
const ACKNOWLEDGE_WITHIN_MS = 3_000;
/** How the log writes them. */
const INFO = 30;
const WARNING = 40;

describe('an acknowledgement that Discord does not take ends the request before anything is held', () => {
  const shared = shareStage();
  const refusals = [
    ['the interaction is too old', WARNING, { kind: 'status', status: 404, body: { message: 'Unknown', code: 10062 } }],
    ['somebody else has it', INFO, { kind: 'status', status: 400, body: { message: 'Acknowledged', code: 40060 } }],
    ['the connection breaks, twice', WARNING, { kind: 'reset', times: 2 }],
    ['Discord fails, twice', WARNING, { kind: 'status', status: 503, times: 2 }],
    ['Discord answers too late', WARNING, { kind: 'delay', delayMs: 3_200 }],
    ['Discord wants to be left alone for longer than that', WARNING, { kind: 'rate limit', retryAfterSeconds: 2 }],
  ] as const;

  for (const [name, level, fault] of refusals) {
    test(name, async () => {
      const { stage, bot } = shared();
      const { discord } = stage;
      const { member, channel } = addServer(stage);
      discord.faults.add({ route: 'callback', ...fault });
      const prompt = `nobody waits for this: ${name}`;
      const interaction = discord.invoke({ command: 'imagine', member, channel, options: { prompt } });
      const findLine = () =>
        bot.logLines.find(({ msg, job }) => msg === 'acknowledgement refused' && job === interaction.id);
      const line = await discord.waitFor(findLine, 10_000);
      assert.equal(line['level'], level);
      await atRest(stage, { interaction });
      assert.equal(interaction.state, undefined);
      assert.deepEqual(callsFor(stage, prompt), []);
      assert.equal(readBooks(stage.dataDirectory).transfers.get(interaction.id), undefined);
      assert.deepEqual(discord.channelMessages(channel), []);
      assert.deepEqual(discord.directMessages(member.user), []);
    });
  }

  const unheard = [
    ['its answer is lost', { kind: 'accept then reset' }],
    ['its answer never comes', { kind: 'accept then hang' }],
  ] as const;
  for (const [name, fault] of unheard) {
    test(`one that Discord took, but ${name}, is not left thinking`, async () => {
      const { stage } = shared();
      const { discord } = stage;
      const { member, channel } = addServer(stage);
      discord.faults.add({ route: 'callback', ...fault });
      const prompt = `whether anybody waits for this is unknown: ${name}`;
      const interaction = discord.invoke({ command: 'imagine', member, channel, options: { prompt } });
      await interaction.finalMessage({ timeoutMs: 15_000, where: ({ isLoading }) => !isLoading });
      assert.match(textOf(interaction), /missed each other.*nothing charged/);
      await atRest(stage, { interaction });
      assert.deepEqual(callsFor(stage, prompt), []);
      assert.equal(readBooks(stage.dataDirectory).transfers.get(interaction.id), undefined);
    });
  }

  test('one that is slow, but in time, changes nothing', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    stage.discord.faults.add({ route: 'callback', kind: 'delay', delayMs: 1_500 });
    const interaction = stage.discord.invoke({
      command: 'imagine',
      member: server.member,
      channel: server.channel,
      options: { prompt: 'a snail' },
    });
    await onlyPost(stage, interaction, server.member);
    assert.equal(callsFor(stage, 'a snail').length, 1);
    assert.equal(judge(stage).posted, 1);
  });

  test('one that Discord asks to have a moment later is brought a moment later', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const retryAfterSeconds = 0.4;
    stage.discord.faults.add({ route: 'callback', kind: 'rate limit', retryAfterSeconds });
    const interaction = stage.discord.invoke({
      command: 'imagine',
      member: server.member,
      channel: server.channel,
      options: { prompt: 'a tortoise' },
    });
    await interaction.acknowledged();
    assert.ok((interaction.acknowledgedAfterMs ?? 0) >= retryAfterSeconds * 1_000, 'the wait was cut short');
    await onlyPost(stage, interaction, server.member);
    assert.equal(callsFor(stage, 'a tortoise').length, 1);
    judge(stage);
  });

  const passing = [
    ...[500, 502, 503, 504].map((status) => [`a ${status}`, { kind: 'status', status }] as const),
    ['a connection that breaks', { kind: 'reset' }],
  ] as const;
  for (const [name, fault] of passing) {
    test(`after ${name} it is brought once more, and changes nothing`, async () => {
      const { stage } = shared();
      const { member, channel } = addServer(stage);
      const armed = stage.discord.faults.add({ route: 'callback', ...fault });
      const prompt = `a hare after ${name}`;
      const interaction = stage.discord.invoke({ command: 'imagine', member, channel, options: { prompt } });
      await onlyPost(stage, interaction, member);
      assert.equal(armed.spoiled(), 1);
      assert.equal(callsFor(stage, prompt).length, 1);
      judge(stage);
    });
  }
});

test('why a request could not begin is in the log, also where Discord did not take its acknowledgement', async (t) => {
  const stage = await setStage(t);
  const bot = await stage.startBot();
  const { member, channel } = addServer(stage);
  await rm(join(stage.dataDirectory, 'spool'), { recursive: true });
  const body = { message: 'Unknown interaction', code: 10062 };
  stage.discord.faults.add({ route: 'callback', kind: 'status', status: 404, body });
  const { id } = stage.discord.invoke({ command: 'imagine', member, channel, options: { prompt: 'a lost fox' } });
  const line = await stage.discord.waitFor(() =>
    bot.logLines.find(({ msg, job }) => msg === 'an unacknowledged request could not begin either' && job === id),
  );
  assert.match(JSON.stringify(line['err']), /ENOENT/);
  assert.deepEqual(callsFor(stage, 'a lost fox'), []);
});

describe('acknowledgements stay quick', () => {
  const RESULTS = 8;
  const shared = shareStage({ provider: { resultBytes: 12 * MEBIBYTE } });

  test('while heavy results arrive and are made smaller', async () => {
    const { stage } = shared();
    const { discord, provider } = stage;
    const gate = provider.holdAnswers();
    const heavy = Array.from({ length: RESULTS }, () => {
      const { channel, member } = addServer(stage);
      return {
        member,
        interaction: discord.invoke({ command: 'imagine', member, channel, options: { prompt: 'a whale' } }),
      };
    });
    await gate.arrived(RESULTS);
    gate.release();

    const { channel, member } = addServer(stage);
    const delaysMs: number[] = [];
    const isPending = ({ interaction }: (typeof heavy)[number]) => interaction.original()?.isLoading !== false;
    const deadline = Date.now() + HEAVY_WAIT_MS_MAX;
    while (heavy.some(isPending)) {
      assert.ok(Date.now() < deadline, 'the heavy results never arrived');
      const quota = discord.invoke({ command: 'quota', member, channel });
      await quota.acknowledged();
      delaysMs.push(quota.acknowledgedAfterMs ?? Infinity);
    }
    assert.ok(delaysMs.length > 0, 'no command was taken in the meantime');
    assert.ok(Math.max(...delaysMs) < ACKNOWLEDGE_WITHIN_MS, `the slowest took ${Math.max(...delaysMs)} ms`);
    for (const { interaction, member: requester } of heavy) await onlyPost(stage, interaction, requester);
    assert.equal(judge(stage).posted, RESULTS);
  });
});
