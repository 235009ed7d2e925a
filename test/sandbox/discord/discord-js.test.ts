import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Interaction } from 'discord.js';
import {
  ActionRowBuilder,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  Client,
  ContainerBuilder,
  Events,
  FileUploadBuilder,
  LabelBuilder,
  MediaGalleryBuilder,
  MessageFlags,
  ModalBuilder,
  Routes,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
  UserSelectMenuBuilder,
} from 'discord.js';
import { createEmulatedDiscord } from '../../../sandbox/discord/emulated-discord.ts';
import { COMMANDS, PIXEL_PNG } from './support.ts';

const openApiPath = process.env['DISCORD_OPENAPI'];

/** An emulated Discord and a discord.js client that is logged in, with commands registered. */
async function logIn(context: TestContext, answer: (interaction: Interaction) => Promise<unknown>) {
  const discord = await createEmulatedDiscord(openApiPath === undefined ? {} : { openApiPath });
  const guild = discord.world.addGuild();
  const member = discord.world.addMember(guild, { username: 'ada' });
  const client = new Client({ intents: [], rest: { api: discord.apiUrl } });
  context.after(async () => {
    await client.destroy();
    await discord.close();
  });
  const failures: unknown[] = [];
  client.on(Events.InteractionCreate, (interaction) => {
    answer(interaction).catch((error: unknown) => failures.push(error));
  });
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(discord.botToken);
  await ready;
  await client.rest.put(Routes.applicationCommands(discord.applicationId), { body: COMMANDS });
  return { discord, guild, member, client, failures };
}

test('discord.js logs in, defers, edits with a file and follows up', async (context) => {
  const { discord, member, client, failures } = await logIn(context, async (interaction) => {
    assert.ok(interaction.isChatInputCommand());
    assert.equal(interaction.attachmentSizeLimit, 10 * 1024 * 1024);
    const reference = interaction.options.getAttachment('reference', true);
    const bytes = Buffer.from(await (await fetch(reference.url)).arrayBuffer());
    await interaction.deferReply();
    const edited = await interaction.editReply({
      flags: MessageFlags.IsComponentsV2,
      components: [
        new ContainerBuilder()
          .addTextDisplayComponents(new TextDisplayBuilder().setContent(interaction.options.getString('prompt', true)))
          .addMediaGalleryComponents(
            new MediaGalleryBuilder().addItems({ media: { url: 'attachment://fox.png' }, description: 'A fox' }),
          ),
      ],
      files: [new AttachmentBuilder(bytes, { name: 'fox.png' })],
      allowedMentions: { parse: [] },
    });
    assert.ok(edited.flags.has(MessageFlags.IsComponentsV2));
    await interaction.followUp({ content: 'psst', flags: MessageFlags.Ephemeral });
  });
  assert.equal(client.user?.id, discord.applicationId);
  const reference = discord.uploadAttachment({ bytes: PIXEL_PNG, filename: 'a.png' });
  const interaction = discord.invoke({ member, command: 'imagine', options: { prompt: '@everyone', reference } });
  const message = await interaction.finalMessage();
  assert.deepEqual(message.shownAttachments[0]?.bytes, Buffer.from(PIXEL_PNG));
  assert.deepEqual(message.pings, { users: [], roles: [], everyone: false });
  await discord.waitFor(() => interaction.messages().length === 2);
  assert.deepEqual(
    interaction.messages().map(({ visibleTo }) => visibleTo),
    ['everyone', member.user.id],
  );
  assert.deepEqual([failures, discord.violations], [[], []]);
});

