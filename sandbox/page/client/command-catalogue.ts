import type { LeafOption } from '../../discord/command-schema.ts';
import { COMMAND_TYPE, OPTION_TYPE } from '../../discord/numbers.ts';
import type { CommandView } from '../view.ts';

/** A command that can be typed, with the names of group and subcommand in its own. */
export type TypedCommand = {
  /** Such as `settings budget`. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly LeafOption[];
};

/** Everything that may follow a slash. */
export function listTypedCommands(commands: readonly CommandView[]): readonly TypedCommand[] {
  return commands.filter(({ type }) => type === COMMAND_TYPE.chatInput).flatMap(flatten);
}

function flatten({ name, description, options }: CommandView): TypedCommand[] {
  const leaves: LeafOption[] = [];
  const branches: TypedCommand[] = [];
  for (const option of options ?? []) {
    if (option.type === OPTION_TYPE.subcommand) {
      branches.push({ name: `${name} ${option.name}`, description: option.description, options: option.options ?? [] });
    } else if (option.type === OPTION_TYPE.subcommandGroup) {
      branches.push(
        ...option.options.map((leaf) => ({
          name: `${name} ${option.name} ${leaf.name}`,
          description: leaf.description,
          options: leaf.options ?? [],
        })),
      );
    } else {
      leaves.push(option);
    }
  }
  return branches.length > 0 ? branches : [{ name, description: description ?? '', options: leaves }];
}
