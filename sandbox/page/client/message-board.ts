import type { MessageView } from '../view.ts';
import { announce } from './announcer.ts';
import { make } from './dom.ts';
import { renderMessage } from './message-element.ts';
import type { Page } from './page-actions.ts';

/** The messages that are drawn, by id. */
export type MessageBoard = {
  readonly element: HTMLElement;
  clear(): void;
  /** Draws all messages of a channel, the latest at once and the others as soon as there is time. */
  putAll(messages: readonly MessageView[]): void;
  /** Draws a message, in place of what it was before. */
  put(message: MessageView): HTMLElement | undefined;
  remove(id: string): void;
  /** Draws those anew that wait for their content: at some time they have waited too long. */
  refreshLoading(): void;
};

/** As many as no window shows more of. */
const AT_ONCE_COUNT = 40;

export function createMessageBoard(page: Page): MessageBoard {
  const element = make('div', { class: 'messages', role: 'log', 'aria-live': 'off' });
  const drawn = new Map<string, HTMLElement>();
  const loading = new Map<string, MessageView>();
  /** Older messages that are not drawn yet, the oldest first. */
  let pending: readonly MessageView[] = [];
  /** Private messages that were dismissed; as in Discord's client, they are gone from this screen and nowhere else. */
  const dismissed = new Set<string>();

  const remove = (id: string): void => {
    pending = pending.filter((message) => message.id !== id);
    const old = drawn.get(id);
    const hadFocus = old?.contains(document.activeElement) ?? false;
    const neighbour = old?.previousElementSibling ?? old?.nextElementSibling;
    old?.remove();
    drawn.delete(id);
    loading.delete(id);
    if (hadFocus && neighbour instanceof HTMLElement) neighbour.focus();
  };
  const dismiss = (id: string): void => {
    dismissed.add(id);
    remove(id);
    announce('The message is dismissed.');
  };
  const draw = (message: MessageView): HTMLElement => {
    const next = renderMessage(page, message, () => dismiss(message.id));
    drawn.set(message.id, next);
    if (message.isLoading) loading.set(message.id, message);
    else loading.delete(message.id);
    return next;
  };
  const drawPending = (): void => {
    const batch = pending.slice(-AT_ONCE_COUNT);
    pending = pending.slice(0, -AT_ONCE_COUNT);
    element.prepend(...batch.filter(({ id }) => !dismissed.has(id)).map(draw));
    if (pending.length > 0) setTimeout(drawPending);
  };
  const clear = (): void => {
    element.replaceChildren();
    drawn.clear();
    loading.clear();
    pending = [];
  };
  const put: MessageBoard['put'] = (message) => {
    if (dismissed.has(message.id)) return undefined;
    if (pending.some(({ id }) => id === message.id)) {
      pending = pending.map((older) => (older.id === message.id ? message : older));
      return undefined;
    }
    const old = drawn.get(message.id);
    const next = draw(message);
    if (old === undefined) {
      element.append(next);
      return next;
    }
    const focus = describeFocus(old);
    old.replaceWith(next);
    restoreFocus(next, focus);
    return next;
  };
  return {
    element,
    remove,
    clear,
    putAll(messages) {
      clear();
      pending = messages;
      if (pending.length > 0) drawPending();
    },
    put,
    refreshLoading: () => [...loading.values()].forEach(put),
  };
}

type Focus = { readonly customId: string | undefined } | undefined;

/** What has the focus inside of a message that is about to be drawn anew. */
function describeFocus(element: HTMLElement): Focus {
  const { activeElement } = document;
  if (activeElement === null || !element.contains(activeElement)) return undefined;
  return { customId: activeElement instanceof HTMLElement ? activeElement.dataset['customId'] : undefined };
}

function restoreFocus(element: HTMLElement, focus: Focus): void {
  if (focus === undefined) return;
  const fields = [...element.querySelectorAll<HTMLElement>('[data-custom-id]')];
  const same = fields.find(({ dataset }) => dataset['customId'] === focus.customId);
  if (same?.matches(':disabled') === false) same.focus();
  else element.focus();
}
