import { z } from 'zod';
import { COMPONENT, selectOption, selects, textDisplay } from './component-schema.ts';

const id = z.number().int().min(0).nullish();
const customId = z.string().min(1).max(100);
const required = z.boolean().nullish();

const textInput = z.strictObject({
  type: z.literal(COMPONENT.textInput),
  id,
  custom_id: customId,
  style: z.union([z.literal(1), z.literal(2)]),
  label: z.string().min(1).max(45).nullish(),
  min_length: z.number().int().min(0).max(4000).nullish(),
  max_length: z.number().int().min(1).max(4000).nullish(),
  required,
  value: z.string().max(4000).nullish(),
  placeholder: z.string().max(100).nullish(),
});
const fileUpload = z.strictObject({
  type: z.literal(COMPONENT.fileUpload),
  id,
  custom_id: customId,
  min_values: z.number().int().min(0).max(10).nullish(),
  max_values: z.number().int().min(1).max(10).nullish(),
  required,
});
const choiceOption = selectOption.omit({ emoji: true });
const radioGroup = z
  .strictObject({
    type: z.literal(COMPONENT.radioGroup),
    id,
    custom_id: customId,
    required,
    options: z.array(choiceOption).min(2).max(10),
  })
  .superRefine(({ options }, context) => {
    if (options.filter((option) => option.default === true).length < 2) return;
    context.addIssue({ code: 'custom', path: ['options'], message: 'Only one option can be chosen by default' });
  });
const checkboxGroup = z.strictObject({
  type: z.literal(COMPONENT.checkboxGroup),
  id,
  custom_id: customId,
  min_values: z.number().int().min(0).max(10).nullish(),
  max_values: z.number().int().min(1).max(10).nullish(),
  required,
  options: z.array(choiceOption).min(1).max(10),
});
const checkbox = z.strictObject({
  type: z.literal(COMPONENT.checkbox),
  id,
  custom_id: customId,
  default: z.boolean().nullish(),
});

const field = z.discriminatedUnion('type', [textInput, fileUpload, radioGroup, checkboxGroup, checkbox, ...selects]);

const label = z
  .strictObject({
    type: z.literal(COMPONENT.label),
    id,
    label: z.string().min(1).max(45),
    description: z.string().min(1).max(100).nullish(),
    component: field,
  })
  .superRefine(({ component }, context) => {
    const refuse = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: ['component', key], message });
    if ('label' in component) refuse('label', 'A text input in a label has no label of its own');
    if ('disabled' in component && component.disabled === true) refuse('disabled', 'Modals have no disabled fields');
    const takesNothing = 'min_values' in component && component.min_values === 0;
    if (takesNothing && component.required !== false) refuse('min_values', 'A required field takes at least one value');
    if (!('options' in component)) return;
    const values = component.options.map(({ value }) => value);
    if (new Set(values).size < values.length) refuse('options', 'The values of options cannot be duplicated');
  });

/** The older form: a text input with its own label, alone in a row. */
const textInputRow = z.strictObject({
  type: z.literal(COMPONENT.actionRow),
  id,
  components: z.array(textInput.extend({ label: z.string().min(1).max(45) })).length(1),
});

/** The data of a callback that opens a modal. */
export const modalData = z
  .strictObject({
    custom_id: customId,
    title: z.string().min(1).max(45),
    components: z
      .array(z.discriminatedUnion('type', [label, textInputRow, textDisplay]))
      .min(1)
      .max(5),
  })
  .superRefine(({ components }, context) => {
    const seen = new Set<string>();
    components.forEach((component, index) => {
      const own = modalFieldOf(component);
      if (own === undefined) return;
      if (seen.has(own.custom_id)) {
        context.addIssue({
          code: 'custom',
          path: ['components', index],
          message: 'Component custom id cannot be duplicated',
        });
      }
      seen.add(own.custom_id);
    });
  });

export type Modal = z.infer<typeof modalData>;
export type ModalComponent = Modal['components'][number];
export type ModalField = z.infer<typeof field>;

/** The part of a modal's component that a member fills in; undefined for text. */
export function modalFieldOf(component: ModalComponent): ModalField | undefined {
  switch (component.type) {
    case COMPONENT.label:
      return component.component;
    case COMPONENT.actionRow:
      return component.components[0];
    case COMPONENT.textDisplay:
      return undefined;
  }
}
