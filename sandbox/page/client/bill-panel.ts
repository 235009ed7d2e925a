import type { BillRow, BillView } from '../view.ts';
import { make } from './dom.ts';
import { describeNanoUsd } from './money.ts';
import type { Session } from './session.ts';

/** What the provider charged this server, beside what the ledger says. */
export function createBillPanel(session: Session): HTMLElement {
  const content = make('div', { class: 'bill' });
  session.on('bill', (bill) => {
    // Whoever has opened a list keeps it open.
    const open = [...content.querySelectorAll('details')].map((details) => details.open);
    content.replaceChildren(...(bill === null ? [makeNote()] : renderBill(bill)));
    content.querySelectorAll('details').forEach((details, index) => (details.open ||= open[index] ?? false));
  });
  return make(
    'section',
    { class: 'panel-section', 'aria-labelledby': 'bill-heading' },
    make('h2', { id: 'bill-heading' }, 'The bill'),
    content,
  );
}

function makeNote(): HTMLElement {
  return make('p', { class: 'panel-note' }, 'Only servers have a bill; direct messages cost nothing.');
}

function renderBill(bill: BillView): Node[] {
  const { providerNanoUsd } = bill;
  return [
    make('p', { class: 'panel-note' }, `${bill.guildName}, ${bill.month} (UTC)`),
    make(
      'dl',
      { class: 'amounts' },
      ...(providerNanoUsd === null ? [] : makeAmount('provider', 'Provider’s own bill', providerNanoUsd)),
      ...makeAmount('ledger', 'Ledger, as /usage totals it', bill.ledgerNanoUsd),
    ),
    renderVerdict(bill),
    make(
      'dl',
      { class: 'amounts minor' },
      ...makeAmount('held', 'Held for calls under way', bill.heldNanoUsd),
      ...makeAmount('unknown', 'Unknown, counted against the budget', bill.unknownNanoUsd),
    ),
    ...renderRows('Calls', bill.rows),
    ...renderRows('Billed, but in no server’s ledger', bill.unbooked),
  ];
}

function renderVerdict(bill: BillView): HTMLElement {
  if (bill.providerNanoUsd === null) {
    return make('p', { class: 'panel-note' }, 'A real provider keeps its bill to itself: look at your account there.');
  }
  if (!bill.isEqual) return make('p', { class: 'verdict bad' }, bill.journalFault ?? 'These two differ');
  const openCount = bill.unbooked.length;
  if (openCount > 0) {
    const calls = openCount === 1 ? '1 billed call' : `${openCount} billed calls`;
    return make('p', { class: 'verdict open' }, `Booked calls agree; ${calls} in no server’s ledger`);
  }
  const words = bill.rows.length === 0 ? 'Nothing billed yet' : 'Equal, to the nano-dollar';
  return make('p', { class: 'verdict good' }, words);
}

function makeAmount(name: string, label: string, nanoUsd: number): HTMLElement[] {
  const amount = make('data', { value: nanoUsd, 'data-amount': name }, describeNanoUsd(nanoUsd));
  return [make('dt', {}, label), make('dd', {}, amount)];
}

function renderRows(heading: string, rows: readonly BillRow[]): HTMLElement[] {
  if (rows.length === 0) return [];
  const lines = rows.toReversed().map((row) => {
    const isEqual = row.providerNanoUsd === row.ledgerNanoUsd;
    return make(
      'tr',
      { title: row.requestId },
      make('td', {}, row.model),
      make('td', { class: 'number' }, describeNanoUsd(row.providerNanoUsd)),
      make('td', {}, row.ledgerNanoUsd === null ? '–' : isEqual ? '=' : describeNanoUsd(row.ledgerNanoUsd)),
    );
  });
  const head = ['Model', 'Provider', 'Ledger'].map((name) => make('th', { scope: 'col' }, name));
  return [
    make(
      'details',
      { class: 'rows', open: rows.some(({ ledgerNanoUsd }) => ledgerNanoUsd === null) },
      make('summary', {}, `${heading} (${rows.length})`),
      make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...lines)),
    ),
  ];
}
