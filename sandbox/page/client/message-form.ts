import type { TypedCommand } from './command-catalogue.ts';
import { createCommandPicker } from './command-picker.ts';
import { icon, make } from './dom.ts';
import type { FileField } from './file-field.ts';
import { createFileField } from './file-field.ts';
import type { Page } from './page-actions.ts';
import { here, perform } from './page-actions.ts';
import { ask } from './requests.ts';
import type { Session } from './session.ts';

/** Where people write what everybody reads. */
export type MessageForm = Pick<FileField, 'add' | 'clear' | 'element'> & { focus(): void };

const MESSAGE_LENGTH_MAX = 2000;
const FILES_MAX = 10;

/** @param onCommand is called when somebody begins a command instead. */
export function createMessageForm(
  page: Page,
  anchor: HTMLElement,
  onCommand: (command: TypedCommand, rest: string) => void,
): MessageForm {
  const { session } = page;
  const text = makeTextBox(session);
  const files = createFileField({
    id: 'message-files',
    label: 'Attach files',
    countMax: FILES_MAX,
    onChange: () => update(),
  });
  const send = make(
    'button',
    { type: 'submit', class: 'icon-button send', 'aria-label': 'Send the message' },
    icon('send'),
  );
  const attach = make('button', { type: 'button', class: 'icon-button', 'aria-label': 'Attach files' }, icon('attach'));
  const row = make('div', { class: 'plain-row' }, attach, text, send);
  const element = make('form', { class: 'plain-form', 'aria-label': 'Message' }, files.element, row);
  const picker = createCommandPicker({
    session,
    field: text,
    anchor,
    onPick(command, rest) {
      text.value = '';
      update();
      onCommand(command, rest);
    },
  });
  const update = (): void => {
    element.classList.toggle('has-files', files.count > 0);
    send.disabled = text.value.trim() === '' && files.count === 0;
  };
  const post = async (): Promise<void> => {
    if (picker.pickActive()) return;
    const content = text.value.trim();
    if (content === '' && files.count === 0) return;
    if (content.startsWith('/')) {
      page.notice('There is no such command. Type / to see the commands here.');
      return;
    }
    await perform(page, element, async () => {
      await ask('message', here<'message'>(session, { content, uploads: await files.uploads() }));
      text.value = '';
      files.clear();
      update();
    });
  };

  attach.addEventListener('click', () => files.open());
  text.addEventListener('input', () => {
    update();
    picker.follow(text.value);
  });
  text.addEventListener('blur', () => picker.close());
  text.addEventListener('keydown', (event) => {
    if (picker.handleKey(event)) return;
    if (event.key === 'Tab' && picker.pickActive()) event.preventDefault();
    if (event.key === 'Escape') picker.close();
    const isSending = event.key === 'Enter' && !event.shiftKey && !event.isComposing;
    const isLeaving = event.key === 'ArrowUp' && text.value === '';
    if (!isSending && !isLeaving) return;
    event.preventDefault();
    if (isLeaving) page.focusMessages();
    else void post();
  });
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    void post();
  });
  update();
  return { element, add: (chosen) => files.add(chosen), clear: () => files.clear(), focus: () => text.focus() };
}

function makeTextBox(session: Session): HTMLTextAreaElement {
  const text = make('textarea', {
    class: 'composer-text growing',
    rows: 1,
    maxlength: MESSAGE_LENGTH_MAX,
    'aria-autocomplete': 'list',
    autocomplete: 'off',
  });
  session.on('world', () => {
    const place = session.guild?.channels.find(({ id }) => id === session.viewer.channel)?.name;
    const words = place === undefined ? `Message ${session.world.bot.name}` : `Message #${place}`;
    text.placeholder = `${words} or type /`;
    text.setAttribute('aria-label', words);
  });
  return text;
}
