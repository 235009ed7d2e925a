import { z } from 'zod';
import { COMMAND_TYPE, OPTION_TYPE } from './numbers.ts';

export { COMMAND_TYPE, OPTION_TYPE };

/** The languages Discord's clients speak; no other key is taken in a localisation. */
const LOCALES = [
  'ar',
  'bg',
  'cs',
  'da',
  'de',
  'el',
  'en-GB',
  'en-US',
  'es-419',
  'es-ES',
  'fi',
  'fr',
  'he',
  'hi',
  'hr',
  'hu',
  'id',
  'it',
  'ja',
  'ko',
  'lt',
  'nl',
  'no',
  'pl',
  'pt-BR',
  'ro',
  'ru',
  'sv-SE',
  'th',
  'tr',
  'uk',
  'vi',
  'zh-CN',
  'zh-TW',
] as const;

/** Names of chat commands and options: lower case letters, digits, hyphen, underscore, of any script. */
export const slashName = z
  .string()
  .regex(/^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u)
  .refine((name) => name === name.toLowerCase(), 'Names are written in lower case.');
const menuName = z.string().min(1).max(32);
const description = z.string().min(1).max(100);

function localized<Text extends z.ZodType>(text: Text) {
  return z.partialRecord(z.enum(LOCALES), text).nullish();
}

const common = {
  name: slashName,
  name_localizations: localized(slashName),
  description,
  description_localizations: localized(description),
};
const leaf = { ...common, required: z.boolean().nullish() };

function choices<Value extends z.ZodType>(value: Value) {
  return z
    .array(
      z.strictObject({
        name: z.string().min(1).max(100),
        name_localizations: localized(z.string().min(1).max(100)),
        value,
      }),
    )
    .max(25)
    .nullish();
}

const autocomplete = z.boolean().nullish();
const wholeNumber = z
  .number()
  .int()
  .min(-(2 ** 53))
  .max(2 ** 53);
const leafOption = [
  z.strictObject({
    type: z.literal(OPTION_TYPE.string),
    ...leaf,
    autocomplete,
    choices: choices(z.string().min(1).max(100)),
    min_length: z.number().int().min(0).max(6000).nullish(),
    max_length: z.number().int().min(1).max(6000).nullish(),
  }),
  z.strictObject({
    type: z.literal(OPTION_TYPE.integer),
    ...leaf,
    autocomplete,
    choices: choices(wholeNumber),
    min_value: wholeNumber.nullish(),
    max_value: wholeNumber.nullish(),
  }),
  z.strictObject({
    type: z.literal(OPTION_TYPE.number),
    ...leaf,
    autocomplete,
    choices: choices(z.number()),
    min_value: z.number().nullish(),
    max_value: z.number().nullish(),
  }),
  z.strictObject({
    type: z.literal(OPTION_TYPE.channel),
    ...leaf,
    channel_types: z.array(z.number().int()).nullish(),
  }),
  z.strictObject({ type: z.literal(OPTION_TYPE.boolean), ...leaf }),
  z.strictObject({ type: z.literal(OPTION_TYPE.user), ...leaf }),
  z.strictObject({ type: z.literal(OPTION_TYPE.role), ...leaf }),
  z.strictObject({ type: z.literal(OPTION_TYPE.mentionable), ...leaf }),
  z.strictObject({ type: z.literal(OPTION_TYPE.attachment), ...leaf }),
] as const;

const leafOptions = z.array(z.discriminatedUnion('type', leafOption)).max(25).nullish();
const subcommand = z.strictObject({
  type: z.literal(OPTION_TYPE.subcommand),
  ...common,
  required: z.literal(false).nullish(),
  options: leafOptions,
});
const subcommandGroup = z.strictObject({
  type: z.literal(OPTION_TYPE.subcommandGroup),
  ...common,
  required: z.literal(false).nullish(),
  options: z.array(subcommand).min(1).max(25),
});

/** One entry of `PUT /applications/{id}/commands`. */
export const commandSchema = z.strictObject({
  type: z.union([z.literal(1), z.literal(2), z.literal(3)]).default(COMMAND_TYPE.chatInput),
  name: menuName,
  name_localizations: localized(menuName),
  description: z.string().max(100).nullish(),
  description_localizations: localized(description),
  options: z
    .array(z.discriminatedUnion('type', [...leafOption, subcommand, subcommandGroup]))
    .max(25)
    .nullish(),
  default_member_permissions: z
    .union([z.string().regex(/^\d+$/), z.number().int().min(0)])
    .transform(String)
    .nullish(),
  dm_permission: z.boolean().nullish(),
  default_permission: z.boolean().nullish(),
  nsfw: z.boolean().nullish(),
  contexts: z
    .array(z.union([z.literal(0), z.literal(1), z.literal(2)]))
    .min(1)
    .nullish(),
  integration_types: z
    .array(z.union([z.literal(0), z.literal(1)]))
    .min(1)
    .nullish(),
  handler: z.number().int().nullish(),
  id: z.string().nullish(),
});

export type CommandForm = z.infer<typeof commandSchema>;
export type CommandOption = NonNullable<CommandForm['options']>[number];
export type LeafOption = z.infer<(typeof leafOption)[number]>;
