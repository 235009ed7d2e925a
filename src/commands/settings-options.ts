import type { APIApplicationCommandBasicOption, APIApplicationCommandSubcommandOption } from 'discord.js';
import { ApplicationCommandOptionType, ChannelType } from 'discord.js';
import { IMAGE_FORMATS, QUALITIES } from '../services/providers/image-provider.ts';
import { CHOICE_LENGTH_MAX, COUNT_MAX, toChoice } from './image-options.ts';

/** What can be decided with `/settings`, in the words in which administrators see it. */

const PERCENT_MAX = 100;
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
  return { type: ApplicationCommandOptionType.String, name, description, choices: values.map(toChoice) };
}

/** Each changes one kind of decision; `show` changes nothing. */
export const settingsSubcommands: readonly APIApplicationCommandSubcommandOption[] = [
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
