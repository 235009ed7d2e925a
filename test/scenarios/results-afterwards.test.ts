import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import sharp from 'sharp';
import * as z from 'zod';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { EmulatedChannel } from '../../sandbox/discord/world.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { createRecordFile } from '../../src/services/spool/record-file.ts';
import { until } from '../until.ts';
import { atRest, callsFor, judge, onlyPost, postsOf, textOf } from './judgement.ts';
import { buttonsOf, press, pressThrough } from './conversation.ts';
import { answered, ask, decide, isFor } from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const HASTY_RECOVERY = { RECOVERY_SECONDS: '1' };
const WAIT_MS_MAX = 30_000;
const HOUR_MS = 60 * 60_000;
const MEBIBYTE = 1024 * 1024;
/** About as small as a picture can be. Its file weighs as much as is said, and takes less time to encode anew. */
const SMALL = '816x816';

/** What is stored of a result for its buttons. */
function recordOf({ dataDirectory }: Stage, server: Server, { id }: InteractionHandle): string | undefined {
  const database = new DatabaseSync(join(dataDirectory, 'easel.sqlite'), { readOnly: true });
  try {
    const row = database.prepare('SELECT value FROM keyv WHERE key LIKE ?').get(`%result:{${server.guild.id}}:${id}`);
    return row && String(row['value']);
  } finally {
    database.close();
  }
}

/** The folder of a job that has not been cleared away. */
function folderOf({ dataDirectory }: Stage, { id }: InteractionHandle): string | undefined {
  const spool = join(dataDirectory, 'spool');
  const folder = readdirSync(spool).find((name) => name.startsWith(id));
  return folder === undefined ? undefined : join(spool, folder);
}

/** Asks for an image, and has Discord fall silent when the result, and not the news on the way to it, is sent. */
async function stopAtItsReply(
  { discord, provider }: Stage,
  { member, channel }: Server,
  prompt: string,
  kind: 'hang' | 'accept then hang',
): Promise<InteractionHandle> {
  const gate = provider.holdAnswers({ when: isFor(prompt) });
  const interaction = discord.invoke({ command: 'imagine', member, channel, options: { prompt, quality: 'low' } });
  await gate.arrived(1);
  await discord.waitFor(() => /The provider is at work/.test(textOf(interaction)), WAIT_MS_MAX);
  const fault = discord.faults.add({ kind, route: 'PATCH original', times: Infinity });
  gate.release();
  await discord.waitFor(() => fault.spoiled() > 0, WAIT_MS_MAX);
  return interaction;
}

/** So long a fetch may take that begins in the last moment. */
const FETCH_MS_MAX = 15 * 60_000;

/** Moves the end of what is kept into the past, as if a day had gone by. */
async function ageKept(folder: string): Promise<void> {
  const file = createRecordFile(join(folder, 'job.json'), false);
  const record = z.looseObject({ keptUntil: z.number() }).parse(file.read());
  await file.write({ ...record, keptUntil: Date.now() - FETCH_MS_MAX }, false);
}

function isKept(folder: string): boolean {
  return readFileSync(join(folder, 'job.json'), 'utf8').includes('"keptUntil"');
}

/** The button of a message with this verb; undefined where there is none. */
function buttonOf({ components }: EmulatedMessage, verb: string): string | undefined {
  return new RegExp(`"custom_id":"(easel:1:${verb}:[^"]+)"`).exec(JSON.stringify(components))?.[1];
}

/** Has every job of a server told in a channel of its own. */
async function logJobs(stage: Stage, server: Server): Promise<EmulatedChannel> {
  const channel = stage.discord.world.addChannel(server.guild, { name: 'log' });
  await decide(stage, server, 'log', { channel, jobs: true });
  return channel;
}

/** What a log channel says, without the words that introduce it. */
function toldIn({ discord }: Stage, channel: EmulatedChannel): string[] {
  return discord.channelMessages(channel).slice(1).map(renderMessage);
}

async function untilTold(stage: Stage, channel: EmulatedChannel, count = 1): Promise<readonly string[]> {
  await stage.discord.waitFor(() => toldIn(stage, channel).length >= count, WAIT_MS_MAX);
  return toldIn(stage, channel);
}

