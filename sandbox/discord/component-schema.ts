import { z } from 'zod';
import { BUTTON_STYLE, COMPONENT } from './numbers.ts';

export { BUTTON_STYLE, COMPONENT };

const id = z.number().int().min(0).nullish();
const customId = z.string().min(1).max(100);
/** Discord trims a text before it looks whether there is one. */
export function saysSomething(text: string): boolean {
  return text.trim() !== '';
}

const snowflake = z.string().regex(/^\d{1,20}$/);
const media = z.strictObject({ url: z.string().min(1).max(2048) });
const emoji = z.strictObject({
  id: snowflake.nullish(),
  name: z.string().max(32).nullish(),
  animated: z.boolean().nullish(),
});

const button = z
  .strictObject({
    type: z.literal(COMPONENT.button),
    id,
    style: z.number().int().min(1).max(6),
    custom_id: customId.nullish(),
    label: z.string().max(80).nullish(),
    disabled: z.boolean().nullish(),
    url: z.string().max(512).nullish(),
    sku_id: snowflake.nullish(),
    emoji: emoji.nullish(),
  })
  .superRefine((value, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
    const hasUrl = typeof value.url === 'string';
    const hasCustomId = typeof value.custom_id === 'string';
    if (value.style === BUTTON_STYLE.link) {
      if (!hasUrl) refuse('url', 'A link button must have a url.');
      if (hasCustomId) refuse('custom_id', 'A link button cannot have a custom id.');
    } else if (value.style !== BUTTON_STYLE.premium) {
      if (!hasCustomId) refuse('custom_id', 'This field is required');
      if (hasUrl) refuse('url', 'Only a link button has a url.');
    }
    const hasFace = (value.label ?? '') !== '' || (value.emoji ?? undefined) !== undefined;
    if (value.style !== BUTTON_STYLE.premium && !hasFace) refuse('label', 'A button needs a label or an emoji.');
  });

/** An entry of a string select, of a radio group or of a checkbox group. */
export const selectOption = z.strictObject({
  label: z.string().min(1).max(100),
  value: z.string().min(1).max(100),
  description: z.string().max(100).nullish(),
  default: z.boolean().nullish(),
  emoji: emoji.nullish(),
});

const selectFields = {
  id,
  custom_id: customId,
  placeholder: z.string().max(150).nullish(),
  min_values: z.number().int().min(0).max(25).nullish(),
  max_values: z.number().int().min(1).max(25).nullish(),
  disabled: z.boolean().nullish(),
  required: z.boolean().nullish(),
};

const defaultValues = z
  .array(z.strictObject({ id: snowflake, type: z.enum(['user', 'role', 'channel']) }))
  .max(25)
  .nullish();

const stringSelect = z.strictObject({
  type: z.literal(COMPONENT.stringSelect),
  ...selectFields,
  options: z.array(selectOption).min(1).max(25),
});
const entitySelect = <Kind extends number>(kind: Kind) =>
  z.strictObject({ type: z.literal(kind), ...selectFields, default_values: defaultValues });
const channelSelect = z.strictObject({
  type: z.literal(COMPONENT.channelSelect),
  ...selectFields,
  default_values: defaultValues,
  channel_types: z.array(z.number().int()).nullish(),
});

/** The five selects, which messages and modals share. */
export const selects = [
  stringSelect,
  entitySelect(COMPONENT.userSelect),
  entitySelect(COMPONENT.roleSelect),
  entitySelect(COMPONENT.mentionableSelect),
  channelSelect,
] as const;

const actionRow = z
  .strictObject({
    type: z.literal(COMPONENT.actionRow),
    id,
    components: z
      .array(z.discriminatedUnion('type', [button, ...selects]))
      .min(1)
      .max(5),
  })
  .superRefine(({ components }, context) => {
    const hasSelect = components.some((component) => component.type !== COMPONENT.button);
    if (hasSelect && components.length > 1) {
      context.addIssue({ code: 'custom', path: ['components'], message: 'A select fills its row alone.' });
    }
  });

/** Text; it stands in messages and in modals. */
export const textDisplay = z.strictObject({
  type: z.literal(COMPONENT.textDisplay),
  id,
  content: z.string().max(4000).refine(saysSomething, 'This field is required'),
});
const description = z.string().min(1).max(1024).nullish();
const spoiler = z.boolean().nullish();
const thumbnail = z.strictObject({ type: z.literal(COMPONENT.thumbnail), id, media, description, spoiler });
const section = z.strictObject({
  type: z.literal(COMPONENT.section),
  id,
  components: z.array(textDisplay).min(1).max(3),
  accessory: z.discriminatedUnion('type', [button, thumbnail]),
});
const mediaGallery = z.strictObject({
  type: z.literal(COMPONENT.mediaGallery),
  id,
  items: z.array(z.strictObject({ media, description, spoiler })).min(1).max(10),
});
const file = z.strictObject({ type: z.literal(COMPONENT.file), id, file: media, spoiler });
const separator = z.strictObject({
  type: z.literal(COMPONENT.separator),
  id,
  divider: z.boolean().nullish(),
  spacing: z.union([z.literal(1), z.literal(2)]).nullish(),
});
const inContainer = [actionRow, section, textDisplay, mediaGallery, file, separator] as const;
const container = z.strictObject({
  type: z.literal(COMPONENT.container),
  id,
  accent_color: z.number().int().min(0).max(0xffffff).nullish(),
  spoiler,
  components: z.array(z.discriminatedUnion('type', inContainer)).min(1).max(40),
});

/** What may stand at the top of a message. */
export const messageComponent = z.discriminatedUnion('type', [...inContainer, container]);

export type MessageComponent = z.infer<typeof messageComponent>;
export type ButtonComponent = z.infer<typeof button>;
export type SelectComponent = z.infer<(typeof selects)[number]>;

/** Any component, at any depth of a message. */
export type AnyComponent = MessageComponent | ButtonComponent | SelectComponent | z.infer<typeof thumbnail>;
