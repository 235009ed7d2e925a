import type { SelectComponent } from '../../discord/component-schema.ts';
import { COMPONENT } from '../../discord/numbers.ts';
import { icon, make } from './dom.ts';
import type { ListboxItem } from './listbox.ts';
import { createListbox } from './listbox.ts';
import type { Session } from './session.ts';

/** A menu of a message or of a form, from which one or several things are chosen. */
export type SelectMenu = {
  readonly element: HTMLElement;
  readonly field: HTMLButtonElement;
  readonly chosen: readonly string[];
};

export type SelectMenuOptions = {
  readonly component: SelectComponent;
  readonly session: Session;
  readonly label?: string;
  readonly id?: string;
  /** Called when the choice is made: at once for one thing, when the list closes for several. */
  readonly onChoose?: (values: readonly string[]) => void;
};

export function createSelectMenu({ component, session, label, id, onChoose }: SelectMenuOptions): SelectMenu {
  const items = itemsOf(component, session);
  const countMax = component.max_values ?? 1;
  const chosen = new Set(presetsOf(component));
  let chosenBefore = '';
  const name = label ?? component.placeholder ?? 'Choose';
  const words = make('span', { class: 'select-words' });
  const field = make(
    'button',
    { type: 'button', id, role: 'combobox', class: 'select', disabled: component.disabled === true },
    words,
    icon('select'),
  );
  const show = (): void => {
    const labels = items.filter(({ value }) => chosen.has(value)).map((item) => item.label);
    words.textContent = labels.length === 0 ? (component.placeholder ?? 'Make a choice') : labels.join(', ');
    words.classList.toggle('placeholder', labels.length === 0);
    field.setAttribute('aria-label', labels.length === 0 ? name : `${name}: ${labels.join(', ')}`);
  };
  const finish = (): void => {
    const values = [...chosen];
    if (values.join() !== chosenBefore) onChoose?.(values);
  };
  const listbox = createListbox({
    label: name,
    field,
    isMultiple: countMax > 1,
    onPick(item) {
      if (countMax === 1) chosen.clear();
      if (chosen.has(item.value)) chosen.delete(item.value);
      else if (chosen.size < countMax) chosen.add(item.value);
      show();
      if (countMax === 1) listbox.close();
      else listbox.show(items, chosen);
    },
    onClose: finish,
  });
  const open = (): void => {
    chosenBefore = [...chosen].join();
    listbox.show(items, chosen);
  };
  field.addEventListener('click', () => (listbox.isOpen ? listbox.close() : open()));
  field.addEventListener('keydown', (event) => {
    if (listbox.handleKey(event)) return;
    if (event.key === 'ArrowDown' && !listbox.isOpen) {
      open();
      event.preventDefault();
    }
    if ((event.key === 'Enter' || event.key === ' ') && listbox.pickActive()) event.preventDefault();
    if ((event.key === 'Escape' || event.key === 'Tab') && listbox.isOpen) {
      listbox.close();
      if (event.key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
      }
    }
  });
  show();
  return {
    element: make('div', { class: 'select-menu' }, field),
    field,
    get chosen() {
      return [...chosen];
    },
  };
}

function presetsOf(component: SelectComponent): string[] {
  if (component.type !== COMPONENT.stringSelect) return (component.default_values ?? []).map(({ id }) => id);
  return component.options.filter((option) => option.default === true).map(({ value }) => value);
}

/** Whether the menu offers members, roles or channels, which go by their ids, and not texts. */
export function choosesEntities(component: SelectComponent): boolean {
  return component.type !== COMPONENT.stringSelect;
}

function itemsOf(component: SelectComponent, session: Session): readonly ListboxItem[] {
  const { guild, person, world } = session;
  const users = (guild?.members ?? [person, world.bot]).map(({ id, name }) => ({ value: id, label: name, mark: '@' }));
  const roles = (guild?.roles ?? []).map(({ id, name }) => ({ value: id, label: name, mark: '@' }));
  switch (component.type) {
    case COMPONENT.stringSelect:
      return component.options.map(({ value, label, description, emoji }) => ({
        value,
        label,
        description: description ?? undefined,
        mark: emoji?.name ?? undefined,
      }));
    case COMPONENT.userSelect:
      return users;
    case COMPONENT.roleSelect:
      return roles;
    case COMPONENT.mentionableSelect:
      return [...users, ...roles];
    case COMPONENT.channelSelect:
      return (guild?.channels ?? []).map(({ id, name }) => ({ value: id, label: name, mark: '#' }));
  }
}
