import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snowflakeTimestampMs } from '../../../sandbox/discord/snowflake.ts';
import { at, call, successBody, verdict } from './raw-bot.ts';
import { callbackPath, deferredImagine, PIXEL_PNG, setScene, webhookPath } from './support.ts';

const DEFER = { type: 5 };

test('an interaction is answered once: the second answer gets 40060', async (context) => {
  const { discord, member } = await setScene(context);
  const interaction = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  assert.equal(interaction.state, undefined);
  assert.equal((await call(discord, 'POST', callbackPath(interaction), DEFER)).status, 204);
  assert.equal(interaction.state, 'deferred');
  assert.deepEqual(verdict(await call(discord, 'POST', callbackPath(interaction), DEFER)), {
    status: 400,
    code: 40060,
  });
});

test('an answer after three seconds, or to an unknown interaction, gets 10062', async (context) => {
  const { discord, member } = await setScene(context);
  const interaction = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  discord.clock.advance(3001);
  assert.deepEqual(verdict(await call(discord, 'POST', callbackPath(interaction), DEFER)), {
    status: 404,
    code: 10062,
  });
  assert.equal(interaction.state, undefined);
  const unknown = await call(discord, 'POST', `/interactions/${interaction.id}/other-token/callback`, DEFER);
  assert.deepEqual(verdict(unknown), { status: 404, code: 10062 });
});

test('the id of an interaction carries the time of the emulator, next month included', async (context) => {
  const { discord, member } = await setScene(context, { realNow: () => Date.UTC(2026, 10, 30, 23, 59, 59) });
  const before = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  discord.clock.advance(2000);
  const after = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  assert.equal(new Date(snowflakeTimestampMs(before.id)).getUTCMonth(), 10);
  assert.equal(new Date(snowflakeTimestampMs(after.id)).getUTCMonth(), 11);
});

test('a token works for fifteen minutes, then gets 50027 with status 401', async (context) => {
  const scene = await setScene(context);
  const { discord } = scene;
  const interaction = await deferredImagine(scene);
  const original = webhookPath(discord, interaction, '/messages/@original');
  discord.clock.advance(14 * 60_000);
  assert.equal((await call(discord, 'PATCH', original, { content: 'still here' })).status, 200);
  discord.clock.advance(61_000);
  assert.deepEqual(verdict(await call(discord, 'PATCH', original, { content: 'late' })), { status: 401, code: 50027 });
  const followUp = await call(discord, 'POST', webhookPath(discord, interaction), { content: 'late' });
  assert.deepEqual(verdict(followUp), { status: 401, code: 50027 });
  assert.equal(interaction.original()?.content, 'still here');
});

test('before the first answer there is no webhook, and after a modal there is no original', async (context) => {
  const { discord, member } = await setScene(context);
  const interaction = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  const original = webhookPath(discord, interaction, '/messages/@original');
  assert.deepEqual(verdict(await call(discord, 'GET', original)), { status: 404, code: 10015 });
  const modal = {
    custom_id: 'm',
    title: 'Edit',
    components: [{ type: 18, label: 'Prompt', component: { type: 4, custom_id: 'prompt', style: 1 } }],
  };
  assert.equal((await call(discord, 'POST', callbackPath(interaction), { type: 9, data: modal })).status, 204);
  assert.deepEqual(verdict(await call(discord, 'GET', original)), { status: 404, code: 10008 });
});

test('a deferred reply is filled by an edit, whose history shows both states', async (context) => {
  const scene = await setScene(context);
  const interaction = await deferredImagine(scene);
  assert.equal(interaction.original()?.isLoading, true);
  const seen: string[] = [];
  interaction.onEdit((version) => seen.push(version.content));
  const final = interaction.finalMessage({ timeoutMs: 1000 });
  const path = webhookPath(scene.discord, interaction, '/messages/@original');
  const files = [{ name: 'fox.png', bytes: PIXEL_PNG }];
  const answer = await call(scene.discord, 'PATCH', path, { content: 'done', attachments: [{ id: '0' }] }, files);
  const message = await final;
  assert.equal(message.id, at(successBody(answer), 'id'));
  assert.deepEqual(
    message.history.map(({ content }) => content),
    ['', 'done'],
  );
  assert.deepEqual(seen, ['done']);
  assert.equal(message.isLoading, false);
  const [attachment] = message.attachments;
  assert.deepEqual(attachment?.bytes, Buffer.from(PIXEL_PNG));
  assert.deepEqual([attachment?.width, attachment?.height, attachment?.contentType], [1, 1, 'image/png']);
});

