import type { LeafOption } from '../../discord/command-schema.ts';
import { OPTION_TYPE } from '../../discord/numbers.ts';
import type { OptionInput } from '../action-schema.ts';
import type { TypedCommand } from './command-catalogue.ts';
import { make } from './dom.ts';
import type { ListboxItem } from './listbox.ts';
import type { OptionField } from './option-field.ts';
import { createOptionField } from './option-field.ts';
import type { Session } from './session.ts';

/** The options of a command that were taken so far, and the others to take. */
export type OptionFields = {
  readonly elements: readonly HTMLElement[];
  readonly first: OptionField | undefined;
  /** What stands in the fields, except in one. */
  read(without?: LeafOption): Promise<Record<string, OptionInput>>;
  /** Says what is wrong with each, and answers the first that has to be corrected. */
  check(): OptionField | undefined;
  /** Puts files where the command takes some. */
  addFiles(files: Iterable<File>): void;
};

export type OptionFieldsParts = {
  readonly session: Session;
  readonly command: TypedCommand;
  /** Asks the bot for suggestions, with what stands in the other options. */
  readonly suggest: (
    option: LeafOption,
    text: string,
    others: Record<string, OptionInput>,
  ) => Promise<readonly ListboxItem[]>;
  readonly onFocus: (option: LeafOption) => void;
};

export function createOptionFields({ session, command, suggest, onFocus }: OptionFieldsParts): OptionFields {
  let fields: readonly OptionField[] = [];
  const taken = make('div', { class: 'option-fields' });
  const chips = make('div', { class: 'option-chips', role: 'group', 'aria-label': 'More options' });

  const read: OptionFields['read'] = async (without) => {
    const wanted = fields.filter(({ option }) => option !== without);
    const pairs = await Promise.all(wanted.map(async (field) => [field.option.name, await field.value()] as const));
    return Object.fromEntries(pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
  };
  const suggestFor = async (option: LeafOption, text: string): Promise<readonly ListboxItem[]> => {
    // What is not finished yet would be refused.
    const complete = fields.filter((field) => field.problem() === undefined).map((field) => field.option.name);
    const others = Object.entries(await read(option)).filter(([name]) => complete.includes(name));
    return suggest(option, text, Object.fromEntries(others));
  };
  const add = (option: LeafOption): OptionField => {
    const onRemove = option.required === true ? undefined : (): void => remove(field);
    const field = createOptionField(option, { session, suggest: suggestFor, onFocus, onRemove });
    fields = [...fields, field];
    taken.append(field.element);
    showChips();
    return field;
  };
  const remove = (field: OptionField): void => {
    fields = fields.filter((other) => other !== field);
    field.element.remove();
    showChips();
    const last = fields.at(-1);
    if (last) last.focus();
    else chips.querySelector('button')?.focus();
  };
  const left = (): LeafOption[] => command.options.filter((option) => !fields.some((field) => field.option === option));
  const showChips = (): void =>
    chips.replaceChildren(...left().map((option) => makeChip(option, () => add(option).focus())));

  for (const option of command.options.filter(({ required }) => required === true)) add(option);
  showChips();
  return {
    elements: [taken, chips],
    get first() {
      return fields[0];
    },
    read,
    check() {
      for (const field of fields) field.showProblem(field.problem());
      return fields.find((field) => field.problem() !== undefined);
    },
    addFiles(files) {
      const free = fields.find((field) => field.files?.isFull === false);
      const offered = left().find(({ type }) => type === OPTION_TYPE.attachment);
      const field = free ?? (offered ? add(offered) : undefined);
      field?.files?.add(files);
      field?.showProblem(undefined);
    },
  };
}

function makeChip({ name, description }: LeafOption, take: () => void): HTMLElement {
  return make('button', { type: 'button', class: 'option-chip', title: description, on: { click: take } }, `+ ${name}`);
}
