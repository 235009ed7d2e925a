import type { RegisteredCommand } from './command-registry.ts';
import type { LeafOption } from './command-schema.ts';
import { OPTION_TYPE } from './command-schema.ts';
import type { Entity, EntityKind, ResolvedData } from './resolved-data.ts';
import { entityKind } from './resolved-data.ts';
import type { WireObject } from './world-wire.ts';

/** What a member puts into a command's options, by name. */
export type OptionValues = Readonly<Record<string, string | number | boolean | Entity | undefined>>;

/** The option a member is typing in while asking for suggestions, and the text so far. */
export type FocusedOption = {
  readonly name: string;
  readonly text: string;
};

const STRING_LENGTH_MAX = 6000;

/** The member's client does not let such a command be sent: the test or the command's definition is wrong. */
export class UnsendableCommand extends Error {
  override readonly name = 'UnsendableCommand';
}

/**
 * Writes the `options` of an interaction as a member's client would, and throws UnsendableCommand for what the
 * client would not let pass: options that are not registered, missing or out of range.
 * `path` is the subcommand, or group and subcommand, below the command's name.
 */
export function writeOptions(
  command: RegisteredCommand,
  path: readonly string[],
  values: OptionValues,
  resolved: ResolvedData,
  focused?: FocusedOption,
): WireObject[] {
  const leaves = optionsAt(command, path);
  const written = writeLeaves([command.name, ...path].join(' '), leaves, values, resolved, focused);
  return path.reduceRight<WireObject[]>((options, name, depth) => {
    const isLast = depth === path.length - 1;
    return [{ type: isLast ? OPTION_TYPE.subcommand : OPTION_TYPE.subcommandGroup, name, options }];
  }, written);
}

/** What can be filled in where a command is sent by this path below its name. */
export function optionsAt(command: RegisteredCommand, path: readonly string[]): LeafOption[] {
  let options: readonly CommandOption[] = command.options ?? [];
  for (const step of path) {
    const branch = options.find(({ name }) => name === step);
    if (branch === undefined || !isBranch(branch)) {
      throw new UnsendableCommand(`/${command.name} has no subcommand "${path.join(' ')}".`);
    }
    options = branch.options ?? [];
  }
  return options.map((option) => {
    if (!isBranch(option)) return option;
    const names = options.map(({ name }) => name).join(', ');
    throw new UnsendableCommand(`/${[command.name, ...path].join(' ')} needs one of its subcommands: ${names}.`);
  });
}

type CommandOption = NonNullable<RegisteredCommand['options']>[number];

function isBranch(option: CommandOption): option is Exclude<CommandOption, LeafOption> {
  return option.type === OPTION_TYPE.subcommand || option.type === OPTION_TYPE.subcommandGroup;
}

function writeLeaves(
  label: string,
  options: readonly LeafOption[],
  values: OptionValues,
  resolved: ResolvedData,
  focused: FocusedOption | undefined,
): WireObject[] {
  const known = new Set(options.map(({ name }) => name));
  for (const name of [...Object.keys(values), ...(focused === undefined ? [] : [focused.name])]) {
    if (!known.has(name)) throw new UnsendableCommand(`/${label} has no option "${name}".`);
  }
  return options.flatMap((option) => {
    if (focused?.name === option.name) {
      const canSuggest = 'autocomplete' in option && option.autocomplete === true;
      if (!canSuggest) throw new UnsendableCommand(`/${label} offers no suggestions for "${option.name}".`);
      return [{ type: option.type, name: option.name, value: focused.text, focused: true }];
    }
    const value = values[option.name];
    if (value !== undefined) {
      const where = `/${label} ${option.name}`;
      return [{ type: option.type, name: option.name, value: writeValue(where, option, value, resolved) }];
    }
    // Suggestions are asked for before the member has filled in the rest.
    if (option.required === true && focused === undefined) {
      throw new UnsendableCommand(`/${label} needs the option "${option.name}".`);
    }
    return [];
  });
}

const ENTITY_KINDS: Readonly<Partial<Record<LeafOption['type'], readonly EntityKind[]>>> = {
  [OPTION_TYPE.user]: ['user'],
  [OPTION_TYPE.channel]: ['channel'],
  [OPTION_TYPE.role]: ['role'],
  [OPTION_TYPE.mentionable]: ['user', 'role'],
  [OPTION_TYPE.attachment]: ['attachment'],
};

function writeValue(
  where: string,
  option: LeafOption,
  value: string | number | boolean | Entity,
  resolved: ResolvedData,
): string | number | boolean {
  if (typeof value === 'object') {
    const kinds = ENTITY_KINDS[option.type] ?? [];
    if (!kinds.includes(entityKind(value)))
      throw new UnsendableCommand(`${where} does not take ${entityKind(value)}s.`);
    return resolved.add(value);
  }
  const refuse = (reason: string): never => {
    throw new UnsendableCommand(`${where} ${reason}: ${JSON.stringify(value)}.`);
  };
  const choices = 'choices' in option ? (option.choices ?? []) : [];
  if (choices.length > 0 && !choices.some((choice) => choice.value === value)) refuse('is not one of its choices');
  switch (option.type) {
    case OPTION_TYPE.string: {
      if (typeof value !== 'string') return refuse('must be text');
      const isShort = value.length < Math.max(1, option.min_length ?? 0);
      if (isShort || value.length > (option.max_length ?? STRING_LENGTH_MAX)) refuse('has a wrong length');
      return value;
    }
    case OPTION_TYPE.integer:
    case OPTION_TYPE.number:
      if (typeof value !== 'number') return refuse('must be a number');
      if (option.type === OPTION_TYPE.integer && !Number.isSafeInteger(value)) refuse('must be a whole number');
      if (value < (option.min_value ?? -Infinity) || value > (option.max_value ?? Infinity)) refuse('is out of range');
      return value;
    case OPTION_TYPE.boolean:
      return typeof value === 'boolean' ? value : refuse('must be true or false');
    default:
      return refuse('does not take plain values');
  }
}