test('the first follow-up of a thinking reply fills it and keeps its audience', async (context) => {
  const scene = await setScene(context);
  const interaction = await deferredImagine(scene);
  const path = webhookPath(scene.discord, interaction);
  const first = successBody(await call(scene.discord, 'POST', path, { content: 'secret?', flags: 64 }));
  assert.equal(at(first, 'id'), interaction.original()?.id);
  assert.equal(interaction.original()?.visibleTo, 'everyone');
  const second = successBody(await call(scene.discord, 'POST', path, { content: 'secret', flags: 64 }));
  assert.notEqual(at(second, 'id'), at(first, 'id'));
  assert.deepEqual(
    interaction.messages().map(({ content, visibleTo }) => [content, visibleTo]),
    [
      ['secret?', 'everyone'],
      ['secret', scene.member.user.id],
    ],
  );
});

test('once the thinking reply is deleted, a follow-up is a message of its own', async (context) => {
  const scene = await setScene(context);
  const interaction = await deferredImagine(scene);
  const removed = await call(scene.discord, 'DELETE', webhookPath(scene.discord, interaction, '/messages/@original'));
  assert.equal(removed.status, 204);
  await call(scene.discord, 'POST', webhookPath(scene.discord, interaction), { content: 'declined', flags: 64 });
  const final = await interaction.finalMessage({ timeoutMs: 500 });
  assert.equal(final.visibleTo, scene.member.user.id);
  assert.deepEqual(
    scene.discord.channelMessages(channelOf(scene)).map(({ content }) => content),
    ['declined'],
  );
});

test('an ephemeral defer stays ephemeral, and the bot token cannot reach it', async (context) => {
  const scene = await setScene(context);
  const interaction = await deferredImagine(scene, { ephemeral: true });
  await call(scene.discord, 'PATCH', webhookPath(scene.discord, interaction, '/messages/@original'), { content: 'hi' });
  const message = await interaction.finalMessage();
  assert.equal(message.visibleTo, scene.member.user.id);
  const asBot = await call(scene.discord, 'GET', `/channels/${message.channelId}/messages/${message.id}`);
  assert.deepEqual(verdict(asBot), { status: 404, code: 10008 });
});

test('with_response describes the answer', async (context) => {
  const { discord, member } = await setScene(context);
  const interaction = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  const answer = await call(discord, 'POST', `${callbackPath(interaction)}?with_response=true`, {
    type: 4,
    data: { content: 'hello' },
  });
  const body = successBody(answer);
  assert.deepEqual(at(body, 'interaction'), {
    id: interaction.id,
    type: 2,
    response_message_id: interaction.original()?.id,
    response_message_loading: false,
    response_message_ephemeral: false,
  });
  assert.equal(at(body, 'resource', 'message', 'content'), 'hello');
});

test('answers that do not fit the kind of interaction are refused and leave it unanswered', async (context) => {
  const { discord, member, bot } = await setScene(context);
  const interaction = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  for (const body of [
    { type: 1 },
    { type: 6 },
    { type: 7, data: { content: 'x' } },
    { type: 8, data: { choices: [] } },
  ]) {
    const answer = await call(discord, 'POST', callbackPath(interaction), body);
    assert.deepEqual(verdict(answer), { status: 400, code: 50035 }, JSON.stringify(body));
  }
  assert.equal(interaction.state, undefined);
  const suggestions = discord.autocomplete({ member, command: 'imagine', focused: { name: 'model', text: 'gp' } });
  const event = await bot.waitFor(() => bot.events('INTERACTION_CREATE').at(1)?.d, 'the autocomplete event');
  assert.deepEqual(at(event, 'data', 'options'), [{ type: 3, name: 'model', value: 'gp', focused: true }]);
  const path = `/interactions/${String(at(event, 'id'))}/${String(at(event, 'token'))}/callback`;
  assert.deepEqual(verdict(await call(discord, 'POST', path, DEFER)), { status: 400, code: 50035 });
  const tooMany = Array.from({ length: 26 }, (_, index) => ({ name: `m${index}`, value: `m${index}` }));
  const refused = await call(discord, 'POST', path, { type: 8, data: { choices: tooMany } });
  assert.deepEqual(verdict(refused), { status: 400, code: 50035 });
  assert.equal((await call(discord, 'POST', path, { type: 8, data: { choices: tooMany.slice(0, 2) } })).status, 204);
  assert.deepEqual(await suggestions, [
    { name: 'm0', value: 'm0' },
    { name: 'm1', value: 'm1' },
  ]);
});

test('a guild that has removed the bot takes the tokens with it', async (context) => {
  const scene = await setScene(context);
  const interaction = await deferredImagine(scene);
  scene.discord.removeGuild(scene.guild);
  const path = webhookPath(scene.discord, interaction, '/messages/@original');
  assert.deepEqual(verdict(await call(scene.discord, 'PATCH', path, { content: 'x' })), { status: 404, code: 10015 });
  const channel = await call(scene.discord, 'POST', `/channels/${channelOf(scene).id}/messages`, { content: 'x' });
  assert.deepEqual(verdict(channel), { status: 403, code: 50001 });
});

function channelOf(scene: Awaited<ReturnType<typeof setScene>>) {
  const [channel] = scene.guild.channels.values();
  assert.ok(channel);
  return channel;
}
