import type { TypedCommand } from './command-catalogue.ts';
import { icon, make } from './dom.ts';
import { createOptionFields } from './option-fields.ts';
import type { Page } from './page-actions.ts';
import { here, perform } from './page-actions.ts';
import { ask } from './requests.ts';

/** A command whose options are being filled in. */
export type CommandForm = {
  readonly element: HTMLElement;
  /** @param text goes into the first option, if it takes any. */
  focusFirst(text: string): void;
  /** Puts files where the command takes some. */
  add(files: Iterable<File>): void;
};

/** @param onDone is called when the command was sent, or is not wanted any more. */
export function createCommandForm(page: Page, command: TypedCommand, onDone: () => void): CommandForm {
  const { session } = page;
  const { name } = command;
  const help = make('p', { class: 'command-help', 'aria-live': 'polite' }, command.description);
  const send = make(
    'button',
    { type: 'submit', class: 'icon-button send', 'aria-label': `Send /${name}` },
    icon('send'),
  );
  const cancel = make(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': `Cancel /${name}`, on: { click: onDone } },
    icon('close'),
  );
  const fields = createOptionFields({
    session,
    command,
    onFocus: ({ description }) => (help.textContent = description),
    async suggest(option, text, others) {
      const focused = { name: option.name, text };
      const choices = await ask('autocomplete', {
        ...here<'command'>(session, { command: name, options: others }),
        focused,
      });
      return choices.map((choice) => ({ label: choice.name, value: String(choice.value) }));
    },
  });
  const element = make(
    'form',
    { class: 'command-form', 'aria-label': `Command ${name}`, novalidate: true },
    make('div', { class: 'command-head' }, make('strong', { class: 'command-name' }, `/${name}`), help, cancel, send),
    ...fields.elements,
  );
  const submit = async (): Promise<void> => {
    const wrong = fields.check();
    if (wrong) return wrong.focus();
    return perform(page, element, async () => {
      const answer = await ask('command', here<'command'>(session, { command: name, options: await fields.read() }));
      onDone();
      page.follow(answer);
    });
  };

  element.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.preventDefault();
      onDone();
    }
    const isField = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement;
    if (event.key === 'Enter' && isField && !event.isComposing) {
      event.preventDefault();
      void submit();
    }
  });
  return {
    element,
    focusFirst(text) {
      if (text !== '') fields.first?.setText(text);
      if (fields.first) fields.first.focus();
      else send.focus();
    },
    add: (files) => fields.addFiles(files),
  };
}
