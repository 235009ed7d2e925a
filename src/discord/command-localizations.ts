import type { APIApplicationCommandOption, LocalizationMap } from 'discord.js';
import { ApplicationCommandOptionType, ApplicationIntegrationType } from 'discord.js';
import type { Command, MessageMenu } from './command.ts';
import type { CommandCatalogue } from './command-words.ts';
import { COMMAND_CATALOGUES } from './command-words.ts';

export type CommandSchema = Command['schema'] | MessageMenu['schema'];

/**
 * A command as Discord is told of it: for servers that Easel was added to, and in every language that there is. What
 * people type to reach it, its name and those of its subcommands, is the same in all of them, because they tell each
 * other and texts name it.
 */
export function localizeCommand(command: CommandSchema): CommandSchema {
  const localized = structuredClone(command);
  // Where it is left open, the application's settings decide, and those may let people bring Easel to other servers.
  localized.integration_types = [ApplicationIntegrationType.GuildInstall];
  if (!('description' in localized)) return { ...localized, name_localizations: translate('menus', localized.name) };
  localized.description_localizations = translate('descriptions', localized.description);
  localized.options?.forEach(localizeOption);
  return localized;
}

function localizeOption(option: APIApplicationCommandOption): void {
  option.description_localizations = translate('descriptions', option.description);
  const isSubcommand =
    option.type === ApplicationCommandOptionType.Subcommand ||
    option.type === ApplicationCommandOptionType.SubcommandGroup;
  if (!isSubcommand) option.name_localizations = translate('names', option.name);
  if ('options' in option) option.options?.forEach(localizeOption);
  if ('choices' in option) {
    for (const choice of option.choices ?? []) choice.name_localizations = translate('choices', choice.name);
  }
}

/** The text in every language in which it is another one. */
function translate(kind: keyof CommandCatalogue, english: string): LocalizationMap {
  const translations = [...COMMAND_CATALOGUES].map(
    ([locale, catalogue]) => [locale, catalogue[kind][english]] as const,
  );
  return Object.fromEntries(translations.filter(([, text]) => text !== undefined && text !== english));
}
