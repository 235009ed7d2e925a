import type { InteractionView } from '../view.ts';
import type { Action, ActionName } from '../action-schema.ts';
import { RequestFailure } from './requests.ts';
import type { Session } from './session.ts';

/** What parts of the page ask of the page as a whole. */
export type Page = {
  readonly session: Session;
  /** Says something below the messages that only this person sees, as Discord's client does by itself. */
  notice(text: string): void;
  /** Follows what comes of an interaction: a form that opens, or nobody who answers. */
  follow(interaction: InteractionView): void;
  openMenu(anchor: Element, messageId: string): void;
  openPicture(url: string, description: string): void;
  /** Moves the focus to the latest message. */
  focusMessages(): void;
};

type Placed<Name extends ActionName> = Omit<Action<Name>, 'person' | 'channel'>;

/** An action of this person in this channel. */
export function here<Name extends ActionName>({ viewer }: Session, action: Placed<Name>): Placed<Name> & typeof viewer {
  return { ...action, ...viewer };
}

/**
 * Does something and waits for its end while what it was started from takes no second click.
 * What goes wrong is told below the messages.
 */
export async function perform(page: Page, starter: HTMLElement, task: () => Promise<unknown>): Promise<void> {
  if (starter.getAttribute('aria-busy') === 'true') return;
  starter.setAttribute('aria-busy', 'true');
  try {
    await task();
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    page.notice(error.message);
  } finally {
    starter.removeAttribute('aria-busy');
  }
}
