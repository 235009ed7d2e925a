import type { TypedCommand } from './command-line.ts';
import { COMPONENT } from './discord/component-schema.ts';
import type { ModalAnswers } from './discord/modal-answers.ts';
import type { Modal, ModalField } from './discord/modal-schema.ts';
import { modalFieldOf } from './discord/modal-schema.ts';
import type { Stage } from './stage.ts';
import { uploadTyped } from './typed-file.ts';

/** Turns typed words into what the fields of a form take, each under its own name: texts, choices and files. */
export async function readAnswers(stage: Stage, modal: Modal, typed: TypedCommand['options']): Promise<ModalAnswers> {
  const fields = modal.components.flatMap((component) => modalFieldOf(component) ?? []);
  const answers = fields.map(async (field) => {
    const value = typed[field.custom_id.replaceAll('-', '_')];
    return [field.custom_id, value === undefined ? undefined : await readAnswer(stage, field, String(value))] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** A form as its member sees it, for a terminal: what it asks, and by which name it is answered here. */
export function renderForm(modal: Modal): string {
  const lines = modal.components.flatMap((component) => {
    const field = modalFieldOf(component);
    if (field === undefined || component.type !== COMPONENT.label) return [];
    const choices = 'options' in field ? ` (${field.options.map(({ value }) => value).join(', ')})` : '';
    const optional = 'required' in field && field.required === false ? '' : ', needed';
    return [`│ --${field.custom_id}  ${component.label}${choices}${optional}`];
  });
  return [`│ ${modal.title}`, ...lines].join('\n');
}

async function readAnswer(
  stage: Stage,
  { type }: ModalField,
  value: string,
): Promise<Exclude<ModalAnswers[string], undefined>> {
  switch (type) {
    case COMPONENT.fileUpload:
      return [await uploadTyped(stage, value)];
    case COMPONENT.stringSelect:
    case COMPONENT.checkboxGroup:
      return value.split(',');
    default:
      return value;
  }
}
