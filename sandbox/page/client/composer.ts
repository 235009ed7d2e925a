import type { CommandForm } from './command-form.ts';
import { createCommandForm } from './command-form.ts';
import { make } from './dom.ts';
import { acceptDrops } from './file-field.ts';
import { createMessageForm } from './message-form.ts';
import type { Page } from './page-actions.ts';

/** The box at the bottom: words to send, or a slash and a command. */
export type Composer = { readonly element: HTMLElement; focus(): void };

export function createComposer(page: Page): Composer {
  let commandForm: CommandForm | undefined;
  const element = make('div', { class: 'composer', id: 'composer', tabindex: '-1' });
  const messageForm = createMessageForm(page, element, (command, rest) => {
    commandForm = createCommandForm(page, command, leaveCommand);
    element.replaceChildren(commandForm.element);
    commandForm.focusFirst(rest);
  });
  const leaveCommand = (): void => {
    commandForm = undefined;
    element.replaceChildren(messageForm.element);
    messageForm.focus();
  };
  const takeFiles = (files: Iterable<File>): void => (commandForm ?? messageForm).add(files);

  element.append(messageForm.element);
  element.addEventListener('paste', (event) => {
    const pasted = event.clipboardData?.files;
    if (pasted === undefined || pasted.length === 0) return;
    event.preventDefault();
    takeFiles(pasted);
  });
  // People drop files anywhere; only here they are of use.
  acceptDrops(document.body, takeFiles);
  page.session.on('viewer', () => {
    if (commandForm) leaveCommand();
    messageForm.clear();
  });
  return { element, focus: () => (commandForm ? commandForm.focusFirst('') : messageForm.focus()) };
}
