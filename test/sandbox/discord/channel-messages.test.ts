import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PERMISSION } from '../../../sandbox/discord/permissions.ts';
import { at, call, successBody, verdict } from './raw-bot.ts';
import type { Scene } from './support.ts';
import { PIXEL_PNG, setScene } from './support.ts';

function channelOf({ guild }: Scene) {
  const [channel] = guild.channels.values();
  assert.ok(channel);
  return channel;
}

test('a nonce that is enforced makes a repeated post one message', async (context) => {
  const scene = await setScene(context);
  const path = `/channels/${channelOf(scene).id}/messages`;
  const body = { content: 'result', nonce: '123', enforce_nonce: true };
  const first = successBody(await call(scene.discord, 'POST', path, body));
  const again = successBody(await call(scene.discord, 'POST', path, { ...body, content: 'other' }));
  assert.equal(at(again, 'id'), at(first, 'id'));
  assert.equal(at(again, 'nonce'), '123');
  assert.deepEqual(
    scene.discord.channelMessages(channelOf(scene)).map(({ content }) => content),
    ['result'],
  );
  await call(scene.discord, 'POST', path, { content: 'result', nonce: '123' });
  assert.equal(scene.discord.channelMessages(channelOf(scene)).length, 2);
});

test('messages are listed newest first: the latest, or those that followed another one at once', async (context) => {
  const scene = await setScene(context);
  const path = `/channels/${channelOf(scene).id}/messages`;
  const sent: unknown[] = [];
  for (const content of ['one', 'two', 'three', 'four']) {
    sent.push(at(successBody(await call(scene.discord, 'POST', path, { content })), 'id'));
  }
  const list = async (query: string) => {
    const listed = successBody(await call(scene.discord, 'GET', `${path}?${query}`));
    assert.ok(Array.isArray(listed));
    return listed.map((message) => String(at(message, 'content')));
  };
  assert.deepEqual(await list('limit=2'), ['four', 'three']);
  assert.deepEqual(await list(`limit=2&after=${String(sent[0])}`), ['three', 'two']);
  assert.deepEqual(await list(`after=${String(sent[3])}`), []);
});

test('a wrong bot token gets 401', async (context) => {
  const { discord } = await setScene(context);
  const answer = await call(discord, 'GET', '/users/@me', undefined, [], 'Bot wrong');
  assert.deepEqual(verdict(answer), { status: 401, code: 0 });
});

test('channels the bot cannot see, write in or find are refused each with its own code', async (context) => {
  const scene = await setScene(context);
  const { discord, guild } = scene;
  const body = { content: 'x' };
  const hidden = discord.world.addChannel(guild, { botPermissions: 0n });
  const readOnly = discord.world.addChannel(guild, { botPermissions: PERMISSION.viewChannel });
  const noFiles = discord.world.addChannel(guild, { botPermissions: PERMISSION.viewChannel | PERMISSION.sendMessages });
  const post = async (id: string, files = false) =>
    verdict(
      await call(discord, 'POST', `/channels/${id}/messages`, body, files ? [{ name: 'a.png', bytes: PIXEL_PNG }] : []),
    );
  assert.deepEqual(await post('1'), { status: 404, code: 10003 });
  assert.deepEqual(await post(hidden.id), { status: 403, code: 50001 });
  assert.deepEqual(await post(readOnly.id), { status: 403, code: 50013 });
  assert.deepEqual(await post(noFiles.id, true), { status: 403, code: 50013 });
  assert.equal((await post(noFiles.id)).status, 200);
});

test('direct messages arrive unless the user refuses them', async (context) => {
  const { discord, member } = await setScene(context);
  const { user } = member;
  const channel = successBody(await call(discord, 'POST', '/users/@me/channels', { recipient_id: user.id }));
  const path = `/channels/${String(at(channel, 'id'))}/messages`;
  assert.equal((await call(discord, 'POST', path, { content: 'psst' })).status, 200);
  user.acceptsDirectMessages = false;
  assert.deepEqual(verdict(await call(discord, 'POST', path, { content: 'psst' })), { status: 403, code: 50007 });
  assert.deepEqual(
    discord.directMessages(user).map(({ content, visibleTo }) => [content, visibleTo]),
    [['psst', user.id]],
  );
});

