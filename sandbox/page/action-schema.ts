import { z } from 'zod';

/** What the browser may ask for. Everything else is refused before anybody looks at it. */

const id = z.string().regex(/^\d{1,20}$/);
const viewer = { person: id, channel: id };

/** What stands in an option: a plain value, an upload, or somebody or something by id. */
const optionValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.strictObject({ upload: id }),
  z.strictObject({ entity: id }),
]);
export type OptionInput = z.infer<typeof optionValue>;

const command = { ...viewer, command: z.string().max(100), options: z.record(z.string(), optionValue) };
const chosen = z.union([z.strictObject({ values: z.array(z.string()) }), z.strictObject({ entities: z.array(id) })]);
export type ChosenInput = z.infer<typeof chosen>;

const modalAnswer = z.union([z.string(), z.boolean(), chosen, z.strictObject({ uploads: z.array(id) })]);
export type ModalAnswerInput = z.infer<typeof modalAnswer>;

const component = { ...viewer, message: id, customId: z.string().max(100) };

export const actionSchemas = {
  command: z.strictObject(command),
  autocomplete: z.strictObject({ ...command, focused: z.strictObject({ name: z.string(), text: z.string() }) }),
  messageMenu: z.strictObject({ ...viewer, command: z.string().max(100), message: id }),
  button: z.strictObject(component),
  select: z.strictObject({ ...component, chosen }),
  modal: z.strictObject({ ...viewer, interaction: id, answers: z.record(z.string(), modalAnswer) }),
  message: z.strictObject({ ...viewer, content: z.string().max(2000), uploads: z.array(id).max(10) }),
  clock: z.strictObject({ jump: z.enum(['15 minutes', 'next month']) }),
  bot: z.strictObject({ action: z.enum(['start', 'stop', 'kill']) }),
  fault: z.strictObject({ id: z.string(), mode: z.enum(['off', 'next', 'always']) }),
} as const;

export type ActionName = keyof typeof actionSchemas;
export type Action<Name extends ActionName> = z.infer<(typeof actionSchemas)[Name]>;
