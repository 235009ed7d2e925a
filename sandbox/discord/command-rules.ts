import type { FormProblem } from './api-refusal.ts';
import { refusals } from './api-refusal.ts';
import type { CommandForm, CommandOption } from './command-schema.ts';
import { COMMAND_TYPE, OPTION_TYPE, slashName } from './command-schema.ts';

/** How many commands of each type an application may have. */
const COMMANDS_MAX: Readonly<Record<CommandForm['type'], number>> = { 1: 100, 2: 15, 3: 15 };
/** Names, descriptions and choice values of one command together, longest localisation counted. */
const COMMAND_CHARACTERS_MAX = 8000;

type Path = readonly (string | number)[];

/** Checks what the form of single fields cannot: order, duplicates, totals. Throws 50035 with every fault. */
export function checkCommands(commands: readonly CommandForm[]): void {
  const problems = commands.flatMap((command, index) => checkCommand(command, [index]));
  for (const type of [1, 2, 3] as const) {
    const ofType = commands.filter((command) => command.type === type);
    if (ofType.length > COMMANDS_MAX[type]) {
      problems.push(problem([], 'APPLICATION_COMMANDS_MAX', `At most ${COMMANDS_MAX[type]} commands of type ${type}.`));
    }
    problems.push(...findDuplicateNames(ofType, [], 'APPLICATION_COMMANDS_DUPLICATE_NAME'));
  }
  if (problems.length > 0) throw refusals.invalidForm(problems);
}

function checkCommand(command: CommandForm, path: Path): FormProblem[] {
  const problems: FormProblem[] = [];
  const options = command.options ?? [];
  if (command.type === COMMAND_TYPE.chatInput) {
    if (!slashName.safeParse(command.name).success) {
      problems.push(problem([...path, 'name'], 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid'));
    }
    for (const [locale, name] of Object.entries(command.name_localizations ?? {})) {
      if (slashName.safeParse(name).success) continue;
      const here = [...path, 'name_localizations', locale];
      problems.push(problem(here, 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid'));
    }
    if ((command.description ?? '') === '') {
      problems.push(problem([...path, 'description'], 'BASE_TYPE_REQUIRED', 'This field is required'));
    }
  } else {
    if ((command.description ?? '') !== '') {
      problems.push(
        problem(
          [...path, 'description'],
          'APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED',
          'Context menu commands have no description',
        ),
      );
    }
    if (options.length > 0) {
      problems.push(
        problem(
          [...path, 'options'],
          'APPLICATION_COMMAND_OPTIONS_NOT_ALLOWED',
          'Context menu commands have no options',
        ),
      );
    }
  }
  problems.push(...checkOptions(options, [...path, 'options']));
  if (countCharacters(command) > COMMAND_CHARACTERS_MAX) {
    problems.push(
      problem(path, 'APPLICATION_COMMAND_TOO_LARGE', `Command exceeds maximum size (${COMMAND_CHARACTERS_MAX})`),
    );
  }
  return problems;
}

function checkOptions(options: readonly CommandOption[], path: Path): FormProblem[] {
  const problems = findDuplicateNames(options, path, 'APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE');
  let sawOptional = false;
  let sawLeaf = false;
  options.forEach((option, index) => {
    const here = [...path, index];
    const isBranch = option.type === OPTION_TYPE.subcommand || option.type === OPTION_TYPE.subcommandGroup;
    if (isBranch) {
      problems.push(...checkOptions(option.options ?? [], [...here, 'options']));
      if (sawLeaf) problems.push(mixedOptions(here));
      return;
    }
    if (!sawLeaf && index > 0) problems.push(mixedOptions(here));
    sawLeaf = true;
    if (option.required === true && sawOptional) {
      problems.push(
        problem(
          here,
          'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
          'Required options must be placed before non-required options',
        ),
      );
    }
    if (option.required !== true) sawOptional = true;
    problems.push(...checkLeaf(option, here));
  });
  return problems;
}

function checkLeaf(option: CommandOption, path: Path): FormProblem[] {
  const problems: FormProblem[] = [];
  const choices = 'choices' in option ? (option.choices ?? []) : [];
  if ('autocomplete' in option && option.autocomplete === true && choices.length > 0) {
    problems.push(
      problem(
        [...path, 'autocomplete'],
        'APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES',
        'Autocomplete cannot be used with choices',
      ),
    );
  }
  problems.push(
    ...findDuplicateNames(choices, [...path, 'choices'], 'APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_EXISTS'),
    ...findDuplicates(
      choices.map(({ value }) => String(value)),
      [...path, 'choices'],
      'APPLICATION_COMMAND_OPTIONS_CHOICE_VALUE_EXISTS',
    ),
  );
  const [least, most] =
    'min_length' in option || 'max_length' in option
      ? [option.min_length, option.max_length]
      : 'min_value' in option || 'max_value' in option
        ? [option.min_value, option.max_value]
        : [undefined, undefined];
  if ((least ?? -Infinity) > (most ?? Infinity)) {
    problems.push(problem(path, 'APPLICATION_COMMAND_OPTIONS_MIN_MAX', 'The minimum is above the maximum'));
  }
  return problems;
}

function mixedOptions(path: Path): FormProblem {
  return problem(
    path,
    'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID',
    'Sub-command and sub-command group option types are mutually exclusive to all other types',
  );
}

type Named = Pick<Described, 'name' | 'name_localizations'>;

/** Names have to differ as they are, and in each language, in which those that are not translated stand as they are. */
function findDuplicateNames(named: readonly Named[], path: Path, code: string): FormProblem[] {
  const names = named.map(({ name }) => name);
  const locales = new Set(named.flatMap(({ name_localizations: translated }) => Object.keys(translated ?? {})));
  return [
    ...findDuplicates(names, path, code),
    ...[...locales].flatMap((locale) => {
      const translated = named.map(({ name, name_localizations: others }) => others?.[locale] ?? name);
      return findDuplicates(translated, path, code, ['name_localizations', locale]);
    }),
  ];
}

function findDuplicates(names: readonly string[], path: Path, code: string, within: Path = []): FormProblem[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) === index ? [] : [problem([...path, index, ...within], code, `"${name}" stands here twice`)],
  );
}

function problem(path: Path, code: string, message: string): FormProblem {
  return { path, code, message };
}

type Described = {
  readonly name: string;
  readonly name_localizations?: Partial<Record<string, string>> | null | undefined;
  readonly description?: string | null | undefined;
  readonly description_localizations?: Partial<Record<string, string>> | null | undefined;
};

function longest(text: string, translations: Described['name_localizations']): number {
  return Math.max(text.length, ...Object.values(translations ?? {}).map((translation) => translation?.length ?? 0));
}

function countOwnCharacters(described: Described): number {
  return (
    longest(described.name, described.name_localizations) +
    longest(described.description ?? '', described.description_localizations)
  );
}

function countCharacters(command: CommandForm): number {
  const ofOption = (option: CommandOption): number => {
    const choices = 'choices' in option ? (option.choices ?? []) : [];
    const children: readonly CommandOption[] = 'options' in option ? (option.options ?? []) : [];
    return (
      countOwnCharacters(option) +
      choices.reduce(
        (sum, choice) => sum + longest(choice.name, choice.name_localizations) + String(choice.value).length,
        0,
      ) +
      children.reduce((sum, child) => sum + ofOption(child), 0)
    );
  };
  return countOwnCharacters(command) + (command.options ?? []).reduce((sum, option) => sum + ofOption(option), 0);
}
