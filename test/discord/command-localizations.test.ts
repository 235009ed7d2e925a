import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CommandForm, CommandOption } from '../../sandbox/discord/command-schema.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { createStage } from '../../sandbox/stage.ts';
import type { CommandCatalogue } from '../../src/discord/command-words.ts';
import { COMMAND_CATALOGUES, nameChoice, nameOption } from '../../src/discord/command-words.ts';
import { CATALOGUES, wordsFor } from '../../src/discord/words.ts';

const SUBCOMMAND_TYPES: readonly number[] = [1, 2];
const DESCRIPTION_LENGTH_MAX = 100;
const CHOICE_LENGTH_MAX = 100;
const COMMAND_LENGTH_MAX = 8_000;
/** Discord's own pattern for what is typed. */
const TYPED_NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;

type Kind = keyof CommandCatalogue;
type Translated = Readonly<Partial<Record<string, string>>> | null | undefined;
/** A text of a command as it was registered, in English and in all other languages. */
type Shown = { readonly kind: Kind; readonly english: string; readonly translated: Translated };

function childrenOf(parent: CommandForm | CommandOption): readonly CommandOption[] {
  return ('options' in parent ? parent.options : undefined) ?? [];
}

function textsOfOption(option: CommandOption): Shown[] {
  const isSubcommand = SUBCOMMAND_TYPES.includes(option.type);
  const choices = ('choices' in option ? option.choices : undefined) ?? [];
  return [
    ...(isSubcommand ? [] : [{ kind: 'names', english: option.name, translated: option.name_localizations } as const]),
    { kind: 'descriptions', english: option.description, translated: option.description_localizations },
    ...choices.map(({ name, name_localizations: translated }): Shown => ({
      kind: 'choices',
      english: name,
      translated,
    })),
    ...childrenOf(option).flatMap(textsOfOption),
  ];
}

function textsOf(command: CommandForm): Shown[] {
  const { description, description_localizations: translated } = command;
  return [
    ...(description
      ? [{ kind: 'descriptions', english: description, translated } as const]
      : [{ kind: 'menus', english: command.name, translated: command.name_localizations } as const]),
    ...childrenOf(command).flatMap(textsOfOption),
  ];
}

/** Everything that has options, down to subcommands. */
function optionListsOf(parent: CommandForm | CommandOption): (readonly CommandOption[])[] {
  const children = childrenOf(parent);
  return [children, ...children.flatMap(optionListsOf)];
}

function longest(english: string, translated: Translated): number {
  return Math.max(english.length, ...Object.values(translated ?? {}).map((text) => text?.length ?? 0));
}

function lengthOf(part: CommandForm | CommandOption): number {
  const choices = ('choices' in part ? part.choices : undefined) ?? [];
  const own =
    longest(part.name, part.name_localizations) + longest(part.description ?? '', part.description_localizations);
  const ofChoices = choices.map(
    ({ name, name_localizations: translated, value }) => longest(name, translated) + String(value).length,
  );
  return [...ofChoices, ...childrenOf(part).map(lengthOf)].reduce((sum, length) => sum + length, own);
}

describe('commands in every language', () => {
  let stage: Stage | undefined;
  let commands: readonly CommandForm[] = [];

  before(async () => {
    const openApiPath = process.env['DISCORD_OPENAPI'];
    stage = await createStage({ discord: openApiPath ? { openApiPath } : {} });
    await stage.startBot();
    commands = stage.discord.registeredCommands();
  });
  after(async () => stage?.close());

  it('are what Discord takes', () => {
    assert.equal(commands.length, 6);
    assert.deepEqual(stage?.discord.violations, []);
  });

  it('have every text translated, and the catalogues have no other', () => {
    const texts = commands.flatMap(textsOf);
    for (const [locale, catalogue] of COMMAND_CATALOGUES) {
      for (const kind of ['names', 'descriptions', 'choices', 'menus'] as const) {
        const needed = texts.filter((text) => text.kind === kind).map(({ english }) => english);
        assert.deepEqual(Object.keys(catalogue[kind]), [...new Set(needed)].toSorted(), `${locale}: ${kind}`);
      }
    }
  });

  it('are registered with what the catalogues say', () => {
    for (const { kind, english, translated } of commands.flatMap(textsOf)) {
      for (const [locale, catalogue] of COMMAND_CATALOGUES) {
        assert.equal(translated?.[locale] ?? english, catalogue[kind][english], `${locale}: ${english}`);
      }
    }
  });

  it('are typed by the same name everywhere, and so are their subcommands', () => {
    for (const command of commands) {
      if (command.description) assert.equal(command.name_localizations ?? undefined, undefined, command.name);
      const options = optionListsOf(command).flat();
      for (const { name, type, name_localizations: translated } of options) {
        if (SUBCOMMAND_TYPES.includes(type)) assert.equal(translated ?? undefined, undefined, name);
      }
    }
  });

  it('have option names that Discord lets people type', () => {
    for (const [locale, { names }] of COMMAND_CATALOGUES) {
      for (const name of Object.values(names)) {
        assert.match(name, TYPED_NAME, locale);
        assert.equal(name, name.toLocaleLowerCase(locale), locale);
      }
    }
  });

  it('have no two options of one name, nor two choices', () => {
    for (const [locale, catalogue] of COMMAND_CATALOGUES) {
      for (const options of commands.flatMap(optionListsOf)) {
        const names = options.map(({ name }) => catalogue.names[name] ?? name);
        assert.equal(new Set(names).size, names.length, `${locale}: ${names.join()}`);
        for (const option of options) {
          const choices = ('choices' in option ? option.choices : undefined) ?? [];
          const shown = choices.map(({ name }) => catalogue.choices[name] ?? name);
          assert.equal(new Set(shown).size, shown.length, `${locale}: ${shown.join()}`);
        }
      }
    }
  });

  it('are no longer than Discord lets them be, in whole and in part', () => {
    for (const [locale, { descriptions, choices }] of COMMAND_CATALOGUES) {
      for (const text of Object.values(descriptions)) {
        assert.ok(text.length >= 1 && text.length <= DESCRIPTION_LENGTH_MAX, `${locale}: ${text}`);
      }
      for (const text of Object.values(choices)) {
        assert.ok(text.length >= 1 && text.length <= CHOICE_LENGTH_MAX, `${locale}: ${text}`);
      }
    }
    for (const command of commands) {
      assert.ok(lengthOf(command) <= COMMAND_LENGTH_MAX, `${command.name}: ${lengthOf(command)}`);
    }
  });
});

describe('names of options and choices in texts', () => {
  it('are those that are shown where a command is typed', () => {
    assert.equal(nameOption('mask_marks', wordsFor('de')), 'maske_markiert');
    assert.equal(nameOption('mask_marks', wordsFor('en-GB')), 'mask_marks');
    assert.equal(nameChoice('high', wordsFor('ja')), '高');
    assert.equal(nameChoice('1536x1024', wordsFor('ja')), '1536x1024');
    for (const inherited of ['constructor', 'toString', '__proto__']) {
      assert.equal(nameChoice(inherited, wordsFor('de')), inherited);
      assert.equal(nameOption(inherited, wordsFor('de')), inherited);
    }
  });

  it('are there in every language in which there are words', () => {
    const languages = [...CATALOGUES.keys()].filter((locale) => !locale.startsWith('en'));
    assert.deepEqual([...COMMAND_CATALOGUES.keys()].toSorted(), languages.toSorted());
  });
});
