import type {
  APIApplicationCommandBasicOption,
  APIApplicationCommandOption,
  CommandInteractionOption,
  CommandInteractionOptionResolver,
} from 'discord.js';
import { ApplicationCommandOptionType } from 'discord.js';

/** What is chosen by pointing at it comes beside the options, and an option without it would count as left out. */
const RESOLVED_AS = {
  [ApplicationCommandOptionType.Attachment]: ['attachment'],
  [ApplicationCommandOptionType.Channel]: ['channel'],
  [ApplicationCommandOptionType.Mentionable]: ['user', 'role'],
  [ApplicationCommandOptionType.Role]: ['role'],
  [ApplicationCommandOptionType.User]: ['user'],
} as const;

type Options = Pick<CommandInteractionOptionResolver, 'get' | 'getSubcommand'>;

/**
 * Holds the options of a command to its schema, as Discord does before it sends them, and emulations of it may not: an
 * impossible number of images would be asked for, paid, and written into the books. What was only written differently,
 * such as a number in quotes, is put right in its place.
 * @returns the name of the first option that cannot be used; undefined where all can be
 */
export function settleOptions(schema: readonly APIApplicationCommandOption[], options: Options): string | undefined {
  return leavesOf(schema, options).find((option) => !settle(option, options.get(option.name)))?.name;
}

/** The options of the subcommand where there is one. Which one there is, its command looks at. */
function leavesOf(
  schema: readonly APIApplicationCommandOption[],
  options: Options,
): APIApplicationCommandBasicOption[] {
  const chosen = options.getSubcommand(false);
  return schema.flatMap((option) => {
    switch (option.type) {
      case ApplicationCommandOptionType.Subcommand:
        return option.name === chosen ? [...(option.options ?? [])] : [];
      case ApplicationCommandOptionType.SubcommandGroup:
        return [];
      default:
        return [option];
    }
  });
}

function settle(option: APIApplicationCommandBasicOption, given: CommandInteractionOption | null): boolean {
  if (given?.value === undefined || given.value === null) return option.required !== true;
  const value = read(option, given);
  if (value === undefined || !isAllowed(option, value)) return false;
  Object.assign(given, { type: option.type, value });
  return true;
}

type Value = string | number | boolean;

/** The value as its option wants it; undefined where it is something else. */
function read({ type }: APIApplicationCommandBasicOption, given: CommandInteractionOption): Value | undefined {
  const { value } = given;
  switch (type) {
    case ApplicationCommandOptionType.String:
      return typeof value === 'boolean' || value === undefined ? undefined : String(value);
    case ApplicationCommandOptionType.Integer:
    case ApplicationCommandOptionType.Number:
      return readNumber(value, type === ApplicationCommandOptionType.Integer);
    case ApplicationCommandOptionType.Boolean:
      if (typeof value === 'boolean') return value;
      return value === 'true' || value === 'false' ? value === 'true' : undefined;
    default:
      return RESOLVED_AS[type].some((resolved) => given[resolved]) ? value : undefined;
  }
}

function readNumber(value: Value | undefined, isWhole: boolean): number | undefined {
  if (typeof value === 'boolean' || value === undefined || value === '') return undefined;
  const number = Number(value);
  return (isWhole ? Number.isSafeInteger(number) : Number.isFinite(number)) ? number : undefined;
}

function isAllowed(option: APIApplicationCommandBasicOption, value: Value): boolean {
  const choices = 'choices' in option ? (option.choices ?? []) : [];
  if (choices.length > 0 && !choices.some((choice) => choice.value === value)) return false;
  switch (option.type) {
    case ApplicationCommandOptionType.String:
      return isWithin(Array.from(String(value)).length, Math.max(1, option.min_length ?? 0), option.max_length);
    case ApplicationCommandOptionType.Integer:
    case ApplicationCommandOptionType.Number:
      return isWithin(Number(value), option.min_value, option.max_value);
    default:
      return true;
  }
}

function isWithin(number: number, minimum = -Infinity, maximum = Infinity): boolean {
  return number >= minimum && number <= maximum;
}
