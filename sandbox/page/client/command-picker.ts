import type { TypedCommand } from './command-catalogue.ts';
import { listTypedCommands } from './command-catalogue.ts';
import type { Listbox } from './listbox.ts';
import { createListbox } from './listbox.ts';
import type { Session } from './session.ts';

/** The list of commands that opens above a slash. */
export type CommandPicker = Pick<Listbox, 'close' | 'handleKey' | 'pickActive'> & {
  /** Offers what fits to what was typed so far, and takes a command whose name is typed in full. */
  follow(typed: string): void;
};

export type CommandPickerOptions = {
  readonly session: Session;
  readonly field: HTMLElement;
  readonly anchor: HTMLElement;
  /** @param rest is what was typed behind the command's name. */
  readonly onPick: (command: TypedCommand, rest: string) => void;
};

export function createCommandPicker({ session, field, anchor, onPick }: CommandPickerOptions): CommandPicker {
  const listbox = createListbox({
    label: 'Commands',
    field,
    anchor,
    onPick(item) {
      const command = listTypedCommands(session.commands).find(({ name }) => name === item.value);
      listbox.close();
      if (command) onPick(command, '');
    },
  });
  return {
    close: () => listbox.close(),
    handleKey: (event) => listbox.handleKey(event),
    pickActive: () => listbox.pickActive(),
    follow(typed) {
      if (!typed.startsWith('/')) return listbox.close();
      const wanted = typed.slice(1).toLowerCase();
      const commands = listTypedCommands(session.commands);
      // A whole name and a space: the rest goes into its first option.
      const whole = commands.find(({ name }) => wanted.startsWith(`${name} `));
      if (whole) {
        listbox.close();
        return onPick(whole, typed.slice(whole.name.length + '/ '.length));
      }
      const beginsSo = ({ name }: TypedCommand): number => Number(name.startsWith(wanted));
      const fitting = commands
        .filter(({ name }) => name.includes(wanted.trim()))
        .toSorted((left, right) => beginsSo(right) - beginsSo(left));
      return listbox.show(fitting.map(({ name, description }) => ({ value: name, label: `/${name}`, description })));
    },
  };
}