test('discord.js answers autocomplete, buttons and selects', async (context) => {
  const { discord, member, failures } = await logIn(context, async (interaction) => {
    if (interaction.isAutocomplete()) {
      const typed = interaction.options.getFocused();
      await interaction.respond([{ name: `${typed}-2`, value: `${typed}-2` }]);
    } else if (interaction.isChatInputCommand()) {
      await interaction.reply({
        content: 'Which?',
        components: [
          new ActionRowBuilder<ButtonBuilder>().addComponents(
            new ButtonBuilder().setCustomId('go').setLabel('Go').setStyle(ButtonStyle.Primary),
          ),
          new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(
            new StringSelectMenuBuilder().setCustomId('pick').addOptions({ label: 'One', value: '1' }),
          ),
          new ActionRowBuilder<UserSelectMenuBuilder>().addComponents(new UserSelectMenuBuilder().setCustomId('who')),
        ],
      });
    } else if (interaction.isButton()) {
      await interaction.deferUpdate();
      await interaction.editReply({ content: 'Gone', components: [] });
    } else if (interaction.isStringSelectMenu()) {
      await interaction.reply({ content: interaction.values.join(','), flags: MessageFlags.Ephemeral });
    } else if (interaction.isUserSelectMenu()) {
      await interaction.reply({ content: interaction.users.map(({ username }) => username).join(',') });
    }
  });
  const choices = await discord.autocomplete({ member, command: 'imagine', focused: { name: 'model', text: 'gpt' } });
  assert.deepEqual(choices, [{ name: 'gpt-2', value: 'gpt-2' }]);
  const message = await discord.invoke({ member, command: 'imagine', options: { prompt: 'x' } }).finalMessage();
  const picked = await discord.select({ member, message, customId: 'pick', values: ['1'] }).finalMessage();
  assert.deepEqual([picked.content, picked.visibleTo], ['1', member.user.id]);
  const chosen = await discord.select({ member, message, customId: 'who', values: [member] }).finalMessage();
  assert.equal(chosen.content, 'ada');
  const clicked = await discord.click({ member, message, customId: 'go' }).finalMessage({
    where: ({ content }) => content === 'Gone',
  });
  assert.deepEqual([clicked.id, clicked.components], [message.id, []]);
  assert.deepEqual([failures, discord.violations], [[], []]);
});

test('discord.js opens a modal from a message menu and reads what was filled in', async (context) => {
  const { discord, member, failures } = await logIn(context, async (interaction) => {
    if (interaction.isMessageContextMenuCommand()) {
      const picture = interaction.targetMessage.attachments.first();
      await interaction.showModal(
        new ModalBuilder()
          .setCustomId(`edit:${picture?.name ?? 'none'}`)
          .setTitle('Edit image')
          .addLabelComponents(
            new LabelBuilder()
              .setLabel('Prompt')
              .setTextInputComponent(
                new TextInputBuilder().setCustomId('prompt').setStyle(TextInputStyle.Paragraph).setMaxLength(50),
              ),
            new LabelBuilder()
              .setLabel('Mask')
              .setFileUploadComponent(new FileUploadBuilder().setCustomId('mask').setRequired(false)),
            new LabelBuilder()
              .setLabel('Size')
              .setStringSelectMenuComponent(
                new StringSelectMenuBuilder().setCustomId('size').addOptions({ label: 'Square', value: '1' }),
              ),
          ),
      );
    } else if (interaction.isModalSubmit()) {
      const mask = interaction.fields.getUploadedFiles('mask')?.first();
      const size = interaction.fields.getStringSelectValues('size').join(',');
      await interaction.reply(
        [interaction.customId, interaction.fields.getTextInputValue('prompt'), mask?.name ?? 'no mask', size].join('|'),
      );
    }
  });
  const picture = discord.uploadAttachment({ bytes: PIXEL_PNG, filename: 'a.png' });
  const message = discord.postAsMember({ member, attachments: [picture] });
  const menu = discord.messageMenu({ member, command: 'Edit image', message });
  assert.equal(await menu.acknowledged(), 'modal');
  const submit = (answers: Parameters<typeof discord.submitModal>[0]['answers']) =>
    discord.submitModal({ member, interaction: menu, answers });
  assert.throws(() => submit({ prompt: '', size: ['1'] }), /must be filled in/);
  assert.throws(() => submit({ prompt: 'x'.repeat(51), size: ['1'] }), /wrong length/);
  assert.throws(() => submit({ prompt: 'hat', size: ['2'] }), /no choice/);
  const mask = discord.uploadAttachment({ bytes: PIXEL_PNG, filename: 'mask.png' });
  const answered = await submit({ prompt: 'a hat', size: ['1'], mask: [mask] }).finalMessage();
  assert.equal(answered.content, 'edit:a.png|a hat|mask.png|1');
  assert.equal((await submit({ prompt: 'a hat', size: ['1'] }).finalMessage()).content, 'edit:a.png|a hat|no mask|1');
  assert.deepEqual([failures, discord.violations], [[], []]);
});

test('discord.js survives a broken connection and gets what it missed', async (context) => {
  const { discord, member, failures } = await logIn(context, async (interaction) => {
    if (interaction.isChatInputCommand()) await interaction.reply('here');
  });
  discord.gateway.cutConnections();
  const interaction = discord.invoke({ member: member.user, command: 'imagine', options: { prompt: 'x' } });
  const message = await interaction.finalMessage();
  assert.deepEqual([message.content, message.visibleTo], ['here', member.user.id]);
  assert.deepEqual(
    discord.directMessages(member.user).map(({ id }) => id),
    [message.id],
  );
  assert.deepEqual(failures, []);
});
