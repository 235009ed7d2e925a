import type { BotView } from '../view.ts';
import { announce } from './announcer.ts';
import { make } from './dom.ts';
import type { Page } from './page-actions.ts';
import { perform } from './page-actions.ts';
import { ask } from './requests.ts';

const STATES: Readonly<Record<BotView['state'], string>> = {
  starting: 'The bot is starting…',
  running: 'The bot is running',
  stopping: 'The bot finishes what is under way…',
  stopped: 'The bot is not running',
};

/** Kills and starts the bot's process. */
export function createBotControls(page: Page): HTMLElement {
  const state = make('p', { class: 'bot-state' });
  const lastWords = make('p', { class: 'panel-note last-words' });
  const makeButton = (action: 'kill' | 'stop' | 'start', label: string, style: string): HTMLButtonElement => {
    const button = make('button', { type: 'button', class: `button ${style}` }, label);
    button.addEventListener('click', () => {
      void perform(page, button, async () => ask('bot', { action }));
    });
    return button;
  };
  const kill = makeButton('kill', 'Kill it', 'danger');
  const stop = makeButton('stop', 'Stop it', 'secondary');
  const start = makeButton('start', 'Start it', 'success');
  let before: BotView['state'] | undefined;
  page.session.on('bot', (bot) => {
    state.textContent = bot.pid === null ? STATES[bot.state] : `${STATES[bot.state]} (process ${bot.pid})`;
    state.dataset['state'] = bot.state;
    lastWords.textContent = bot.lastWords ?? '';
    lastWords.hidden = bot.lastWords === null;
    const hadFocus = [kill, stop, start].some((button) => button === document.activeElement);
    kill.disabled = bot.state !== 'running' && bot.state !== 'stopping';
    stop.disabled = bot.state !== 'running';
    start.disabled = bot.state !== 'stopped';
    // A button that can no longer be pressed loses the focus to nowhere.
    if (hadFocus) [kill, start].find(({ disabled }) => !disabled)?.focus();
    if (before !== undefined && before !== bot.state) announce(STATES[bot.state]);
    before = bot.state;
  });
  return make(
    'section',
    { class: 'panel-section', 'aria-labelledby': 'bot-heading' },
    make('h2', { id: 'bot-heading' }, 'The bot'),
    state,
    lastWords,
    make('div', { class: 'button-row' }, kill, stop, start),
    make(
      'p',
      { class: 'panel-note' },
      'Kill it in the middle of a picture, and start it again: nothing is paid for twice, and every call stays on the books.',
    ),
  );
}
