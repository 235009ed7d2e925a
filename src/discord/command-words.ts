import type { Words } from './words.ts';
import german from './words/commands/de.json' with { type: 'json' };
import spanish from './words/commands/es.json' with { type: 'json' };
import french from './words/commands/fr.json' with { type: 'json' };
import japanese from './words/commands/ja.json' with { type: 'json' };
import portuguese from './words/commands/pt.json' with { type: 'json' };

type Translations = Readonly<Record<string, string>>;

/**
 * What of the commands is shown in another language, by the English that stands in their schemas: so the same English
 * is the same everywhere, and English that was changed is not translated by what it once was.
 */
export type CommandCatalogue = {
  /** Of options. */
  readonly names: Translations;
  readonly descriptions: Translations;
  readonly choices: Translations;
  /** What stands in the menus of messages. */
  readonly menus: Translations;
};

/** By the languages for which they are, as Discord names them. */
export const COMMAND_CATALOGUES: ReadonlyMap<string, CommandCatalogue> = new Map<string, CommandCatalogue>([
  ['de', german],
  ['es-ES', spanish],
  ['es-419', spanish],
  ['fr', french],
  ['ja', japanese],
  ['pt-BR', portuguese],
]);

/** What an option is called where a command is typed. */
export function nameOption(name: string, { locale }: Words): string {
  return translate(name, COMMAND_CATALOGUES.get(locale)?.names);
}

/** What a choice is called where it is chosen; what has no other name is shown as it is. */
export function nameChoice(choice: string, { locale }: Words): string {
  return translate(choice, COMMAND_CATALOGUES.get(locale)?.choices);
}

/** Members type what is looked up here, and may type `constructor`, which every object has from elsewhere. */
function translate(english: string, translations: Translations = {}): string {
  return (Object.hasOwn(translations, english) ? translations[english] : undefined) ?? english;
}
