import { z } from 'zod';
import { messageComponent } from './component-schema.ts';

/** Message flags the emulator knows (bit fields). */
export const MESSAGE_FLAG = {
  suppressEmbeds: 1 << 2,
  ephemeral: 1 << 6,
  loading: 1 << 7,
  suppressNotifications: 1 << 12,
  componentsV2: 1 << 15,
} as const;

const snowflake = z.string().regex(/^\d{1,20}$/);
const url = z.string().max(2048);
const embedMedia = z.strictObject({ url });

const embed = z.strictObject({
  title: z.string().max(256).nullish(),
  type: z.string().nullish(),
  description: z.string().max(4096).nullish(),
  url: url.nullish(),
  timestamp: z.string().nullish(),
  color: z.number().int().min(0).max(0xffffff).nullish(),
  footer: z.strictObject({ text: z.string().max(2048), icon_url: url.nullish() }).nullish(),
  image: embedMedia.nullish(),
  thumbnail: embedMedia.nullish(),
  author: z.strictObject({ name: z.string().max(256), url: url.nullish(), icon_url: url.nullish() }).nullish(),
  fields: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(256),
        value: z.string().min(1).max(1024),
        inline: z.boolean().nullish(),
      }),
    )
    .max(25)
    .nullish(),
});

/** An entry of `attachments`: an upload by its index, or a kept attachment by its id. */
const attachment = z.strictObject({
  id: z.union([snowflake, z.number().int().min(0)]).transform(String),
  filename: z.string().min(1).max(1024).nullish(),
  description: z.string().max(1024).nullish(),
  title: z.string().max(1024).nullish(),
  is_spoiler: z.boolean().nullish(),
  waveform: z.string().nullish(),
  duration_secs: z.number().nullish(),
});

const allowedMentions = z.strictObject({
  parse: z.array(z.enum(['users', 'roles', 'everyone'])).nullish(),
  users: z.array(snowflake).max(100).nullish(),
  roles: z.array(snowflake).max(100).nullish(),
  replied_user: z.boolean().nullish(),
});

const poll = z.strictObject({
  question: z.strictObject({ text: z.string().min(1).max(300) }),
  answers: z
    .array(z.strictObject({ poll_media: z.strictObject({ text: z.string().min(1).max(55) }) }))
    .min(1)
    .max(10),
  duration: z.number().int().min(1).max(768).nullish(),
  allow_multiselect: z.boolean().nullish(),
  layout_type: z.literal(1).nullish(),
});

const edited = {
  content: z.string().max(2000).nullish(),
  embeds: z.array(embed).max(10).nullish(),
  allowed_mentions: allowedMentions.nullish(),
  components: z.array(messageComponent).max(40).nullish(),
  attachments: z.array(attachment).max(10).nullish(),
  flags: z.number().int().min(0).nullish(),
  // Meaningless in an edit, yet discord.js sends these with every message, and Discord lets them pass.
  tts: z.boolean().nullish(),
  enforce_nonce: z.literal(false).nullish(),
};

const created = { ...edited, poll: poll.nullish() };

/** The bodies that carry a message. A key that none of them knows is refused, because it means a misspelt option. */
export const messageBodies = {
  channelMessage: z.strictObject({
    ...created,
    nonce: z.union([z.string().max(25), z.number().int()]).nullish(),
    enforce_nonce: z.boolean().nullish(),
    sticker_ids: z.array(snowflake).max(3).nullish(),
    message_reference: z
      .strictObject({
        type: z.literal(0).nullish(),
        message_id: snowflake,
        channel_id: snowflake.nullish(),
        guild_id: snowflake.nullish(),
        fail_if_not_exists: z.boolean().nullish(),
      })
      .nullish(),
  }),
  channelEdit: z.strictObject(edited),
  /** A callback of type 4 or 7, and a follow-up. */
  interactionMessage: z.strictObject(created),
  interactionEdit: z.strictObject(created),
} as const;

export type Embed = z.infer<typeof embed>;
export type AllowedMentions = z.infer<typeof allowedMentions>;
/** Any body that carries a message, once parsed. */
export type MessageBody = Omit<z.infer<(typeof messageBodies)['interactionMessage']>, 'enforce_nonce'>;
