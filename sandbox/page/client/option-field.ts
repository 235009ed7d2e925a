import type { LeafOption } from '../../discord/command-schema.ts';
import { OPTION_TYPE } from '../../discord/numbers.ts';
import type { OptionInput } from '../action-schema.ts';
import { createCombobox, filterItems } from './combobox.ts';
import { icon, make, nextElementId } from './dom.ts';
import type { FileField } from './file-field.ts';
import { createFileField } from './file-field.ts';
import type { ListboxItem } from './listbox.ts';
import type { Session } from './session.ts';

/** One option of a command that is being typed. */
export type OptionField = {
  readonly option: LeafOption;
  readonly element: HTMLElement;
  /** For options that take a file. */
  readonly files: FileField | undefined;
  focus(): void;
  setText(text: string): void;
  /** What is wrong with what stands there; undefined where it can be sent. */
  problem(): string | undefined;
  showProblem(text: string | undefined): void;
  /** Undefined where nothing was filled in. */
  value(): Promise<OptionInput | undefined>;
};

export type OptionFieldParts = {
  readonly session: Session;
  /** Asks the bot for suggestions. */
  suggest(option: LeafOption, text: string): Promise<readonly ListboxItem[]>;
  onFocus(option: LeafOption): void;
  /** Undefined where the option is required. */
  readonly onRemove: (() => void) | undefined;
};

type Control = {
  readonly element: HTMLElement;
  readonly focusable: HTMLElement;
  readonly files?: FileField;
  setText?(text: string): void;
  isEmpty(): boolean;
  problem?(): string | undefined;
  value(): Promise<OptionInput | undefined>;
};

export function createOptionField(option: LeafOption, parts: OptionFieldParts): OptionField {
  const id = nextElementId('option');
  const problemId = `${id}-problem`;
  const control = createControl(id, option, parts);
  const problem = make('span', { class: 'option-problem', id: problemId, role: 'alert' });
  const { onRemove } = parts;
  const element = make(
    'div',
    { class: 'option-field', 'data-option': option.name },
    make('label', { class: 'option-name', for: id }, option.name),
    control.element,
    onRemove !== undefined &&
      make(
        'button',
        { type: 'button', class: 'icon-button small', 'aria-label': `Remove ${option.name}`, on: { click: onRemove } },
        icon('close'),
      ),
    problem,
  );
  const showProblem = (text: string | undefined): void => {
    problem.textContent = text ?? '';
    element.classList.toggle('wrong', text !== undefined);
    control.focusable.setAttribute('aria-invalid', String(text !== undefined));
    if (text === undefined) control.focusable.removeAttribute('aria-describedby');
    else control.focusable.setAttribute('aria-describedby', problemId);
  };
  element.addEventListener('focusin', () => parts.onFocus(option));
  element.addEventListener('input', () => showProblem(undefined));
  element.addEventListener('keydown', (event) => {
    // As in Discord: going back from an empty option takes it away.
    if (event.key !== 'Backspace' || !control.isEmpty() || onRemove === undefined) return;
    if (event.target !== control.focusable) return;
    if (control.focusable instanceof HTMLInputElement && control.focusable.value !== '') return;
    event.preventDefault();
    onRemove();
  });
  return {
    option,
    element,
    files: control.files,
    focus: () => control.focusable.focus(),
    setText: (text) => control.setText?.(text),
    problem: () => (control.isEmpty() && option.required === true ? 'This option is required.' : control.problem?.()),
    showProblem,
    value: async () => control.value(),
  };
}

function createControl(id: string, option: LeafOption, parts: OptionFieldParts): Control {
  switch (option.type) {
    case OPTION_TYPE.string:
    case OPTION_TYPE.integer:
    case OPTION_TYPE.number: {
      const choices = (option.choices ?? []).map(({ name, value }) => ({ value: String(value), label: name }));
      if (choices.length > 0) return createChoice(id, option, choices);
      if (option.autocomplete === true) return createSuggested(id, option, parts);
      return createText(id, option);
    }
    case OPTION_TYPE.boolean:
      return createChoice(id, option, [
        { value: 'true', label: 'True' },
        { value: 'false', label: 'False' },
      ]);
    case OPTION_TYPE.attachment:
      return createAttachment(id, option);
    default:
      return createEntity(id, option, parts.session);
  }
}

