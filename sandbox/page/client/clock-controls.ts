import { make } from './dom.ts';
import type { Page } from './page-actions.ts';
import { perform } from './page-actions.ts';
import { ask } from './requests.ts';

const TICK_MS = 1_000;
const clockFormat = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });

/** Moves Discord's time. */
export function createClockControls(page: Page): HTMLElement {
  const time = make('p', { class: 'clock', role: 'timer', 'aria-label': 'Discord’s time' });
  const show = (): void => {
    time.textContent = `${clockFormat.format(page.session.now())} UTC`;
  };
  const makeButton = (label: string, jump: '15 minutes' | 'next month'): HTMLElement => {
    const button = make('button', { type: 'button', class: 'button secondary' }, label);
    button.addEventListener('click', () => {
      void perform(page, button, async () => ask('clock', { jump }));
    });
    return button;
  };
  setInterval(show, TICK_MS);
  page.session.on('clock', show);
  return make(
    'section',
    { class: 'panel-section', 'aria-labelledby': 'clock-heading' },
    make('h2', { id: 'clock-heading' }, 'The clock'),
    time,
    make(
      'div',
      { class: 'button-row' },
      makeButton('Jump 15 minutes', '15 minutes'),
      makeButton('Next month', 'next month'),
    ),
    make(
      'p',
      { class: 'panel-note' },
      'After 15 minutes an answer can no longer be edited; every month has a budget of its own.',
    ),
  );
}