describe('what of a result outlives its job', { concurrency: true }, () => {
  describe('the log channel', { concurrency: 1 }, () => {
    const shared = shareStage();

    test('tells of a public result who made it with what, for how much, and where it stands', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const channel = await logJobs(stage, server);
      const prompt = 'a **bold** fox\n# in @everyone’s <#1> garden';
      const { interaction, message } = await ask(stage, server, 'imagine', { prompt, count: 2, quality: 'low' });
      const [told, ...others] = await untilTold(stage, channel);
      assert.deepEqual(others, []);
      assert.match(told ?? '', new RegExp(`<@${server.member.user.id}> made 2 images`));
      assert.match(told ?? '', /fox \S*# in/u, 'a prompt is one line');
      assert.ok(!told?.includes('@everyone'), 'and mentions nobody');
      assert.match(told ?? '', /gpt-image-\S+ · 1024x1024 · low · \$0\.\d+/);
      const link = `https://discord.com/channels/${server.guild.id}/${server.channel.id}/${message.id}`;
      assert.ok(told?.includes(link), told);
      const [posted] = stage.discord.channelMessages(channel).slice(1);
      assert.deepEqual(posted?.pings, { users: [], roles: [], everyone: false });
      assert.equal(posted?.nonce, `log-${interaction.id}`);
    });

    test('tells of a private result who made it with which model, for how much, and nothing else', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const channel = await logJobs(stage, server);
      await ask(stage, server, 'imagine', { prompt: 'a secret badger', private: true });
      const [told = ''] = await untilTold(stage, channel);
      assert.match(told, new RegExp(`<@${server.member.user.id}> made an image in private`));
      assert.match(told, /gpt-image-\S+ · \$0\.\d+/);
      assert.doesNotMatch(told, /badger|discord\.com|1024/);
    });

    test('tells of what may have been paid for, and not of what cost nothing', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const channel = await logJobs(stage, server);
      stage.provider.faults.add({ kind: 'bill-then-drop', when: isFor('a lost lynx') });
      await ask(stage, server, 'imagine', { prompt: 'x', model: 'gpt-image-2', size: '1x1' });
      await ask(stage, server, 'imagine', { prompt: 'a lost lynx' });
      const [told = '', ...others] = await untilTold(stage, channel);
      assert.deepEqual(others, []);
      assert.match(told, /asked for an image, and the provider failed before its answer.*\n> a lost lynx\n.*up to \$/u);
    });

    test('keeps back what the safety system declined while it was being made, and says that this is why', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const channel = await logJobs(stage, server);
      await decide(stage, server, 'previews', { on: true });
      const [prompt, refusal] = ['a declined dodo', 'moderation_blocked_output'] as const;
      stage.provider.faults.add({ kind: 'refuse', refusal, midStream: true, when: isFor(prompt) });
      await ask(stage, server, 'imagine', { prompt, quality: 'low' });
      const [told = '', ...others] = await untilTold(stage, channel);
      assert.deepEqual(others, []);
      const who = `<@${server.member.user.id}>`;
      assert.match(told, new RegExp(`${who} asked for an image, and the provider's safety system declined`));
      assert.match(told, /not known whether it was charged\.\n-# gpt-image-\S+ · up to \$/u);
      assert.doesNotMatch(told, /dodo|discord\.com|1024|lost/);
    });

    test('tells of what was called off too late, once, also when somebody wants it after all', async () => {
      const { stage } = shared();
      const { discord, provider } = stage;
      const server = addServer(stage);
      const channel = await logJobs(stage, server);
      const gate = provider.holdAnswers({ when: isFor('a late wren') });
      const { member } = server;
      const options = { prompt: 'a late wren' };
      const interaction = discord.invoke({ command: 'imagine', member, channel: server.channel, options });
      await gate.arrived(1);
      const news = () => interaction.original() ?? assert.fail('the reply is gone');
      await discord.waitFor(() => buttonsOf(news()).has('Cancel'), WAIT_MS_MAX);
      await press(stage, news(), 'Cancel', member);
      gate.release();
      const { message } = await answered(interaction);
      const [told = ''] = await untilTold(stage, channel);
      assert.match(told, /cancelled this when the provider had already started; an image was made and paid for/);
      await until(() => isKept(currentFolder(stage, interaction)));
      discord.clock.advance(HOUR_MS);
      const shown = await pressThrough(stage, message, 'Show it anyway', member);
      assert.equal(shown.message.shownAttachments.length, 1, shown.text);
      await until(() => folderOf(stage, interaction) === undefined);
      const quota = await ask(stage, server, 'quota');
      assert.equal(buttonOf(quota.message, 'fetch'), undefined, 'it waits no longer');
      await ask(stage, server, 'imagine', { prompt: 'another wren' });
      const [, next = '', ...others] = await untilTold(stage, channel, 2);
      assert.match(next, /another wren/);
      assert.deepEqual(others, []);
    });

    test('says nothing where nobody wants to hear it', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      const channel = discord.world.addChannel(server.guild, { name: 'log' });
      await decide(stage, server, 'log', { channel });
      const { interaction } = await ask(stage, server, 'imagine', { prompt: 'a quiet mouse' });
      await atRest(stage, { interaction });
      // Whatever is told is told after it, so what this server would hear had come before what another one hears.
      const listening = addServer(stage);
      const other = await logJobs(stage, listening);
      await ask(stage, listening, 'imagine', { prompt: 'a loud mouse' });
      await untilTold(stage, other);
      assert.deepEqual(toldIn(stage, channel), []);
    });

    test('stands in nobody’s way where it is closed, slow, or gone, and is sent once where nobody answers', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const [closed, gone, slow] = [addServer(stage), addServer(stage), addServer(stage)];
      (await logJobs(stage, closed)).botPermissions = 0n;
      discord.world.removeChannel(await logJobs(stage, gone));
      const channel = await logJobs(stage, slow);
      for (const server of [closed, gone]) {
        const { interaction } = await ask(stage, server, 'imagine', { prompt: `an owl for ${server.guild.id}` });
        await onlyPost(stage, interaction, server.member);
      }
      const fault = discord.faults.add({ kind: 'accept then reset', route: 'channel message', times: 2 });
      const { interaction } = await ask(stage, slow, 'imagine', { prompt: 'an owl for the slow' });
      await onlyPost(stage, interaction, slow.member);
      await discord.waitFor(() => fault.spoiled() === 2, WAIT_MS_MAX);
      await discord.waitFor(
        () => discord.requests.findLast(({ route }) => route === 'channel message')?.status === 200,
        WAIT_MS_MAX,
      );
      assert.equal(toldIn(stage, channel).length, 1);
    });
  });

  test('the record of a result is there before its message, and in every other process', async (t) => {
    const stage = await setStage(t);
    const { discord } = stage;
    const server = addServer(stage);
    const bot = await stage.startBot();
    const interaction = await stopAtItsReply(stage, server, 'a red fox', 'hang');
    assert.equal(postsOf(stage, interaction, server.member).length, 0);
    const record = recordOf(stage, server, interaction);
    assert.match(record ?? '', /"prompt":"a red fox"/);
    await bot.kill();
    discord.faults.clear();
    await stage.startBot();
    await onlyPost(stage, interaction, server.member);
    assert.equal(recordOf(stage, server, interaction), record, 'delivering it again does not write it again');
    judge(stage);
  });

  test('a reply that was edited just before a crash is not posted again when its token is dead', async (t) => {
    const stage = await setStage(t);
    const { discord } = stage;
    const server = addServer(stage);
    const bot = await stage.startBot();
    const { member } = server;
    const interaction = await stopAtItsReply(stage, server, 'a heron', 'accept then hang');
    await discord.waitFor(() => postsOf(stage, interaction, member).length === 1, WAIT_MS_MAX);
    await bot.kill();
    discord.faults.clear();
    discord.clock.advance(HOUR_MS);
    await stage.startBot();
    const { interaction: later } = await ask(stage, server, 'imagine', { prompt: 'an egret' });
    const post = await onlyPost(stage, interaction, member);
    assert.equal(post.id, interaction.original()?.id);
    assert.equal((await onlyPost(stage, later, member)).id, later.original()?.id);
    assert.equal(judge(stage).posted, 2);
  });

  test('nor is one in the channel, when Discord has long forgotten its nonce', async (t) => {
    const stage = await setStage(t);
    const { discord } = stage;
    const server = addServer(stage);
    const { member } = server;
    const first = await stage.startBot();
    const interaction = await stopAtItsReply(stage, server, 'a bittern', 'hang');
    await first.kill();
    discord.faults.clear();
    discord.clock.advance(HOUR_MS);
    discord.faults.add({ kind: 'accept then hang', route: 'channel message', times: Infinity });
    const second = await stage.startBot();
    await discord.waitFor(() => postsOf(stage, interaction, member).length > 0, WAIT_MS_MAX);
    await second.kill();
    discord.faults.clear();
    discord.clock.advance(HOUR_MS);
    await stage.startBot();
    assert.equal((await onlyPost(stage, interaction, member)).nonce, interaction.id);
    assert.equal(judge(stage).posted, 1);
  });

  test('the originals of what was re-encoded can be fetched for a day, across a restart, and nobody else’s', async (t) => {
    const stage = await setStage(t, { provider: { resultBytes: 13 * MEBIBYTE } });
    const { discord } = stage;
    const server = addServer(stage);
    const bot = await stage.startBot();
    const { interaction } = await ask(stage, server, 'imagine', { prompt: 'a heavy elephant', count: 2, size: SMALL });
    const post = await onlyPost(stage, interaction, server.member);
    const customId = buttonOf(post, 'original') ?? assert.fail('there is no button');
    const folder = folderOf(stage, interaction) ?? assert.fail('nothing was kept');
    const originalsAlone = ['image-0', 'image-1', 'job.json'];
    await until(() => isDeepStrictEqual(readdirSync(folder).toSorted(), originalsAlone));
    const quota = await ask(stage, server, 'quota');
    assert.equal(buttonOf(quota.message, 'fetch'), undefined, 'what stands in its message waits for nobody');

    await bot.kill();
    await stage.startBot({ environment: HASTY_RECOVERY });
    const fetchThem = async () => answered(discord.click({ member: server.member, message: post, customId }));
    const lossless = await fetchThem();
    assert.equal(lossless.message.visibleTo, server.member.user.id);
    for (const [index, { filename, bytes }] of lossless.message.attachments.entries()) {
      assert.match(filename, /\.webp$/);
      const original = readFileSync(join(currentFolder(stage, interaction), `image-${index}`));
      assert.ok((await pixelsOf(bytes)).equals(await pixelsOf(original)), 'every pixel is as it was');
    }
    assert.equal(lossless.message.attachments.length, 2);

    server.guild.attachmentSizeLimitBytes = MEBIBYTE;
    const { text: refused } = await fetchThem();
    assert.match(refused, /2 originals are 13 MiB and 13 MiB large, and Discord takes at most 1 MiB here/);

    server.guild.attachmentSizeLimitBytes = 50 * MEBIBYTE;
    const { interaction: roomy } = await fetchThem();
    const received = () => roomy.messages().flatMap(({ attachments }) => attachments);
    await discord.waitFor(() => received().length === 2, WAIT_MS_MAX);
    assert.equal(roomy.messages().length, 2, 'together they are more than one request may have');
    for (const [index, { bytes }] of received().entries()) {
      assert.ok(readFileSync(join(currentFolder(stage, interaction), `image-${index}`)).equals(bytes));
    }
    assert.ok(roomy.messages().every(({ visibleTo }) => visibleTo === server.member.user.id));

    await ageKept(currentFolder(stage, interaction));
    await until(() => folderOf(stage, interaction) === undefined);
    assert.equal((await fetchThem()).message.attachments.length, 0);
    const publicPosts = postsOf(stage, interaction, server.member).filter(({ visibleTo }) => visibleTo === 'everyone');
    assert.deepEqual(
      publicPosts.map(({ id }) => id),
      [post.id],
      'no sweep has posted it again',
    );
    assert.equal(callsFor(stage, 'a heavy elephant').length, 1);
    judge(stage);
  });

  describe('the originals', { concurrency: 1 }, () => {
    const shared = shareStage({ provider: { resultBytes: 13 * MEBIBYTE } });

    test('of a result go with it when it is deleted', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const { interaction } = await ask(stage, server, 'imagine', { prompt: 'an elephant to forget', size: SMALL });
      const post = await onlyPost(stage, interaction, server.member);
      await until(() => isKept(currentFolder(stage, interaction)));
      await press(stage, post, 'Delete', server.member);
      // The message goes first: where Discord does not let it go, its originals are still wanted.
      await until(() => folderOf(stage, interaction) === undefined);
      assert.deepEqual(postsOf(stage, interaction, server.member), []);
      judge(stage);
    });

    test('that have arrived stay when those after them cannot be sent', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      const { interaction } = await ask(stage, server, 'imagine', {
        prompt: 'two heavy elephants',
        count: 2,
        size: SMALL,
      });
      const post = await onlyPost(stage, interaction, server.member);
      const customId = buttonOf(post, 'original') ?? assert.fail('there is no button');
      server.guild.attachmentSizeLimitBytes = 50 * MEBIBYTE;
      const refusal = { status: 400, body: { code: 50_035, message: 'Invalid Form Body' } };
      discord.faults.add({ kind: 'status', ...refusal, route: 'follow-up', onlyUploads: true });
      const fetching = discord.click({ member: server.member, message: post, customId });
      await discord.waitFor(() => fetching.messages().length === 2, WAIT_MS_MAX);
      const [first, second] = fetching.messages();
      assert.equal(first?.shownAttachments.length, 1);
      assert.ok(second);
      assert.match(renderMessage(second), /The originals could not be sent just now\./);
      assert.equal(second.visibleTo, server.member.user.id);
    });
  });
});

/** Its name changes with the process that looks after it. */
function currentFolder(stage: Stage, interaction: InteractionHandle): string {
  return folderOf(stage, interaction) ?? assert.fail('nothing is kept any more');
}

async function pixelsOf(bytes: Uint8Array): Promise<Buffer> {
  return sharp(bytes).ensureAlpha().raw().toBuffer();
}
