import { announce } from './announcer.ts';
import { icon, make } from './dom.ts';
import { createMessageBoard } from './message-board.ts';
import type { Page } from './page-actions.ts';
import type { Session } from './session.ts';

/** The messages of the channel, as they scroll by. */
export type MessageList = {
  readonly element: HTMLElement;
  /** Something that the page itself says, to this person alone. */
  notice(text: string): void;
  /** Moves the focus to the latest message. */
  focusLatest(): void;
};

/** So near to the end, people read along, and new messages pull the view with them. */
const END_DISTANCE_PX = 120;
const ANNOUNCED_LENGTH_MAX = 300;

export function createMessageList(page: Page): MessageList {
  const { session } = page;
  const board = createMessageBoard(page);
  const scroller = make('div', { class: 'scroller', tabindex: '0', 'aria-label': 'Messages' }, board.element);
  const jump = make(
    'button',
    { type: 'button', class: 'jump', hidden: true, on: { click: () => toEnd() } },
    'New messages',
    icon('down'),
  );
  let followsEnd = true;
  const toEnd = (): void => {
    followsEnd = true;
    scroller.scrollTop = scroller.scrollHeight;
    jump.hidden = true;
  };

  session.on('viewer', () => {
    board.clear();
    board.element.setAttribute('aria-busy', 'true');
  });
  session.on('messages', (messages) => {
    board.putAll(messages);
    if (messages.length === 0) board.element.append(makeWelcome(session));
    board.element.removeAttribute('aria-busy');
    toEnd();
    performance.mark('messages-drawn');
  });
  session.on('message', (message) => {
    board.element.querySelector('.welcome')?.remove();
    const element = board.put(message);
    if (element !== undefined && !message.isLoading) announce(describeForListeners(element));
    if (!followsEnd) jump.hidden = false;
  });
  session.on('clock', () => board.refreshLoading());
  session.on('message-deleted', ({ id }) => board.remove(id));

  scroller.addEventListener('scroll', () => {
    followsEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < END_DISTANCE_PX;
    if (followsEnd) jump.hidden = true;
  });
  // Pictures that have arrived and texts that were changed make the list longer as well.
  const resizes = new ResizeObserver(() => followsEnd && toEnd());
  for (const element of [board.element, scroller]) resizes.observe(element);
  scroller.addEventListener('keydown', (event) => handleKeys(event, scroller, page));
  scroller.addEventListener('click', (event) => followMessageLink(event, page));
  scroller.addEventListener('contextmenu', (event) => openMenuAt(event, page));

  return {
    element: make('div', { class: 'message-list' }, scroller, jump),
    notice(text) {
      board.element.append(makeNotice(text));
      announce(text);
      toEnd();
    },
    focusLatest() {
      const latest = [...board.element.querySelectorAll<HTMLElement>('article')].at(-1);
      latest?.focus();
    },
  };
}

function makeNotice(text: string): HTMLElement {
  const dismiss = make('button', { type: 'button', class: 'link-button' }, 'Dismiss');
  const notice = make('article', { class: 'message notice', tabindex: '-1' }, make('p', {}, text, ' '), dismiss);
  dismiss.addEventListener('click', () => notice.remove());
  return notice;
}

function makeWelcome({ commands, world }: Session): HTMLElement {
  const price = world.usesRealProvider
    ? 'The provider that you named makes the pictures, for real money.'
    : 'Nothing here costs money.';
  const words =
    commands.length > 0
      ? ['Type ', make('kbd', {}, '/'), ` in the box below to see what the bot can do. ${price}`]
      : ['What the bot tells you privately appears here. Commands work in servers.'];
  return make('div', { class: 'welcome' }, make('h2', {}, 'Nothing has been said here yet'), make('p', {}, ...words));
}

/** Arrows go from message to message; the menu key opens what can be done with one. */
function handleKeys(event: KeyboardEvent, scroller: HTMLElement, page: Page): void {
  const { target } = event;
  const isOnList = target === scroller;
  const article = target instanceof HTMLElement ? target.closest<HTMLElement>('article') : null;
  if (!isOnList && target !== article) return;
  const all = [...scroller.querySelectorAll<HTMLElement>('article')];
  const index = article === null ? all.length : all.indexOf(article);
  const goals: Readonly<Record<string, number>> = {
    ArrowUp: Math.max(0, index - 1),
    ArrowDown: Math.min(all.length - 1, index + 1),
    Home: 0,
    End: all.length - 1,
  };
  const goal = all[goals[event.key] ?? -1];
  if (goal !== undefined) {
    goal.focus();
    goal.scrollIntoView({ block: 'nearest' });
    event.preventDefault();
  }
  const messageId = article?.dataset['messageId'];
  const isMenuKey = event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey);
  if (isMenuKey && article !== null && messageId !== undefined) {
    event.preventDefault();
    page.openMenu(article.querySelector('.message-tools button') ?? article, messageId);
  }
}

/** Goes to the message that a link names, if it is in this channel. */
function followMessageLink(event: MouseEvent, page: Page): void {
  const link = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-message-link]') : null;
  if (link === null) return;
  event.preventDefault();
  const id = CSS.escape(link.dataset['messageLink'] ?? '');
  const message = document.querySelector<HTMLElement>(`[data-message-id="${id}"]`);
  if (message === null) return page.notice('That message is not in this channel, or no longer there.');
  message.scrollIntoView({ block: 'center' });
  message.focus();
}

function openMenuAt(event: MouseEvent, page: Page): void {
  const { target } = event;
  if (!(target instanceof Element) || target.closest('a, input, textarea') !== null) return;
  const article = target.closest<HTMLElement>('article');
  const messageId = article?.dataset['messageId'];
  if (article === null || messageId === undefined) return;
  event.preventDefault();
  page.openMenu(article.querySelector('.message-tools button') ?? article, messageId);
}

/** The words of a message and its pictures' descriptions. */
function describeForListeners(element: HTMLElement): string {
  const author = element.querySelector('.author')?.textContent ?? '';
  const words = [...element.querySelectorAll('.text-display, img')].map((part) =>
    part instanceof HTMLImageElement ? `Picture: ${part.alt}` : part.textContent,
  );
  return `${author}: ${words.join('. ')}`.slice(0, ANNOUNCED_LENGTH_MAX);
}
