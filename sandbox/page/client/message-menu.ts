import { COMMAND_TYPE } from '../../discord/numbers.ts';
import { make } from './dom.ts';
import type { Page } from './page-actions.ts';
import { here, perform } from './page-actions.ts';
import { createPopup } from './popup.ts';
import { ask } from './requests.ts';

type Entry = { readonly label: string; readonly run: () => void };

/** The menu of a message: the commands that apps offer for it. */
export function openMessageMenu(page: Page, anchor: Element, messageId: string): void {
  const { session } = page;
  const commands = session.commands.filter(({ type }) => type === COMMAND_TYPE.message);
  const apps: Entry[] = commands.map(({ name }) => ({
    label: name,
    run() {
      if (!(anchor instanceof HTMLElement)) return;
      void perform(page, anchor, async () =>
        page.follow(await ask('messageMenu', here<'messageMenu'>(session, { command: name, message: messageId }))),
      );
    },
  }));
  const others: Entry[] = [
    { label: 'Copy message ID', run: () => void navigator.clipboard.writeText(messageId).catch(() => undefined) },
  ];
  openMenu(anchor, [
    { heading: 'Apps', entries: apps, empty: 'No commands for messages' },
    { heading: 'Message', entries: others, empty: '' },
  ]);
}

type Group = { readonly heading: string; readonly entries: readonly Entry[]; readonly empty: string };

function openMenu(anchor: Element, groups: readonly Group[]): void {
  const popup = createPopup('menu');
  const close = (): void => {
    popup.close();
    if (anchor instanceof HTMLElement) anchor.focus();
  };
  const makeEntry = ({ label, run }: Entry): HTMLElement =>
    make(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        class: 'menu-entry',
        tabindex: '-1',
        on: {
          click() {
            close();
            run();
          },
        },
      },
      label,
    );
  const menu = make(
    'div',
    { role: 'menu', 'aria-label': 'Message' },
    ...groups.map(({ heading, entries, empty }) =>
      make(
        'div',
        { role: 'group', 'aria-label': heading },
        make('div', { class: 'menu-heading', 'aria-hidden': 'true' }, heading),
        ...entries.map(makeEntry),
        entries.length === 0 && make('div', { class: 'menu-empty' }, empty),
      ),
    ),
  );
  popup.element.append(menu);
  popup.open(anchor);
  const items = [...menu.querySelectorAll<HTMLElement>('[role=menuitem]')];
  items[0]?.focus();
  menu.addEventListener('keydown', (event) => {
    const index = items.findIndex((item) => item === document.activeElement);
    if (event.key === 'ArrowDown') items[(index + 1) % items.length]?.focus();
    else if (event.key === 'ArrowUp') items.at(index - 1)?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') close();
    else return;
    event.preventDefault();
  });
}
