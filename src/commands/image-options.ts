import type { APIApplicationCommandBasicOption, Attachment, AutocompleteInteraction } from 'discord.js';
import { ApplicationCommandOptionType } from 'discord.js';
import type { AttachmentLoader } from '../discord/attachments.ts';
import type { GuildCommand, Suggestion } from '../discord/command.ts';
import { PROMPT_LENGTH_MAX } from '../discord/image-modals.ts';
import { modelsFor } from '../services/access.ts';
import type { GuildSettings } from '../services/guild-settings.ts';
import type { GuildSettingsStore } from '../services/guild-settings-store.ts';
import type { Attached, ImageRequest } from '../services/image-request.ts';
import type { ModelRoster } from '../services/model-roster.ts';
import { BACKGROUNDS, IMAGE_FORMATS, QUALITIES } from '../services/providers/image-provider.ts';
import { listSizeChoices, writeSize } from '../services/providers/image-sizes.ts';
import { within } from '../services/time-limit.ts';
import { readAsker, rolesOf } from './asker.ts';
import { orUnavailable } from './or-unavailable.ts';

/** Options that making and editing have in common, in the words in which members see them. */

/** Discord's own limits for what is suggested: nothing that can be chosen is longer. */
export const CHOICE_LENGTH_MAX = 100;
export const SUGGESTIONS_MAX = 25;
export const COUNT_MAX = 4;
/** What the pictures of an edit are called, in their order. The first is the one that a mask belongs to. */
export const IMAGE_OPTIONS: readonly string[] = ['image', 'image2', 'image3', 'image4'];

export const promptOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.String,
  name: 'prompt',
  description: 'What the image should show',
  required: true,
  max_length: PROMPT_LENGTH_MAX,
};

export const resultOptions: readonly APIApplicationCommandBasicOption[] = [
  {
    type: ApplicationCommandOptionType.String,
    name: 'size',
    description: 'Width x height in pixels; what is possible depends on the model',
    autocomplete: true,
    max_length: CHOICE_LENGTH_MAX,
  },
  {
    type: ApplicationCommandOptionType.String,
    name: 'quality',
    description: 'Better costs more; if left out, the default of this server, or else medium',
    choices: QUALITIES.map(toChoice),
  },
  {
    type: ApplicationCommandOptionType.Integer,
    name: 'count',
    description: 'How many images; each is paid for',
    min_value: 1,
    max_value: COUNT_MAX,
  },
  {
    type: ApplicationCommandOptionType.String,
    name: 'background',
    description: 'Transparent needs the format png or webp',
    choices: BACKGROUNDS.map(toChoice),
  },
  {
    type: ApplicationCommandOptionType.String,
    name: 'format',
    description: 'The kind of file; if left out, the default of this server, or else png',
    choices: IMAGE_FORMATS.map(toChoice),
  },
  {
    type: ApplicationCommandOptionType.String,
    name: 'model',
    description: 'Which model makes it; if left out, the default of this server, or else the first',
    autocomplete: true,
    max_length: CHOICE_LENGTH_MAX,
  },
];

export const privateOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.Boolean,
  name: 'private',
  description: 'Only you will see the result',
};

export const spoilerOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.Boolean,
  name: 'spoiler',
  description: 'Cover the result until somebody clicks it',
};

/** Reads what making and editing have in common. */
export function readRequest(
  interaction: GuildCommand,
  operation: Pick<ImageRequest, 'operation' | 'keepOutside' | 'fidelity' | 'region' | 'maskMarks'>,
): ImageRequest {
  const { options } = interaction;
  const text = (name: string): string | undefined => options.getString(name) ?? undefined;
  return {
    ...readAsker(interaction),
    prompt: options.getString('prompt', true),
    model: text('model'),
    size: text('size'),
    quality: text('quality'),
    count: options.getInteger('count') ?? 1,
    background: text('background'),
    format: text('format'),
    isPrivate: options.getBoolean('private') ?? false,
    isSpoiler: options.getBoolean('spoiler') ?? false,
    ...operation,
  };
}

/** An attached picture under the name of its option. Its file name is never used for anything. */
export function toAttached(
  label: string,
  attachment: Pick<Attachment, 'url'>,
  loader: Pick<AttachmentLoader, 'load'>,
): Attached {
  return { label, load: async () => loader.load(attachment.url) };
}

export type SuggestionParts = {
  readonly roster: ModelRoster;
  readonly settings: Pick<GuildSettingsStore, 'read'>;
};

/** Whoever types on has asked again by then. */
const SETTINGS_WAIT_MS_MAX = 500;

/** Suggests the models that a member may use, and the sizes that the one makes that will be used. */
export async function suggestOptions(
  parts: SuggestionParts,
  interaction: AutocompleteInteraction,
): Promise<readonly Suggestion[]> {
  const settings = await readSettingsSoon(parts, interaction);
  return suggestOf(parts, interaction, settings);
}

/** The same for whoever decides what a server's members may use: they are told of every model. */
export async function suggestDefaults(
  parts: SuggestionParts,
  interaction: AutocompleteInteraction,
): Promise<readonly Suggestion[]> {
  const settings = await readSettingsSoon(parts, interaction);
  return suggestOf(parts, interaction, settings && { ...settings, access: {} });
}

/** Undefined where the store is away or slow, because a suggestion that comes too late is none. */
async function readSettingsSoon(
  { settings }: SuggestionParts,
  { guildId }: AutocompleteInteraction,
): Promise<GuildSettings | undefined> {
  if (guildId === null) return undefined;
  const read = await orUnavailable(within(SETTINGS_WAIT_MS_MAX, async () => settings.read(guildId)));
  return read === 'unavailable' ? undefined : read;
}

function suggestOf(
  { roster }: SuggestionParts,
  interaction: AutocompleteInteraction,
  settings: GuildSettings | undefined,
): readonly Suggestion[] {
  const { name, value } = interaction.options.getFocused(true);
  const typed = value.toLowerCase();
  const chosen = interaction.options.getString('model');
  const asker = { guild: interaction.guildId ?? '', roles: rolesOf(interaction) };
  const models = settings ? modelsFor(asker, settings, roster.models) : roster.models;
  const model = models.find(({ id }) => id === chosen) ?? models[0];
  const sizes = model ? listSizeChoices(model.sizes).map(writeSize) : [];
  const suggestions = name === 'model' ? models.map(({ id }) => id) : ['auto', ...sizes];
  return suggestions
    .filter((suggestion) => suggestion.toLowerCase().includes(typed))
    .slice(0, SUGGESTIONS_MAX)
    .map(toChoice);
}

export function toChoice(value: string): { name: string; value: string } {
  return { name: value, value };
}
