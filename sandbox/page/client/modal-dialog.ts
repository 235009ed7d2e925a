import type { Modal, ModalComponent, ModalField } from '../../discord/modal-schema.ts';
import { COMPONENT } from '../../discord/numbers.ts';
import type { ModalAnswerInput } from '../action-schema.ts';
import { openDialog } from './dialogs.ts';
import { icon, make, nextElementId } from './dom.ts';
import { renderMarkdown } from './markdown.ts';
import type { ModalControl } from './modal-fields.ts';
import { createModalControl } from './modal-fields.ts';
import { createNames } from './names.ts';
import type { Page } from './page-actions.ts';
import { here } from './page-actions.ts';
import { ask, RequestFailure } from './requests.ts';

type Filled = { readonly customId: string; readonly control: ModalControl; readonly problem: HTMLElement };

/** Opens a form that the bot asks to have filled in. */
export function openModal(page: Page, interaction: string, modal: Modal): void {
  const filled: Filled[] = [];
  const failure = make('p', { class: 'form-failure', role: 'alert' });
  const submit = make('button', { type: 'submit', class: 'button primary' }, 'Submit');
  const cancel = make('button', { type: 'button', class: 'button secondary' }, 'Cancel');
  const close = make('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close the form' }, icon('close'));
  const form = make(
    'form',
    { novalidate: true },
    make('header', { class: 'modal-head' }, make('h2', {}, modal.title), close),
    make('div', { class: 'modal-fields' }, ...modal.components.map((component) => makeField(page, component, filled))),
    failure,
    make('footer', { class: 'modal-foot' }, cancel, submit),
  );
  const dialog = openDialog('modal', modal.title, form);
  for (const button of [cancel, close]) button.addEventListener('click', () => dialog.close());
  form.querySelector<HTMLElement>('.modal-fields :is(input, textarea, button)')?.focus();

  const send = async (): Promise<void> => {
    for (const { control, problem } of filled) problem.textContent = control.problem() ?? '';
    const wrong = filled.find(({ control }) => control.problem() !== undefined);
    if (wrong) return focusIn(wrong.control.element);
    submit.disabled = true;
    failure.textContent = '';
    try {
      const pairs = filled.map(async ({ customId, control }) => [customId, await control.value()] as const);
      const answers: Record<string, ModalAnswerInput> = Object.fromEntries(
        (await Promise.all(pairs)).filter(([, value]) => !isNothing(value)),
      );
      const answer = await ask('modal', here<'modal'>(page.session, { interaction, answers }));
      if (answer.answer === 'none') {
        failure.textContent = 'Something went wrong. Try again.';
        return;
      }
      dialog.close();
      page.follow(answer);
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      failure.textContent = error.message;
    } finally {
      submit.disabled = false;
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  form.addEventListener('paste', (event) => {
    const pasted = event.clipboardData?.files;
    const free = filled.find(({ control }) => control.files?.isFull === false);
    if (pasted === undefined || pasted.length === 0 || free === undefined) return;
    event.preventDefault();
    free.control.files?.add(pasted);
  });
}

/** An optional choice that nobody made is left out. */
function isNothing(value: ModalAnswerInput): boolean {
  return typeof value === 'object' && 'values' in value && value.values.length === 0;
}

function focusIn(element: HTMLElement): void {
  const field = element.matches('input, textarea, button') ? element : element.querySelector('input, textarea, button');
  if (field instanceof HTMLElement) field.focus();
}

function makeField(page: Page, component: ModalComponent, filled: Filled[]): HTMLElement {
  if (component.type === COMPONENT.textDisplay) {
    return make('div', { class: 'text-display' }, renderMarkdown(component.content, createNames(page.session)));
  }
  const { label, description, field } = describeField(component);
  const id = nextElementId('field');
  const control = createModalControl(id, label, field, page.session);
  const problem = make('p', { class: 'field-problem', role: 'alert' });
  filled.push({ customId: field.custom_id, control, problem });
  const isRequired = !('required' in field) || field.required !== false;
  return make(
    'div',
    { class: `modal-field ${field.type === COMPONENT.checkbox ? 'inline' : ''}` },
    make(
      'label',
      { for: id, class: 'field-label' },
      label,
      isRequired &&
        field.type !== COMPONENT.checkbox &&
        make('span', { class: 'required', 'aria-hidden': 'true' }, ' *'),
    ),
    description !== undefined && make('small', { class: 'field-description' }, description),
    control.element,
    problem,
  );
}

type Described = { readonly label: string; readonly description: string | undefined; readonly field: ModalField };

function describeField(component: Exclude<ModalComponent, { readonly type: typeof COMPONENT.textDisplay }>): Described {
  if (component.type === COMPONENT.label) {
    return { label: component.label, description: component.description ?? undefined, field: component.component };
  }
  const [field] = component.components;
  if (field === undefined) throw new Error('A row of a form has no field.');
  return { label: field.label, description: undefined, field };
}
