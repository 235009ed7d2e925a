import type { APIApplicationCommandBasicOption, APIApplicationCommandSubcommandOption } from 'discord.js';
import { ApplicationCommandOptionType, ChannelType, InteractionContextType, PermissionFlagsBits } from 'discord.js';
import type { NanoUsd } from '../billing/money.ts';
import type { PriceBook } from '../billing/prices.ts';
import type { Command, GuildCommand } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import { uploadFromBytes } from '../discord/multipart.ts';
import type { LogChannel } from '../discord/log-channel.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText, renderTextWithFiles } from '../discord/result-message.ts';
import { describeProblem, describeSettings } from '../discord/settings-message.ts';
import { join } from '../discord/wording.ts';
import type { Words } from '../discord/words.ts';
import { wordsFor } from '../discord/words.ts';
import type { GuildSettings, GuildSettingsStore } from '../services/guild-settings.ts';
import type { ModelRoster } from '../services/model-roster.ts';
import { priceOfPreviews } from '../services/preview-price.ts';
import { IMAGE_FORMATS, QUALITIES } from '../services/providers/image-provider.ts';
import type { SettingsEdit } from './settings-edits.ts';
import { editAccess, editBudget, editDefaults, editLimit, editLog, editPreviews } from './settings-edits.ts';
import { CHOICE_LENGTH_MAX, COUNT_MAX, suggestOptions } from './image-options.ts';

export type SettingsCommandParts = {
  readonly settings: GuildSettingsStore;
  readonly roster: ModelRoster;
  readonly replies: ReplyEditor;
  readonly logChannel: LogChannel;
  readonly prices: PriceBook;
  readonly now: () => number;
  /** What holds where a server has no budget of its own. */
  readonly defaultBudget: NanoUsd;
  /** The most that an administrator can set; undefined where the operator sets no such ceiling. */
  readonly budgetMax: NanoUsd | undefined;
};

const HISTORY_SHOWN_MAX = 5;
const PERCENT_MAX = 100;
/** Discord's own limit is 4,000 for all texts of a message. */
const TEXT_LENGTH_MAX = 3_900;
const AMOUNT_LENGTH_MAX = 20;
const LIST_LENGTH_MAX = 500;

const clearOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.Boolean,
  name: 'clear',
  description: 'Take the decision back',
};

function suggested(name: string, description: string): APIApplicationCommandBasicOption {
  const type = ApplicationCommandOptionType.String;
  return { type, name, description, autocomplete: true, max_length: CHOICE_LENGTH_MAX };
}

function chosen(name: string, description: string, values: readonly string[]): APIApplicationCommandBasicOption {
  const choices = values.map((value) => ({ name: value, value }));
  return { type: ApplicationCommandOptionType.String, name, description, choices };
}

const subcommands: readonly APIApplicationCommandSubcommandOption[] = [
  {
    type: ApplicationCommandOptionType.Subcommand,
    name: 'show',
    description: 'What has been decided here, and by whom',
  },
  {
    type: ApplicationCommandOptionType.Subcommand,
    name: 'budget',
    description: 'How much this server may spend in a month',
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: 'usd',
        description: 'US dollars a month, like 25.00',
        max_length: AMOUNT_LENGTH_MAX,
      },
      {
        type: ApplicationCommandOptionType.Integer,
        name: 'warning_percent',
        description: 'At which share of it the log channel is told',
        min_value: 1,
        max_value: PERCENT_MAX,
      },
      clearOption,
    ],
  },
  {
    type: ApplicationCommandOptionType.Subcommand,
    name: 'limit',
    description: 'What one member, or each member of a role, may spend; without either, each member',
    options: [
      { type: ApplicationCommandOptionType.User, name: 'member', description: 'For this member' },
      { type: ApplicationCommandOptionType.Role, name: 'role', description: 'For each member of this role' },
      {
        type: ApplicationCommandOptionType.String,
        name: 'usd',
        description: 'US dollars a month, like 2.50',
        max_length: AMOUNT_LENGTH_MAX,
      },
      {
        type: ApplicationCommandOptionType.Integer,
        name: 'images_per_day',
        description: 'How many images a day',
        min_value: 0,
        max_value: 10_000,
      },
      clearOption,
    ],
  },
  {
    type: ApplicationCommandOptionType.Subcommand,
    name: 'access',
    description: 'Which models, qualities and counts a role may use; who has no such role may use what @everyone may',
    options: [
      { type: ApplicationCommandOptionType.Role, name: 'role', description: 'The role', required: true },
      {
        type: ApplicationCommandOptionType.String,
        name: 'models',
        description: 'Models, separated by commas',
        max_length: LIST_LENGTH_MAX,
      },
      {
        type: ApplicationCommandOptionType.String,
        name: 'qualities',
        description: 'Qualities, separated by commas, like low, medium',
        max_length: LIST_LENGTH_MAX,
      },
      {
        type: ApplicationCommandOptionType.Integer,
        name: 'count_max',
        description: 'The most images in one request',
        min_value: 1,
        max_value: COUNT_MAX,
      },
      clearOption,
    ],
  },
  {
    type: ApplicationCommandOptionType.Subcommand,
    name: 'defaults',
    description: 'What holds where a member chooses nothing',
    options: [
      suggested('model', 'The model'),
      suggested('size', 'The size of images that are not made from another one'),
      chosen('quality', 'The quality', QUALITIES),
      chosen('format', 'The kind of file', IMAGE_FORMATS),
      clearOption,
    ],
  },
  {
    type: ApplicationCommandOptionType.Subcommand,
    name: 'previews',
    description: 'Whether images are shown while they are made, which costs a little more',
    options: [
      {
        type: ApplicationCommandOptionType.Boolean,
        name: 'on',
        description: 'Show previews, of requests for one image',
        required: true,
      },
    ],
  },
  {
    type: ApplicationCommandOptionType.Subcommand,
    name: 'log',
    description: 'Where warnings go',
    options: [
      {
        type: ApplicationCommandOptionType.Channel,
        name: 'channel',
        description: 'A channel that Easel may write to',
        channel_types: [ChannelType.GuildText],
      },
      {
        type: ApplicationCommandOptionType.Boolean,
        name: 'jobs',
        description: 'Tell every finished request there as well',
      },
      clearOption,
    ],
  },
];

