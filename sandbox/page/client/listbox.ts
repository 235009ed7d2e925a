import type { Child } from './dom.ts';
import { make, nextElementId } from './dom.ts';
import { createPopup } from './popup.ts';

/** Something to choose. */
export type ListboxItem = {
  readonly value: string;
  readonly label: string;
  readonly description?: string | undefined;
  readonly mark?: string | undefined;
};

/** A list to choose from that opens beside the field it belongs to. The field keeps the focus, and says which entry is meant. */
export type Listbox = {
  readonly isOpen: boolean;
  /** The entry that Enter would take. */
  readonly active: ListboxItem | undefined;
  show(items: readonly ListboxItem[], chosen?: ReadonlySet<string>): void;
  close(): void;
  /** Picks the active entry, as Enter does; false where there is none. */
  pickActive(): boolean;
  /** Does what arrows, Home and End do in a list; false where the key means nothing to it. */
  handleKey(event: KeyboardEvent): boolean;
};

export type ListboxOptions = {
  readonly label: string;
  /** What has the focus. */
  readonly field: HTMLElement;
  /** What it opens beside; the field when absent. */
  readonly anchor?: HTMLElement;
  readonly isMultiple?: boolean;
  /** Whether the first entry is meant at once. */
  readonly startsAtFirst?: boolean;
  onPick(item: ListboxItem): void;
  onClose?(): void;
};

/** How many entries a whole page of the list is. */
const PAGE_LENGTH = 8;

export function createListbox(options: ListboxOptions): Listbox {
  const { field } = options;
  const id = nextElementId('listbox');
  let items: readonly ListboxItem[] = [];
  let activeIndex = -1;
  const popup = createPopup('listbox', () => {
    setExpanded(field, false);
    field.removeAttribute('aria-activedescendant');
    options.onClose?.();
  });
  const list = make('div', {
    id,
    role: 'listbox',
    'aria-label': options.label,
    'aria-multiselectable': options.isMultiple === true ? 'true' : null,
  });
  popup.element.append(list);
  setExpanded(field, false);
  field.setAttribute('aria-haspopup', 'listbox');

  const activate = (index: number): void => {
    activeIndex = index;
    [...list.children].forEach((child, position) => child.classList.toggle('active', position === index));
    const active = list.children[index];
    if (active === undefined) return field.removeAttribute('aria-activedescendant');
    field.setAttribute('aria-activedescendant', active.id);
    active.scrollIntoView({ block: 'nearest' });
  };
  const makeEntry = (item: ListboxItem, index: number, isChosen: boolean): HTMLElement =>
    make(
      'div',
      {
        id: `${id}-${index}`,
        role: 'option',
        class: 'listbox-entry',
        'aria-selected': String(isChosen),
        on: {
          // The field would lose the focus otherwise.
          pointerdown: (event) => event.preventDefault(),
          click: () => options.onPick(item),
          pointermove: () => activeIndex !== index && activate(index),
        },
      },
      ...describeItem(item),
    );

  return {
    get isOpen() {
      return popup.isOpen;
    },
    get active() {
      return popup.isOpen ? items[activeIndex] : undefined;
    },
    show(nextItems, chosen = new Set()) {
      const before = items[activeIndex]?.value;
      items = nextItems;
      if (items.length === 0) return popup.close();
      list.replaceChildren(...items.map((item, index) => makeEntry(item, index, chosen.has(item.value))));
      field.setAttribute('aria-controls', id);
      setExpanded(field, true);
      popup.open(options.anchor ?? field);
      const kept = items.findIndex(({ value }) => value === before);
      activate(kept === -1 && options.startsAtFirst !== false ? 0 : kept);
      return undefined;
    },
    close: () => popup.close(),
    pickActive() {
      const active = popup.isOpen ? items[activeIndex] : undefined;
      if (active !== undefined) options.onPick(active);
      return active !== undefined;
    },
    handleKey(event) {
      const last = items.length - 1;
      const targets: Readonly<Record<string, number>> = {
        ArrowDown: activeIndex >= last ? 0 : activeIndex + 1,
        ArrowUp: activeIndex <= 0 ? last : activeIndex - 1,
        PageDown: Math.min(last, activeIndex + PAGE_LENGTH),
        PageUp: Math.max(0, activeIndex - PAGE_LENGTH),
      };
      const target = targets[event.key];
      if (!popup.isOpen || target === undefined) return false;
      activate(target);
      event.preventDefault();
      return true;
    },
  };
}

/** A box for several lines can have such a list, too, but cannot say that it is open. */
function setExpanded(field: HTMLElement, isExpanded: boolean): void {
  if (field.getAttribute('role') === 'combobox') field.setAttribute('aria-expanded', String(isExpanded));
}

function describeItem({ label, description, mark }: ListboxItem): Child[] {
  return [
    mark !== undefined && make('span', { class: 'listbox-mark', 'aria-hidden': 'true' }, mark),
    make(
      'span',
      { class: 'listbox-words' },
      make('span', { class: 'listbox-label' }, label),
      description !== undefined && make('span', { class: 'listbox-description' }, description),
    ),
  ];
}