test('an edit keeps attachments unless it lists them, and then only the listed', async (context) => {
  const scene = await setScene(context);
  const { discord } = scene;
  const path = `/channels/${channelOf(scene).id}/messages`;
  const files = ['a.png', 'b.png'].map((name) => ({ name, bytes: PIXEL_PNG }));
  const posted = successBody(await call(discord, 'POST', path, {}, files));
  const messagePath = `${path}/${String(at(posted, 'id'))}`;
  const names = () => discord.message(String(at(posted, 'id')))?.attachments.map(({ filename }) => filename);
  await call(discord, 'PATCH', messagePath, { content: 'two' });
  assert.deepEqual(names(), ['a.png', 'b.png']);
  const listed = { attachments: [{ id: at(posted, 'attachments', 1, 'id') }, { id: '0', description: 'new' }] };
  await call(discord, 'PATCH', messagePath, listed, [{ name: 'c.png', bytes: PIXEL_PNG }]);
  assert.deepEqual(names(), ['b.png', 'c.png']);
  const unknown = await call(discord, 'PATCH', messagePath, { attachments: [{ id: '42' }] });
  assert.deepEqual(verdict(unknown), { status: 400, code: 50035 });
  assert.deepEqual(verdict(await call(discord, 'PATCH', messagePath, { attachments: [], content: '' })), {
    status: 400,
    code: 50006,
  });
});

test('files above the limit of the guild, and requests above 25 MiB, get 413', async (context) => {
  const scene = await setScene(context);
  const path = `/channels/${channelOf(scene).id}/messages`;
  scene.guild.attachmentSizeLimitBytes = 1000;
  const post = async (sizeBytes: number) =>
    verdict(await call(scene.discord, 'POST', path, {}, [{ name: 'a.png', bytes: new Uint8Array(sizeBytes) }]));
  assert.equal((await post(1000)).status, 200);
  assert.deepEqual(await post(1001), { status: 413, code: 40005 });
  scene.guild.attachmentSizeLimitBytes = 100 * 1024 * 1024;
  assert.deepEqual(await post(25 * 1024 * 1024), { status: 413, code: 40005 });
});

test('the bot edits only its own messages and deletes others only with the permission', async (context) => {
  const scene = await setScene(context);
  const { discord, member } = scene;
  const channel = channelOf(scene);
  const message = discord.postAsMember({ member, channel, content: 'mine' });
  const path = `/channels/${channel.id}/messages/${message.id}`;
  assert.deepEqual(verdict(await call(discord, 'PATCH', path, { content: 'x' })), { status: 403, code: 50005 });
  assert.deepEqual(verdict(await call(discord, 'DELETE', path)), { status: 403, code: 50013 });
  channel.botPermissions = PERMISSION.viewChannel | PERMISSION.readMessageHistory | PERMISSION.manageMessages;
  assert.equal((await call(discord, 'DELETE', path)).status, 204);
  assert.deepEqual(verdict(await call(discord, 'GET', path)), { status: 404, code: 10008 });
  assert.deepEqual(discord.channelMessages(channel), []);
});

test('what a message would ping follows allowed_mentions', async (context) => {
  const scene = await setScene(context);
  const { discord, guild, member } = scene;
  const role = discord.world.addRole(guild, { mentionable: true });
  const content = `@everyone <@${member.user.id}> <@&${role.id}>`;
  const pings = async (allowedMentions: unknown) => {
    const path = `/channels/${channelOf(scene).id}/messages`;
    const body = { content, ...(allowedMentions === undefined ? {} : { allowed_mentions: allowedMentions }) };
    return discord.message(String(at(successBody(await call(discord, 'POST', path, body)), 'id')))?.pings;
  };
  assert.deepEqual(await pings(undefined), { users: [member.user.id], roles: [role.id], everyone: true });
  assert.deepEqual(await pings({ parse: [] }), { users: [], roles: [], everyone: false });
  assert.deepEqual(await pings({ parse: ['roles'], users: [member.user.id] }), {
    users: [member.user.id],
    roles: [role.id],
    everyone: false,
  });
});