function createText(id: string, option: LeafOption): Control {
  const isText = option.type === OPTION_TYPE.string;
  const element = isText
    ? make('textarea', { id, class: 'field-input growing', rows: 1, 'aria-required': String(option.required === true) })
    : make('input', { id, class: 'field-input', inputmode: 'decimal', autocomplete: 'off' });
  element.setAttribute('maxlength', String(isText && 'max_length' in option ? (option.max_length ?? 6000) : 20));
  return {
    element,
    focusable: element,
    setText: (text) => (element.value = text),
    isEmpty: () => element.value.trim() === '',
    problem: () => (isText ? checkLength(option, element.value.trim()) : checkNumber(option, element.value)),
    value: async () => toInput(option, element.value.trim()),
  };
}

function createChoice(id: string, option: LeafOption, choices: readonly ListboxItem[]): Control {
  const combobox = createCombobox({
    id,
    label: option.name,
    takesAnyText: false,
    suggest: (text) => filterItems(choices, text),
  });
  return {
    element: combobox.element,
    focusable: combobox.element,
    isEmpty: () => combobox.value === undefined && combobox.element.value === '',
    problem: () =>
      combobox.value === undefined && combobox.element.value !== '' ? 'Choose one of the entries.' : undefined,
    value: async () => (combobox.value === undefined ? undefined : toInput(option, combobox.value)),
  };
}

function createSuggested(id: string, option: LeafOption, parts: OptionFieldParts): Control {
  const combobox = createCombobox({
    id,
    label: option.name,
    takesAnyText: true,
    suggest: async (text) => parts.suggest(option, text),
  });
  return {
    element: combobox.element,
    focusable: combobox.element,
    isEmpty: () => combobox.value === undefined,
    problem: () => (option.type === OPTION_TYPE.string ? undefined : checkNumber(option, combobox.value ?? '')),
    value: async () => toInput(option, combobox.value ?? ''),
  };
}

function createAttachment(id: string, option: LeafOption): Control {
  const files = createFileField({ id, label: option.name, countMax: 1, onChange: () => undefined });
  return {
    element: files.element,
    focusable: files.element.querySelector('input') ?? files.element,
    files,
    isEmpty: () => files.count === 0,
    async value() {
      const [upload] = await files.uploads();
      return upload === undefined ? undefined : { upload };
    },
  };
}

function createEntity(id: string, option: LeafOption, { guild, person, world }: Session): Control {
  const users = (guild?.members ?? [person, world.bot]).map((user) => ({
    value: user.id,
    label: user.name,
    mark: '@',
  }));
  const roles = (guild?.roles ?? []).map((role) => ({ value: role.id, label: role.name, mark: '@' }));
  const channels = (guild?.channels ?? []).map((channel) => ({ value: channel.id, label: channel.name, mark: '#' }));
  const offered: Readonly<Partial<Record<LeafOption['type'], readonly ListboxItem[]>>> = {
    [OPTION_TYPE.user]: users,
    [OPTION_TYPE.role]: roles,
    [OPTION_TYPE.channel]: channels,
    [OPTION_TYPE.mentionable]: [...users, ...roles],
  };
  const choice = createChoice(id, option, offered[option.type] ?? []);
  return {
    ...choice,
    async value() {
      const entity = await choice.value();
      return typeof entity === 'string' ? { entity } : undefined;
    },
  };
}

function toInput({ type }: LeafOption, text: string): OptionInput | undefined {
  if (text === '') return undefined;
  if (type === OPTION_TYPE.boolean) return text === 'true';
  return type === OPTION_TYPE.integer || type === OPTION_TYPE.number ? Number(text) : text;
}

function checkLength(option: LeafOption, text: string): string | undefined {
  if (text === '' || option.type !== OPTION_TYPE.string) return undefined;
  const least = option.min_length ?? 0;
  return text.length < least ? `At least ${least} characters.` : undefined;
}

function checkNumber(option: LeafOption, text: string): string | undefined {
  if (text.trim() === '' || (option.type !== OPTION_TYPE.integer && option.type !== OPTION_TYPE.number))
    return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) return 'This has to be a number.';
  if (option.type === OPTION_TYPE.integer && !Number.isInteger(value)) return 'This has to be a whole number.';
  const { min_value: least, max_value: most } = option;
  if (typeof least === 'number' && value < least) return `At least ${least}.`;
  return typeof most === 'number' && value > most ? `At most ${most}.` : undefined;
}
