import { make } from './dom.ts';
import type { ListboxItem } from './listbox.ts';
import { createListbox } from './listbox.ts';

/** A field that suggests while one types. */
export type Combobox = {
  readonly element: HTMLInputElement;
  /** What was chosen, or where anything may be typed, what was typed; undefined while there is nothing that counts. */
  readonly value: string | undefined;
  set(item: ListboxItem): void;
};

export type ComboboxOptions = {
  readonly id: string;
  readonly label: string;
  readonly placeholder?: string;
  /** Whether what is typed counts even if it is none of the suggestions. */
  readonly takesAnyText: boolean;
  /** The suggestions for what was typed so far. */
  suggest(text: string): readonly ListboxItem[] | Promise<readonly ListboxItem[]>;
  onChange?(): void;
};

/** Discord waits a moment before it asks a bot for suggestions. */
const TYPING_PAUSE_MS = 150;

export function createCombobox(options: ComboboxOptions): Combobox {
  let chosen: ListboxItem | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  const element = make('input', {
    id: options.id,
    class: 'field-input',
    role: 'combobox',
    'aria-autocomplete': 'list',
    'aria-label': options.label,
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: options.placeholder ?? '',
  });
  const set = (item: ListboxItem): void => {
    chosen = item;
    element.value = item.label;
    options.onChange?.();
  };
  const listbox = createListbox({
    label: options.label,
    field: element,
    startsAtFirst: !options.takesAnyText,
    onPick(item) {
      set(item);
      listbox.close();
    },
  });
  const suggest = async (text: string): Promise<void> => {
    asked += 1;
    const question = asked;
    const items = await options.suggest(text);
    // An answer that comes after the next question is no longer of interest.
    if (question === asked && document.activeElement === element) listbox.show(items);
  };
  const suggestSoon = (text: string, pauseMs: number): void => {
    clearTimeout(timer);
    // Suggestions that cannot be had are simply not there.
    timer = setTimeout(() => void suggest(text).catch(() => listbox.close()), pauseMs);
  };
  element.addEventListener('input', () => {
    chosen = undefined;
    options.onChange?.();
    suggestSoon(element.value, TYPING_PAUSE_MS);
  });
  element.addEventListener('focus', () => suggestSoon(chosen === undefined ? element.value : '', 0));
  element.addEventListener('blur', () => {
    clearTimeout(timer);
    asked += 1;
    // Whoever typed a choice in full has chosen it.
    const { active } = listbox;
    if (chosen === undefined && active?.label.toLowerCase() === element.value.trim().toLowerCase()) set(active);
    listbox.close();
  });
  element.addEventListener('keydown', (event) => {
    if (listbox.handleKey(event)) return;
    if (event.key === 'ArrowDown' && !listbox.isOpen) suggestSoon('', 0);
    if (event.key === 'Enter' && listbox.pickActive()) {
      event.preventDefault();
      event.stopPropagation();
    }
    if (event.key === 'Tab' && element.value !== '' && chosen === undefined) listbox.pickActive();
    if (event.key === 'Escape' && listbox.isOpen) {
      listbox.close();
      event.preventDefault();
      event.stopPropagation();
    }
  });
  return {
    element,
    get value() {
      if (chosen !== undefined) return chosen.value;
      const text = element.value.trim();
      return options.takesAnyText && text !== '' ? text : undefined;
    },
    set,
  };
}

/** Suggestions out of a list that is there already. */
export function filterItems(items: readonly ListboxItem[], text: string): readonly ListboxItem[] {
  const wanted = text.trim().toLowerCase();
  return items.filter(({ label }) => label.toLowerCase().includes(wanted));
}
