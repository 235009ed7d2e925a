import type { TypedCommand } from './command-line.ts';
import type { LeafOption } from './discord/command-schema.ts';
import { OPTION_TYPE } from './discord/numbers.ts';
import type { OptionValues } from './discord/option-values.ts';
import type { Stage } from './stage.ts';
import { uploadTyped } from './typed-file.ts';

/** Turns typed words into what a command's options take. */
export async function readValues(
  stage: Stage,
  options: readonly LeafOption[],
  typed: TypedCommand['options'],
): Promise<OptionValues> {
  const values: Record<string, OptionValues[string]> = {};
  for (const [name, value] of Object.entries(typed)) {
    const type = options.find((option) => option.name === name)?.type;
    values[name] = value === true ? true : await readValue(stage, type, value);
  }
  return values;
}

async function readValue(
  stage: Stage,
  type: LeafOption['type'] | undefined,
  value: string,
): Promise<OptionValues[string]> {
  switch (type) {
    case OPTION_TYPE.attachment:
      return uploadTyped(stage, value);
    case OPTION_TYPE.integer:
    case OPTION_TYPE.number:
      return Number(value);
    case OPTION_TYPE.boolean:
      return value === 'true' || value === 'yes';
    case OPTION_TYPE.user:
      return findByName('member', value, [...stage.guild.members.values()], ({ user }) => user.username);
    case OPTION_TYPE.role:
      return findByName('role', value, [...stage.guild.roles.values()], ({ name }) => name);
    case OPTION_TYPE.channel:
      return findByName('channel', value, [...stage.guild.channels.values()], ({ name }) => name);
    default:
      return value;
  }
}

/** Who or what is meant by a name, also with the sign before it that Discord shows. */
function findByName<Found>(
  kind: string,
  typed: string,
  candidates: readonly Found[],
  nameOf: (candidate: Found) => string,
): Found {
  const found = candidates.find((candidate) => bare(nameOf(candidate)) === bare(typed));
  if (found !== undefined) return found;
  throw new Error(`There is no ${kind} "${typed}". There are: ${candidates.map(nameOf).join(', ')}.`);
}

function bare(name: string): string {
  return name.replace(/^[@#]/, '').toLowerCase();
}
