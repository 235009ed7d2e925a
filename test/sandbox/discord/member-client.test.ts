import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OptionValues } from '../../../sandbox/discord/option-values.ts';
import { UnsendableCommand } from '../../../sandbox/discord/option-values.ts';
import { PERMISSION } from '../../../sandbox/discord/permissions.ts';
import { at, call } from './raw-bot.ts';
import { callbackPath, deferredImagine, PIXEL_PNG, setScene, webhookPath } from './support.ts';

const UNSENDABLE: readonly (readonly [command: string, options: OptionValues])[] = [
  ['unknown', {}],
  ['imagine', {}],
  ['imagine', { prompt: '' }],
  ['imagine', { prompt: 'x'.repeat(101) }],
  ['imagine', { prompt: 7 }],
  ['imagine', { prompt: 'a', colour: 'red' }],
  ['imagine', { prompt: 'a', size: '2x2' }],
  ['imagine', { prompt: 'a', count: 5 }],
  ['imagine', { prompt: 'a', count: 1.5 }],
  ['imagine', { prompt: 'a', private: 'yes' }],
  ['imagine', { prompt: 'a', reference: 'a.png' }],
  ['imagine now', { prompt: 'a' }],
  ['settings', {}],
  ['settings budget', {}],
];

test('what a member’s client would not send does not reach the bot', async (context) => {
  const { discord, guild, bot } = await setScene(context);
  const member = discord.world.addMember(guild, { permissions: PERMISSION.manageGuild });
  for (const [command, options] of UNSENDABLE) {
    const invoke = () => discord.invoke({ member, command, options });
    assert.throws(invoke, UnsendableCommand, `${command} ${JSON.stringify(options)}`);
  }
  discord.invoke({ member, command: 'settings budget', options: { dollars: 2.5 } });
  await bot.waitFor(() => bot.events('INTERACTION_CREATE').length > 0, 'the only event');
  assert.equal(bot.events('INTERACTION_CREATE').length, 1);
});

test('a command with default permissions is hidden from other members, and from direct messages without context', async (context) => {
  const { discord, member } = await setScene(context);
  const request = { command: 'settings budget', options: { dollars: 1 } };
  assert.throws(() => discord.invoke({ ...request, member }), /hidden/);
  assert.equal(discord.invoke({ ...request, member, permissionsLifted: true }).state, undefined);
  assert.throws(() => discord.invoke({ ...request, member: member.user, permissionsLifted: true }), /not offered here/);
});

test('the event carries everything Discord sends', async (context) => {
  const { discord, guild, member, bot } = await setScene(context);
  const reference = discord.uploadAttachment({ bytes: PIXEL_PNG, filename: 'a.png' });
  const interaction = discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox', count: 2, reference } });
  const event = await bot.waitFor(() => bot.events('INTERACTION_CREATE')[0]?.d, 'the event');
  const [general] = guild.channels.values();
  assert.partialDeepStrictEqual(event, {
    id: interaction.id,
    application_id: discord.applicationId,
    type: 2,
    token: interaction.token,
    version: 1,
    channel_id: general?.id,
    locale: 'en-US',
    guild_id: guild.id,
    guild: { id: guild.id, features: [], locale: 'en-US' },
    guild_locale: 'en-US',
    app_permissions: guild.botPermissions.toString(),
    entitlements: [],
    authorizing_integration_owners: { '0': guild.id },
    attachment_size_limit: 10 * 1024 * 1024,
    context: 0,
  });
  assert.equal(at(event, 'member', 'user', 'id'), member.user.id);
  assert.equal(at(event, 'member', 'permissions'), discord.world.memberPermissions(member).toString());
  assert.deepEqual(at(event, 'data', 'options'), [
    { type: 3, name: 'prompt', value: 'a fox' },
    { type: 4, name: 'count', value: 2 },
    { type: 11, name: 'reference', value: reference.id },
  ]);
  const resolved = at(event, 'data', 'resolved', 'attachments', reference.id);
  assert.equal((await fetch(String(at(resolved, 'url')))).status, 200);
  const described = ['filename', 'width', 'size', 'ephemeral'].map((key) => at(resolved, key));
  assert.deepEqual(described, ['a.png', 1, PIXEL_PNG.length, true]);
});

test('buttons work for those who can see them, unless disabled, gone or links', async (context) => {
  const scene = await setScene(context);
  const { discord, guild, member } = scene;
  const other = discord.world.addMember(guild);
  const interaction = await deferredImagine(scene, { ephemeral: true });
  const button = { type: 2, style: 1, label: 'Edit' };
  const components = [
    {
      type: 1,
      components: [
        { ...button, custom_id: 'edit' },
        { ...button, custom_id: 'off', disabled: true },
        { type: 3, custom_id: 'pick', options: [{ label: 'One', value: '1' }] },
      ].slice(0, 2),
    },
    { type: 1, components: [{ type: 3, custom_id: 'pick', options: [{ label: 'One', value: '1' }] }] },
  ];
  const path = webhookPath(discord, interaction, '/messages/@original');
  await call(discord, 'PATCH', path, { content: 'Done', components });
  const message = await interaction.finalMessage();
  assert.throws(() => discord.click({ member: other, message, customId: 'edit' }), /cannot see/);
  assert.throws(() => discord.click({ member, message, customId: 'off' }), /disabled/);
  assert.throws(() => discord.click({ member, message, customId: 'nothing' }), /no component/);
  assert.throws(() => discord.click({ member, message, customId: 'pick' }), /no button/);
  assert.throws(() => discord.select({ member, message, customId: 'pick', values: ['2'] }), /no such value/);
  assert.throws(() => discord.select({ member, message, customId: 'pick', values: [] }), /cannot take 0/);
  const click = discord.click({ member, message, customId: 'edit' });
  await call(discord, 'POST', callbackPath(click), { type: 7, data: { content: 'Clicked', components: [] } });
  assert.equal((await click.finalMessage()).id, message.id);
  assert.equal(click.state, 'updated');
  assert.throws(() => discord.click({ member, message, customId: 'edit' }), /no component/);
});

test('finalMessage waits past messages on the way, and says what it waited for', async (context) => {
  const scene = await setScene(context);
  const interaction = await deferredImagine(scene);
  const path = webhookPath(scene.discord, interaction, '/messages/@original');
  await assert.rejects(interaction.finalMessage({ timeoutMs: 30 }), /final message of interaction .*deferred/);
  await call(scene.discord, 'PATCH', path, { content: 'Place 2 in line' });
  const final = interaction.finalMessage({ where: ({ content }) => content.startsWith('Done') });
  await call(scene.discord, 'PATCH', path, { content: 'Done' });
  assert.equal((await final).history.length, 3);
});