/** `/settings`: what the administrators of a server decide. */
export function createSettingsCommand(parts: SettingsCommandParts): Command {
  return {
    schema: {
      name: 'settings',
      description: 'Budget, limits and defaults of this server',
      contexts: [InteractionContextType.Guild],
      default_member_permissions: PermissionFlagsBits.ManageGuild.toString(),
      options: [...subcommands],
    },
    answer: (interaction) => answerAfterwards('private-reply', async () => answer(parts, interaction)),
    suggest: (interaction) => suggestOptions(parts.roster, interaction),
  };
}

async function answer(parts: SettingsCommandParts, interaction: GuildCommand): Promise<void> {
  const { settings } = parts;
  const words = wordsFor(interaction.locale);
  const say = async (text: string): Promise<void> => reply(parts, interaction, text, words);

  // Discord hides the command from others, but a server's owner can show it to anybody.
  if (!interaction.memberPermissions?.has(PermissionFlagsBits.ManageGuild)) {
    return say(words.say('settings.not-allowed'));
  }
  const guild = interaction.guildId;
  const what = interaction.options.getSubcommand();
  const edit = readEdit(parts, interaction, what);
  if (edit === undefined) return say(await describe(parts, guild, await settings.read(guild), words));
  if ('problem' in edit) return say(describeProblem(edit, words));
  const channel = what === 'log' ? interaction.options.getChannel('channel') : null;
  const serverWords = wordsFor(interaction.guildLocale ?? interaction.locale);
  if (channel && !(await parts.logChannel.introduce(channel.id, interaction.user.id, serverWords))) {
    const closed = words.say('settings.log-closed', { channel: `<#${channel.id}>` });
    return say(join(closed, words.say('settings.unchanged'), words));
  }
  const changed = await settings.change(guild, { by: interaction.user.id, what }, edit.apply);
  if ('problem' in changed) return say(describeProblem(changed, words));
  return say(`${words.say('settings.changed')}\n\n${await describe(parts, guild, changed, words)}`);
}

/** A server may have decided more than a message holds; then a file has the whole of it. */
async function reply(
  { replies }: SettingsCommandParts,
  interaction: GuildCommand,
  text: string,
  { say }: Words,
): Promise<void> {
  if (text.length <= TEXT_LENGTH_MAX) return replies.edit(interaction, renderText(text));
  const shown = text.slice(0, text.lastIndexOf('\n', TEXT_LENGTH_MAX));
  const file = uploadFromBytes('settings.txt', 'text/plain', Buffer.from(text));
  const message = renderTextWithFiles(`${shown}\n${say('settings.too-long')}`, [file.name]);
  return replies.edit(interaction, message, [file]);
}

/** @everyone has the server's own id. Whoever means it means each member. */
function roleOf(role: string | undefined, guild: string): string | undefined {
  return role === guild ? undefined : role;
}

async function describe(
  parts: SettingsCommandParts,
  guild: string,
  settings: GuildSettings,
  words: Words,
): Promise<string> {
  const history = await parts.settings.history(guild, HISTORY_SHOWN_MAX);
  const previews = priceOfPreviews(settings, { ...parts, at: parts.now() });
  return describeSettings(settings, { guild, defaultBudget: parts.defaultBudget, history, previews }, words);
}

function readEdit(
  parts: SettingsCommandParts,
  { options, guildId }: GuildCommand,
  what: string,
): SettingsEdit | undefined {
  const text = (name: string): string | undefined => options.getString(name) ?? undefined;
  const number = (name: string): number | undefined => options.getInteger(name) ?? undefined;
  const isCleared = options.getBoolean('clear') ?? false;
  const models = parts.roster.models.map(({ id }) => id);
  switch (what) {
    case 'budget':
      return editBudget({
        usd: text('usd'),
        warningPercent: number('warning_percent'),
        isCleared,
        max: parts.budgetMax,
      });
    case 'limit':
      return editLimit({
        member: options.getUser('member')?.id,
        role: roleOf(options.getRole('role')?.id, guildId),
        usd: text('usd'),
        imagesPerDay: number('images_per_day'),
        isCleared,
      });
    case 'access':
      return editAccess({
        role: options.getRole('role', true).id,
        models: text('models'),
        qualities: text('qualities'),
        countMax: number('count_max'),
        isCleared,
        known: models,
      });
    case 'defaults':
      return editDefaults({
        model: text('model'),
        size: text('size'),
        quality: text('quality'),
        format: text('format'),
        isCleared,
        known: models,
      });
    case 'log':
      return editLog({
        channelId: options.getChannel('channel')?.id,
        logsJobs: options.getBoolean('jobs') ?? undefined,
        isCleared,
      });
    case 'previews':
      return editPreviews({ isOn: options.getBoolean('on', true) });
    default:
      return undefined;
  }
}
