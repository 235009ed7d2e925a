import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import { outliveToken, press, pressForPictures, untilOffered } from './conversation.ts';
import { atRest, callsFor, judge, onlyPost, postsOf } from './judgement.ts';
import { imagine } from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { finalMessage, setStage } from './support.ts';

const HURRIED_PAUSES = fileURLToPath(new URL('./hurried-pauses.ts', import.meta.url));
const TOKEN_LIFETIME_MS = 15 * 60_000;
const MEBIBYTE = 1024 * 1024;
/** Longer than it takes to press a button. */
const PUT_OFF_SECONDS = 3;

// Each part has a stage of its own, and much of their time is spent on waiting.
describe('delivery', { concurrency: true }, () => {
  describe('a result reaches whoever asked, once', { concurrency: 1 }, () => {
    const shared = shareStage();

    test('an edit that Discord made but did not confirm is repeated without a second copy', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const fault = stage.discord.faults.add({ kind: 'accept then reset', route: 'PATCH original' });
      const interaction = imagine(stage, server, 'a heron');
      const post = await onlyPost(stage, interaction, server.member);
      assert.equal(fault.spoiled(), 1);
      assert.equal(post.id, interaction.original()?.id);
      assert.equal(post.attachments.length, 1);
      assert.equal(stage.discord.channelMessages(server.channel).length, 1);
    });

    test('a public result whose reply can no longer be edited goes to the channel, under a nonce', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const fault = stage.discord.faults.add({ kind: 'accept then reset', route: 'channel message' });
      const interaction = await outliveToken(stage, server);
      const post = await onlyPost(stage, interaction, server.member);
      assert.equal(fault.spoiled(), 1, 'the channel took the first copy, and the bot did not hear of it');
      assert.equal(post.channelId, server.channel.id);
      assert.equal(post.visibleTo, 'everyone');
      assert.equal(post.nonce, interaction.id);
      assert.deepEqual(post.pings, { users: [], roles: [], everyone: false });
    });

    test('a private result whose reply can no longer be edited goes to the member alone', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const interaction = await outliveToken(stage, server, { private: true });
      const post = await onlyPost(stage, interaction, server.member);
      assert.equal(post.visibleTo, server.member.user.id);
      assert.deepEqual(
        stage.discord.directMessages(server.member.user).map(({ id }) => id),
        [post.id],
      );
    });

    test('a private result that can reach its member nowhere is kept and offered in /quota, to them alone', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      server.member.user.acceptsDirectMessages = false;
      const interaction = await outliveToken(stage, server, { private: true });
      await discord.waitFor(
        () => discord.requests.findLast(({ route }) => route === 'channel message')?.code === 50007,
      );
      assert.equal(postsOf(stage, interaction, server.member).length, 0);

      const { message: offer } = await untilOffered(stage, server);
      const customId = fetchButtonOf(offer, interaction);
      assert.equal(offer.visibleTo, server.member.user.id);
      const elsewhere = addServer(stage);
      const others = [
        server.administrator,
        elsewhere.member,
        // The same user in another server: the result is not for the eyes of that one.
        discord.world.addMember(elsewhere.guild, { user: server.member.user }),
      ];
      for (const other of others) {
        const channel = other === server.administrator ? server.channel : elsewhere.channel;
        const answer = await discord.invoke({ command: 'quota', member: other, channel }).finalMessage();
        assert.deepEqual(buttonIds(answer.components), []);
      }
      const fetched = discord.click({ member: server.member, message: offer, customId });
      const shown = await fetched.finalMessage({ where: ({ shownAttachments }) => shownAttachments.length > 0 });
      assert.equal(shown.visibleTo, server.member.user.id);
      await atRest(stage, { interaction });
      assert.deepEqual(
        discord.channelMessages(server.channel).filter(({ visibleTo }) => visibleTo === 'everyone'),
        [],
      );
      assert.equal(callsFor(stage, `slow ${server.guild.id}`).length, 1);
    });

    test('a result whose reply a moderator deleted goes to the channel', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      const gate = stage.provider.holdAnswers();
      const interaction = imagine(stage, server, 'an otter');
      await gate.arrived(1);
      const reply = interaction.original() ?? assert.fail('the reply was not deferred');
      const deletion = await fetch(`${discord.apiUrl}/v10/channels/${reply.channelId}/messages/${reply.id}`, {
        method: 'DELETE',
        headers: { authorization: `Bot ${discord.botToken}` },
      });
      assert.equal(deletion.status, 204);
      gate.release();
      const post = await onlyPost(stage, interaction, server.member);
      assert.equal(post.channelId, server.channel.id);
      assert.notEqual(post.id, reply.id);
    });

    test('a result that was deleted before Discord confirmed it comes back only to whoever fetches it', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      const upload = { route: 'PATCH original', onlyUploads: true } as const;
      discord.faults.add({ ...upload, kind: 'accept then reset' });
      const putOff = discord.faults.add({ ...upload, kind: 'rate limit', retryAfterSeconds: PUT_OFF_SECONDS });
      const interaction = imagine(stage, server, 'an owl that was not meant to be');
      await discord.waitFor(() => putOff.spoiled() > 0);
      const post = postsOf(stage, interaction, server.member)[0] ?? assert.fail('nothing was posted');
      await press(stage, post, 'Delete', server.member);
      await discord.waitFor(() => discord.message(post.id)?.deletedAtMs !== undefined);
      const attempts = () => discord.requests.filter(({ path }) => path.includes(interaction.token)).length;
      const before = attempts();
      await discord.waitFor(() => attempts() > before);
      const offered = await untilOffered(stage, server);
      assert.deepEqual(postsOf(stage, interaction, server.member), []);
      const shown = await pressForPictures(stage, offered.message, 'Show it', server.member);
      assert.equal(shown.message.visibleTo, server.member.user.id);
    });

    test('where the channel is closed to the bot, or gone, a public result goes to the member', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const obstacles = [
        ({ channel }: Server) => void (channel.botPermissions = 0n),
        ({ channel }: Server) => discord.world.removeChannel(channel),
      ];
      for (const obstruct of obstacles) {
        const server = addServer(stage);
        const gate = stage.provider.holdAnswers();
        const interaction = imagine(stage, server, `a badger for ${server.guild.id}`);
        await gate.arrived(1);
        discord.clock.advance(TOKEN_LIFETIME_MS);
        obstruct(server);
        gate.release();
        const post = await onlyPost(stage, interaction, server.member);
        assert.equal(post.visibleTo, server.member.user.id);
        assert.equal(discord.directMessages(server.member.user).length, 1);
      }
    });

    test('a page in place of a refusal closes no way, because Discord did not say it', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const page = { kind: 'status', status: 403, body: 'Blocked', headers: { 'content-type': 'text/html' } } as const;
      const fault = stage.discord.faults.add({ ...page, route: 'PATCH original', times: 2 });
      const interaction = imagine(stage, server, 'a wren', { private: true });
      const post = await onlyPost(stage, interaction, server.member);
      assert.equal(fault.spoiled(), 2);
      assert.equal(post.id, interaction.original()?.id);
      assert.equal(stage.discord.directMessages(server.member.user).length, 0);
    });

    test('a page in place of the messages of a channel does not have a result posted twice', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const page = { kind: 'status', status: 403, body: 'Blocked', headers: { 'content-type': 'text/html' } } as const;
      const fault = stage.discord.faults.add({ ...page, route: 'GET channel messages' });
      const interaction = await outliveToken(stage, server);
      const post = await onlyPost(stage, interaction, server.member);
      assert.equal(fault.spoiled(), 1);
      assert.equal(post.channelId, server.channel.id);
      const looked = stage.discord.requests.filter(
        ({ route, path }) => route === 'GET channel messages' && path.includes(server.channel.id),
      );
      assert.equal(looked.length, 2, 'it posted without having looked');
    });

    const told = { message: 'You are being rate limited.', retry_after: 1.5, global: false };
    for (const [where, waitSeconds, fault] of [
      ['in a header', 0.7, { kind: 'rate limit', retryAfterSeconds: 0.7 }],
      ['in the body of the answer alone', told.retry_after, { kind: 'status', status: 429, body: told }],
    ] as const) {
      test(`a rate limit that is told ${where} is waited out`, async () => {
        const { stage } = shared();
        const server = addServer(stage);
        stage.discord.faults.add({ ...fault, route: 'PATCH original', times: 2 });
        const interaction = imagine(stage, server, `a kestrel that waits as told ${where}`);
        await onlyPost(stage, interaction, server.member);
        const edits = stage.discord.requests.filter(
          ({ route, path }) => route === 'PATCH original' && path.includes(interaction.token),
        );
        assert.deepEqual(
          edits.map(({ status }) => status),
          [429, 429, 200],
        );
        const [first = 0, second = 0, third = 0] = edits.map(({ atMs }) => atMs);
        assert.ok(second - first >= waitSeconds * 1_000, 'the first wait was cut short');
        assert.ok(third - second >= waitSeconds * 1_000, 'the second wait was cut short');
      });
    }

    test('afterwards every bill is in the books, once', async () => {
      const { stage } = shared();
      await atRest(stage);
      const totals = judge(stage);
      assert.equal(totals.posted, stage.provider.bills.length);
      assert.equal(totals.unknown + totals.exposure, 0);
    });
  });

  test('an upload that fails five times is posted at the sixth', async (t) => {
    const stage = await setStage(t);
    await stage.startBot({ preload: [HURRIED_PAUSES] });
    const server = addServer(stage);
    const fault = stage.discord.faults.add({ kind: 'status', status: 500, route: 'PATCH original', times: 5 });
    const interaction = imagine(stage, server, 'a patient tortoise');
    const post = await onlyPost(stage, interaction, server.member);
    assert.equal(fault.spoiled(), 5);
    assert.equal(post.id, interaction.original()?.id);
    assert.equal(callsFor(stage, 'a patient tortoise').length, 1);
    assert.equal(judge(stage).posted, 1);
  });

  test('who fetches a kept result while Discord is out of order hears of that, and can try again', async (t) => {
    const stage = await setStage(t);
    await stage.startBot({ preload: [HURRIED_PAUSES] });
    const { discord } = stage;
    const server = addServer(stage);
    server.member.user.acceptsDirectMessages = false;
    const interaction = await outliveToken(stage, server, { private: true });
    await discord.waitFor(() => discord.requests.findLast(({ route }) => route === 'channel message')?.code === 50007);
    const { message: offer } = await untilOffered(stage, server);
    const customId = fetchButtonOf(offer, interaction);
    const fetchIt = (): InteractionHandle => discord.click({ member: server.member, message: offer, customId });

    discord.faults.add({ kind: 'status', status: 500, route: 'PATCH original', times: 6 });
    const told = await fetchIt().finalMessage();
    assert.match(renderMessage(told), /could not be brought to you just now\. It is still kept: try again/);
    const shown = await fetchIt().finalMessage({ where: ({ shownAttachments }) => shownAttachments.length > 0 });
    assert.equal(shown.visibleTo, server.member.user.id);
  });

  describe('results that are heavier than Discord takes', { concurrency: 1 }, () => {
    const shared = shareStage({ provider: { resultBytes: 12 * MEBIBYTE } });

    test('one file over the limit is re-encoded, still a picture, and said to be', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const interaction = imagine(stage, server, 'a heavy elephant');
      const post = await onlyPost(stage, interaction, server.member);
      const [file] = post.shownAttachments;
      assert.ok(file && file.sizeBytes <= server.guild.attachmentSizeLimitBytes);
      const { format, width, height } = await sharp(file.bytes).metadata();
      assert.deepEqual({ format, width, height }, { format: 'webp', width: 1024, height: 1024 });
      await sharp(file.bytes).stats();
      assert.match(renderMessage(post), /Re-encoded to fit/);
    });

    test('what Discord finds too large, although it is under the limit, is made smaller until it is taken', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const tooLarge = { kind: 'status', status: 413, route: 'PATCH original' } as const;
      stage.discord.faults.add({ ...tooLarge, body: { message: 'Request entity too large', code: 40005 }, times: 2 });
      stage.discord.faults.add({
        ...tooLarge,
        body: '<html>Too Large</html>',
        headers: { 'content-type': 'text/html' },
      });
      const interaction = imagine(stage, server, 'a lynx');
      const post = await onlyPost(stage, interaction, server.member);
      const [file] = post.shownAttachments;
      assert.ok(file && file.sizeBytes <= server.guild.attachmentSizeLimitBytes / 2 ** 3, 'halved with every refusal');
      await sharp(file.bytes).stats();
      assert.equal(callsFor(stage, 'a lynx').length, 1);
    });

    test('what Discord takes in no form is told of where it would be, and kept', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const tooLarge = { kind: 'status', status: 413, route: 'PATCH original', onlyUploads: true } as const;
      const fault = stage.discord.faults.add({
        ...tooLarge,
        body: { message: 'Request entity too large', code: 40005 },
        times: Infinity,
      });
      const interaction = imagine(stage, server, 'a mole');
      const message = await finalMessage(interaction);
      fault.remove();
      assert.match(renderMessage(message), /too large for Discord here/);
      assert.deepEqual(
        stage.discord.channelMessages(server.channel).map(({ id }) => id),
        [message.id],
      );
      const { message: offer } = await untilOffered(stage, server);
      assert.ok(fetchButtonOf(offer, interaction));
      assert.match(renderMessage(offer), /could not be brought to you, and is kept/);
      assert.equal(callsFor(stage, 'a mole').length, 1);
    });

    test('four files that are small enough each, and too much together, go up in one message', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      server.guild.attachmentSizeLimitBytes = 25 * MEBIBYTE;
      const interaction = imagine(stage, server, 'four heavy elephants', { count: 4 });
      const post = await onlyPost(stage, interaction, server.member);
      assert.equal(post.shownAttachments.length, 4);
      for (const { bytes } of post.shownAttachments) assert.equal((await sharp(bytes).metadata()).width, 1024);
      assert.equal(callsFor(stage, 'four heavy elephants').length, 1);
      judge(stage);
    });
  });
});

/** The button that brings a result that is kept. */
function fetchButtonOf({ components }: EmulatedMessage, { id }: InteractionHandle): string {
  return buttonIds(components).find((customId) => customId.includes(id)) ?? assert.fail('the result is not offered');
}

/** The custom ids of all buttons of a message. */
function buttonIds(components: unknown): string[] {
  return [...JSON.stringify(components).matchAll(/"custom_id":"([^"]+)"/g)].map(([, id = '']) => id);
}
