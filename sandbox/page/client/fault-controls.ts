import type { FaultMode, FaultView } from '../view.ts';
import { make } from './dom.ts';
import type { Page } from './page-actions.ts';
import { perform } from './page-actions.ts';
import { ask } from './requests.ts';

const MODES: readonly (readonly [FaultMode, string])[] = [
  ['off', 'Off'],
  ['next', 'Next'],
  ['always', 'Always'],
];

const SIDES = { provider: 'The provider', discord: 'Discord' } as const;

type Row = { readonly element: HTMLElement; update(fault: FaultView): void };

/** Switches for what can go wrong. */
export function createFaultControls(page: Page): HTMLElement {
  const rows = new Map<string, Row>();
  const list = make('div', { class: 'faults' });
  const groups = new Map<string, HTMLElement>();
  page.session.on('faults', (faults) => {
    for (const fault of faults) {
      const row = rows.get(fault.id) ?? makeRow(page, fault);
      if (!rows.has(fault.id)) {
        rows.set(fault.id, row);
        const group = groups.get(fault.side) ?? make('div', {}, make('h3', {}, SIDES[fault.side]));
        groups.set(fault.side, group);
        group.append(row.element);
        list.append(group);
      }
      row.update(fault);
    }
  });
  return make(
    'section',
    { class: 'panel-section', 'aria-labelledby': 'faults-heading' },
    make('h2', { id: 'faults-heading' }, 'What goes wrong'),
    make('p', { class: 'panel-note' }, 'Next: once. Always: until you turn it off.'),
    list,
  );
}

function makeRow(page: Page, { id, title, description }: FaultView): Row {
  const count = make('span', { class: 'fault-count' });
  const inputs = MODES.map(([mode, label]) => {
    const input = make('input', { type: 'radio', name: `fault-${id}`, value: mode });
    input.addEventListener('change', () => {
      void perform(page, input, async () => ask('fault', { id, mode }));
    });
    return { mode, input, element: make('label', {}, input, make('span', {}, label)) };
  });
  const element = make(
    'div',
    { class: 'fault', 'data-fault': id },
    make('div', { class: 'fault-words' }, make('strong', {}, title), count, make('small', {}, description)),
    make(
      'div',
      { class: 'segments', role: 'radiogroup', 'aria-label': title },
      ...inputs.map((entry) => entry.element),
    ),
  );
  return {
    element,
    update({ mode, timesUsed }) {
      for (const entry of inputs) entry.input.checked = entry.mode === mode;
      count.textContent = timesUsed === 0 ? '' : ` happened ${timesUsed}×`;
      element.classList.toggle('armed', mode !== 'off');
    },
  };
}
