import type { APIApplicationCommandBasicOption, APIApplicationCommandSubcommandOption } from 'discord.js';
import { ApplicationCommandOptionType, ChannelType, InteractionContextType, PermissionFlagsBits } from 'discord.js';
import type { NanoUsd } from '../billing/money.ts';
import type { Command, GuildCommand } from '../discord/command.ts';
import { uploadFromBytes } from '../discord/multipart.ts';
import type { LogChannel } from '../discord/log-channel.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText, renderTextWithFiles } from '../discord/result-message.ts';
import { describeSettings } from '../discord/settings-message.ts';
import type { GuildSettings, GuildSettingsStore } from '../services/guild-settings.ts';
import type { ModelRoster } from '../services/model-roster.ts';
import type { SettingsEdit } from './settings-edits.ts';
import {
  editAccess,
  editBudget,
  editDefaults,
  editLimit,
  editLogChannel,
  FORMATS,
  QUALITIES,
} from './settings-edits.ts';
import { suggestOptions } from './image-options.ts';

export type SettingsCommandParts = {
  readonly settings: GuildSettingsStore;
  readonly roster: ModelRoster;
  readonly replies: ReplyEditor;
  readonly logChannel: LogChannel;
  /** What holds where a server has no budget of its own. */
  readonly defaultBudget: NanoUsd;
  /** The most that an administrator can set; undefined where the operator sets no such ceiling. */
  readonly budgetMax: NanoUsd | undefined;
};

const HISTORY_SHOWN_MAX = 5;
const COUNT_MAX = 4;
const PERCENT_MAX = 100;
/** Discord's own limit is 4,000 for all texts of a message. */
const TEXT_LENGTH_MAX = 3_900;
const AMOUNT_LENGTH_MAX = 20;
const CHOICE_LENGTH_MAX = 100;
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
      chosen('format', 'The kind of file', FORMATS),
      clearOption,
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
    isPrivate: () => true,
    begin: async (interaction) => ({ run: async () => answer(parts, interaction) }),
    suggest: (interaction) => suggestOptions(parts.roster, interaction),
  };
}

async function answer(parts: SettingsCommandParts, interaction: GuildCommand): Promise<void> {
  const { settings } = parts;
  const say = async (text: string): Promise<void> => reply(parts, interaction, text);

  // Discord hides the command from others, but a server's owner can show it to anybody.
  if (!interaction.memberPermissions?.has(PermissionFlagsBits.ManageGuild)) {
    return say('Only members who may manage this server can change its settings.');
  }
  const guild = interaction.guildId;
  const what = interaction.options.getSubcommand();
  const edit = readEdit(parts, interaction, what);
  if (edit === undefined) return say(await describe(parts, guild, await settings.read(guild)));
  if ('problem' in edit) return say(`${edit.problem} Nothing was changed.`);
  const channel = what === 'log' ? interaction.options.getChannel('channel') : null;
  if (channel && !(await parts.logChannel.introduce(channel.id, interaction.user.id))) {
    return say(
      `Easel cannot write in <#${channel.id}>: it has to see it and send messages there. Nothing was changed.`,
    );
  }
  const changed = await settings.change(guild, { by: interaction.user.id, what }, edit.apply);
  if ('problem' in changed) return say(`${changed.problem} Nothing was changed.`);
  return say(`Changed.\n\n${await describe(parts, guild, changed)}`);
}

/** A server may have decided more than a message holds; then a file has the whole of it. */
async function reply({ replies }: SettingsCommandParts, interaction: GuildCommand, text: string): Promise<void> {
  if (text.length <= TEXT_LENGTH_MAX) return replies.edit(interaction, renderText(text));
  const shown = text.slice(0, text.lastIndexOf('\n', TEXT_LENGTH_MAX));
  const file = uploadFromBytes('settings.txt', 'text/plain', Buffer.from(text));
  const message = renderTextWithFiles(`${shown}\n-# There is more; the file has all of it.`, [file.name]);
  return replies.edit(interaction, message, [file]);
}

/** @everyone has the server's own id. Whoever means it means each member. */
function roleOf(role: string | undefined, guild: string): string | undefined {
  return role === guild ? undefined : role;
}

async function describe(parts: SettingsCommandParts, guild: string, settings: GuildSettings): Promise<string> {
  const history = await parts.settings.history(guild, HISTORY_SHOWN_MAX);
  return describeSettings(settings, { guild, defaultBudget: parts.defaultBudget, history });
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
      return editLogChannel({ channelId: options.getChannel('channel')?.id, isCleared });
    default:
      return undefined;
  }
}
