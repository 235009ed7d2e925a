import { InteractionContextType, PermissionFlagsBits } from 'discord.js';
import type { NanoUsd } from '../billing/money.ts';
import type { PriceBook } from '../billing/prices.ts';
import type { Command, GuildCommand } from '../discord/command.ts';
import { answerAfterwards } from '../discord/command.ts';
import { uploadFromBytes } from '../discord/multipart.ts';
import type { LogChannel } from '../discord/log-channel.ts';
import type { ReplyEditor } from '../discord/reply-editor.ts';
import { renderText, renderTextWithFiles, TEXT_LENGTH_MAX } from '../discord/message-payload.ts';
import { describeProblem, describeSettings } from '../discord/settings-message.ts';
import { join } from '../discord/wording.ts';
import type { Words } from '../discord/words.ts';
import { wordsFor } from '../discord/words.ts';
import type { GuildSettings } from '../services/guild-settings.ts';
import type { GuildSettingsStore } from '../services/guild-settings-store.ts';
import type { ModelRoster } from '../services/model-roster.ts';
import { priceOfPreviews } from '../services/preview-price.ts';
import { mayManageServer } from './asker.ts';
import { suggestDefaults } from './image-options.ts';
import { findLostRoles, withoutRoles } from './lost-roles.ts';
import type { SettingsEdit } from './settings-edits.ts';
import { editAccess, editBudget, editDefaults, editLimit, editLog, editPreviews } from './settings-edits.ts';
import { settingsSubcommands } from './settings-options.ts';

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

/** What decides for roles, and therefore lets go of what was decided for deleted ones. */
const SUBCOMMANDS_OF_ROLES: ReadonlySet<string> = new Set(['limit', 'access']);
const HISTORY_SHOWN_MAX = 5;
/** Leaves room for the line that says where the rest is. */
const SHOWN_LENGTH_MAX = TEXT_LENGTH_MAX - 100;

/** `/settings`: what the administrators of a server decide. */
export function createSettingsCommand(parts: SettingsCommandParts): Command {
  return {
    schema: {
      name: 'settings',
      description: 'Budget, limits and defaults of this server',
      contexts: [InteractionContextType.Guild],
      default_member_permissions: PermissionFlagsBits.ManageGuild.toString(),
      options: [...settingsSubcommands],
    },
    answer: (interaction) => answerAfterwards('private-reply', async () => answer(parts, interaction)),
    suggest: async (interaction) => suggestDefaults(parts, interaction),
  };
}

async function answer(parts: SettingsCommandParts, interaction: GuildCommand): Promise<void> {
  const { settings } = parts;
  const words = wordsFor(interaction.locale);
  const say = async (text: string): Promise<void> => reply(parts, interaction, text, words);

  if (!mayManageServer(interaction)) return say(words.say('settings.not-allowed'));
  const guild = interaction.guildId;
  const what = interaction.options.getSubcommand();
  const edit = readEdit(parts, interaction, what);
  if (edit === undefined) return say(await describe(parts, guild, await settings.read(guild), words));
  if ('problem' in edit) return say(describeProblem(edit, words));
  const channel = what === 'log' ? interaction.options.getChannel('channel') : null;
  if (channel) {
    const serverWords = wordsFor(interaction.guildLocale ?? interaction.locale);
    const introduction = await parts.logChannel.introduce(channel.id, interaction.user.id, serverWords);
    if (introduction !== 'said') {
      const obstacle = words.say(`settings.log-${introduction}`, { channel: `<#${channel.id}>` });
      return say(join(obstacle, words.say('settings.unchanged'), words));
    }
  }
  const lost = SUBCOMMANDS_OF_ROLES.has(what) ? await findLostRoles(settings, interaction) : [];
  const apply = (before: GuildSettings): ReturnType<typeof edit.apply> => edit.apply(withoutRoles(before, lost));
  const changed = await settings.change(guild, { by: interaction.user.id, what }, apply);
  if ('problem' in changed) return say(describeProblem(changed, words));
  return say(`${describeChange(lost, words)}\n\n${await describe(parts, guild, changed, words)}`);
}

function describeChange(lost: readonly string[], words: Words): string {
  const changed = words.say('settings.changed');
  return lost.length === 0 ? changed : join(changed, words.say('settings.roles-gone', { count: lost.length }), words);
}

/** A server may have decided more than a message holds; then a file has the whole of it. */
async function reply(
  { replies }: SettingsCommandParts,
  interaction: GuildCommand,
  text: string,
  { say }: Words,
): Promise<void> {
  if (text.length <= SHOWN_LENGTH_MAX) return replies.answer(interaction, renderText(text));
  const shown = text.slice(0, text.lastIndexOf('\n', SHOWN_LENGTH_MAX));
  const file = uploadFromBytes('settings.txt', 'text/plain', Buffer.from(text));
  const message = renderTextWithFiles(`${shown}\n${say('settings.too-long')}`, [file.name]);
  return replies.answer(interaction, message, [file]);
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
