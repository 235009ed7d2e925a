import type { ModalField } from '../../discord/modal-schema.ts';
import { COMPONENT } from '../../discord/numbers.ts';
import type { ModalAnswerInput } from '../action-schema.ts';
import { make } from './dom.ts';
import type { FileField } from './file-field.ts';
import { createFileField } from './file-field.ts';
import { choosesEntities, createSelectMenu } from './select-menu.ts';
import type { Session } from './session.ts';

/** What people fill in in a form. */
export type ModalControl = {
  readonly element: HTMLElement;
  /** What has to be corrected; undefined where it can be sent. */
  problem(): string | undefined;
  value(): Promise<ModalAnswerInput>;
  readonly files?: FileField;
};

const PARAGRAPH_STYLE = 2;

/** @param id of the element that the field's label belongs to. */
export function createModalControl(id: string, label: string, field: ModalField, session: Session): ModalControl {
  switch (field.type) {
    case COMPONENT.textInput:
      return createTextInput(id, field);
    case COMPONENT.fileUpload:
      return createUpload(id, label, field);
    case COMPONENT.radioGroup:
      return createRadioGroup(id, label, field);
    case COMPONENT.checkboxGroup:
      return createCheckboxGroup(id, label, field);
    case COMPONENT.checkbox: {
      const input = make('input', { id, type: 'checkbox', checked: field.default === true });
      return { element: input, problem: () => undefined, value: async () => input.checked };
    }
    default: {
      const menu = createSelectMenu({ component: field, session, label, id });
      return {
        element: menu.element,
        problem: () => checkCount(field, menu.chosen.length),
        value: async () => (choosesEntities(field) ? { entities: [...menu.chosen] } : { values: [...menu.chosen] }),
      };
    }
  }
}

type FieldOf<Type extends number> = Extract<ModalField, { readonly type: Type }>;

function createTextInput(id: string, field: FieldOf<typeof COMPONENT.textInput>): ModalControl {
  const { min_length: least, max_length: most, placeholder, required, value } = field;
  const attributes = {
    id,
    class: 'field-input',
    placeholder,
    maxlength: most ?? 4000,
    'aria-required': String(required !== false),
  };
  const isParagraph = field.style === PARAGRAPH_STYLE;
  const element = isParagraph ? make('textarea', { ...attributes, rows: 4 }) : make('input', attributes);
  element.value = value ?? '';
  return {
    element,
    problem() {
      const { length } = element.value;
      if (length === 0) return required === false ? undefined : 'This has to be filled in.';
      return length < (least ?? 0) ? `At least ${least} characters.` : undefined;
    },
    value: async () => element.value,
  };
}

function createUpload(id: string, label: string, field: FieldOf<typeof COMPONENT.fileUpload>): ModalControl {
  const files = createFileField({ id, label, countMax: field.max_values ?? 1, onChange: () => undefined });
  return {
    element: files.element,
    files,
    problem: () => checkCount(field, files.count),
    value: async () => ({ uploads: await files.uploads() }),
  };
}

type ChoiceOption = FieldOf<typeof COMPONENT.radioGroup>['options'][number];

function makeChoices(
  type: 'radio' | 'checkbox',
  id: string,
  label: string,
  options: readonly ChoiceOption[],
): { element: HTMLElement; readonly chosen: () => string[] } {
  const inputs = options.map((option, index) => ({
    option,
    input: make('input', {
      type,
      name: id,
      id: index === 0 ? id : `${id}-${index}`,
      value: option.value,
      checked: option.default === true,
    }),
  }));
  const element = make(
    'div',
    { class: 'choices', role: type === 'radio' ? 'radiogroup' : 'group', 'aria-label': label },
    ...inputs.map(({ option, input }) =>
      make(
        'label',
        { class: 'choice' },
        input,
        make(
          'span',
          {},
          make('span', { class: 'choice-label' }, option.label),
          (option.description ?? '') !== '' && make('small', {}, option.description),
        ),
      ),
    ),
  );
  return { element, chosen: () => inputs.filter(({ input }) => input.checked).map(({ option }) => option.value) };
}

function createRadioGroup(id: string, label: string, field: FieldOf<typeof COMPONENT.radioGroup>): ModalControl {
  const { element, chosen } = makeChoices('radio', id, label, field.options);
  return {
    element,
    problem: () => (chosen().length === 0 && field.required !== false ? 'Choose one.' : undefined),
    // Nothing chosen is an empty list to Discord's client, and the form's own default to nobody.
    value: async () => chosen()[0] ?? { values: [] },
  };
}

function createCheckboxGroup(id: string, label: string, field: FieldOf<typeof COMPONENT.checkboxGroup>): ModalControl {
  const { element, chosen } = makeChoices('checkbox', id, label, field.options);
  const countable = { ...field, max_values: field.max_values ?? field.options.length };
  return {
    element,
    problem: () => checkCount(countable, chosen().length),
    value: async () => ({ values: chosen() }),
  };
}

type Countable = {
  readonly min_values?: number | null | undefined;
  readonly max_values?: number | null | undefined;
  readonly required?: boolean | null | undefined;
};

function checkCount({ min_values: least, max_values: most, required }: Countable, count: number): string | undefined {
  if (count === 0 && required === false) return undefined;
  if (count < (least ?? 1)) return (least ?? 1) === 1 ? 'This needs a choice.' : `Choose at least ${least}.`;
  return count > (most ?? 1) ? `Choose at most ${most ?? 1}.` : undefined;
}
