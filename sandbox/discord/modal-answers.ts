import { COMPONENT } from './component-schema.ts';
import type { Modal, ModalField } from './modal-schema.ts';
import { modalFieldOf } from './modal-schema.ts';
import { UnsendableCommand } from './option-values.ts';
import type { Entity, EntityKind, ResolvedData } from './resolved-data.ts';
import { entityKind } from './resolved-data.ts';
import type { WireObject } from './world-wire.ts';

/** What a member fills into a modal, by custom id: text, ticks, chosen values, or things such as uploads. */
export type ModalAnswers = Readonly<
  Record<string, string | boolean | readonly string[] | readonly Entity[] | undefined>
>;

const TEXT_LENGTH_MAX = 4000;

/** Writes the `components` of a modal's submission; throws UnsendableCommand for answers the member's client refuses. */
export function writeModalAnswers(modal: Modal, answers: ModalAnswers, resolved: ResolvedData): WireObject[] {
  const fields = modal.components.map((component) => ({ component, field: modalFieldOf(component) }));
  const known = new Set(fields.map(({ field }) => field?.custom_id));
  for (const customId of Object.keys(answers)) {
    if (!known.has(customId)) throw new UnsendableCommand(`The modal has no field "${customId}".`);
  }
  let lastId = 0;
  const nextId = (): number => (lastId += 1);
  return fields.map(({ component, field }) => {
    const id = component.id ?? nextId();
    if (field === undefined) return { type: component.type, id };
    const written = {
      type: field.type,
      id: field.id ?? nextId(),
      custom_id: field.custom_id,
      ...writeField(field, answers[field.custom_id], resolved),
    };
    return component.type === COMPONENT.label
      ? { type: component.type, id, component: written }
      : { type: component.type, id, components: [written] };
  });
}

function writeField(field: ModalField, answer: ModalAnswers[string], resolved: ResolvedData): WireObject {
  const refuse = (reason: string): never => {
    throw new UnsendableCommand(`The modal's field "${field.custom_id}" ${reason}.`);
  };
  switch (field.type) {
    case COMPONENT.textInput: {
      const text = answer ?? field.value ?? '';
      if (typeof text !== 'string') return refuse('takes text');
      if (text === '' && field.required !== false) return refuse('must be filled in');
      const isShort = text !== '' && text.length < (field.min_length ?? 0);
      if (isShort || text.length > (field.max_length ?? TEXT_LENGTH_MAX)) return refuse('has a wrong length');
      return { value: text };
    }
    case COMPONENT.checkbox: {
      const ticked = answer ?? field.default ?? false;
      return typeof ticked === 'boolean' ? { value: ticked } : refuse('takes true or false');
    }
    case COMPONENT.radioGroup: {
      const preset = field.options.find((option) => option.default === true)?.value;
      const chosen = answer ?? preset ?? null;
      if (chosen === null) return field.required === false ? { value: null } : refuse('needs a choice');
      if (!field.options.some(({ value }) => value === chosen)) return refuse('has no such choice');
      return { value: chosen };
    }
    case COMPONENT.stringSelect:
    case COMPONENT.checkboxGroup:
      return { values: chooseValues(field, answer, refuse) };
    default:
      return { values: chooseEntities(field, answer, resolved, refuse) };
  }
}

type Countable = {
  readonly min_values?: number | null | undefined;
  readonly max_values?: number | null | undefined;
  readonly required?: boolean | null | undefined;
};

/** Checks how many values were chosen; nothing at all is fine where the field is optional. */
export function checkCount(field: Countable, count: number, refuse: (reason: string) => never): void {
  if (count === 0 && field.required === false) return;
  if (count < (field.min_values ?? 1) || count > (field.max_values ?? 1)) refuse(`cannot take ${count} values`);
}

function chooseValues(
  field: Extract<ModalField, { readonly options: unknown }>,
  answer: ModalAnswers[string],
  refuse: (reason: string) => never,
): string[] {
  const presets = field.options.filter((option) => option.default === true).map(({ value }) => value);
  const chosen: readonly unknown[] = Array.isArray(answer)
    ? answer
    : answer === undefined
      ? presets
      : refuse('takes a list');
  const values = chosen.map((value) => (typeof value === 'string' ? value : refuse('takes a list of values')));
  for (const value of values) {
    if (!field.options.some((option) => option.value === value)) refuse(`has no choice "${value}"`);
  }
  const mostByDefault = field.type === COMPONENT.checkboxGroup ? field.options.length : 1;
  if (field.type !== COMPONENT.radioGroup) {
    checkCount({ ...field, max_values: field.max_values ?? mostByDefault }, values.length, refuse);
  }
  return values;
}

const FIELD_ENTITIES: Readonly<Partial<Record<number, readonly EntityKind[]>>> = {
  [COMPONENT.userSelect]: ['user'],
  [COMPONENT.roleSelect]: ['role'],
  [COMPONENT.mentionableSelect]: ['user', 'role'],
  [COMPONENT.channelSelect]: ['channel'],
  [COMPONENT.fileUpload]: ['attachment'],
};

/** The ids of chosen or uploaded things, which also go into `resolved`. */
export function chooseEntities(
  field: Countable & { readonly type: number },
  answer: ModalAnswers[string],
  resolved: ResolvedData,
  refuse: (reason: string) => never,
): string[] {
  const chosen = answer === undefined ? [] : Array.isArray(answer) ? answer : refuse('takes a list');
  checkCount(field, chosen.length, refuse);
  return chosen.map((entity: string | Entity) => {
    const isFitting = typeof entity === 'object' && FIELD_ENTITIES[field.type]?.includes(entityKind(entity)) === true;
    return isFitting ? resolved.add(entity) : refuse('does not take such a thing');
  });
}
