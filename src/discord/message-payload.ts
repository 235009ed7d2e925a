import type {
  APIActionRowComponent,
  APIButtonComponentWithCustomId,
  APIMediaGalleryComponent,
  APIMessageTopLevelComponent,
} from 'discord.js';
import { ButtonStyle, ComponentType, MessageFlags } from 'discord.js';
import { writeCustomId } from './custom-id.ts';
import { truncate } from './wording.ts';

/** The body of a message, in the form in which Discord takes it everywhere. */
export type MessagePayload = {
  readonly flags: number;
  readonly allowed_mentions: { readonly parse: readonly never[] };
  readonly components: readonly APIMessageTopLevelComponent[];
  /** The id is the place of the file in the upload, as text, because Discord writes all ids so. */
  readonly attachments: readonly { readonly id: string; readonly filename: string; readonly description?: string }[];
};

/** Discord's own limits: of what describes one picture, and of all texts of a message together. */
export const ALT_TEXT_LENGTH_MAX = 1_024;
export const TEXT_LENGTH_MAX = 4_000;

/** A message that is nothing but text. It mentions nobody, whatever it says, and is cut before Discord would refuse it. */
export function renderText(content: string): MessagePayload {
  return {
    flags: MessageFlags.IsComponentsV2,
    allowed_mentions: { parse: [] },
    components: [{ type: ComponentType.TextDisplay, content: truncate(content, TEXT_LENGTH_MAX) }],
    attachments: [],
  };
}

/** The same message with something more under it. */
export function withBelow(message: MessagePayload, ...below: readonly APIMessageTopLevelComponent[]): MessagePayload {
  return { ...message, components: [...message.components, ...below] };
}

/** A picture under a text, and what it shows in words. */
export type ShownPicture = { readonly name: string; readonly altText: string; readonly isSpoiler?: boolean };

/** A text with files under it, each to be downloaded by itself; a picture comes first, and so in the uploads. */
export function renderTextWithFiles(
  content: string,
  fileNames: readonly string[],
  picture?: ShownPicture,
): MessagePayload {
  const altText = truncate(picture?.altText ?? '', ALT_TEXT_LENGTH_MAX);
  const gallery = picture ? [renderGallery([picture.name], altText, picture.isSpoiler)] : [];
  const files = fileNames.map((name) => ({ type: ComponentType.File as const, file: { url: `attachment://${name}` } }));
  const attachments = [
    ...(picture ? [{ filename: picture.name, description: altText }] : []),
    ...fileNames.map((filename) => ({ filename })),
  ];
  return {
    ...withBelow(renderText(content), ...gallery, ...files),
    attachments: attachments.map((attachment, index) => ({ id: String(index), ...attachment })),
  };
}

/** A button and what is written on it. */
export type LabelledButton = { readonly verb: string; readonly label: string; readonly isPrimary?: boolean };

/** A row of buttons that are all about one job. */
export function renderButtons(
  jobId: string,
  buttons: readonly LabelledButton[],
): APIActionRowComponent<APIButtonComponentWithCustomId> {
  return {
    type: ComponentType.ActionRow,
    components: buttons.map(({ verb, label, isPrimary = false }) => ({
      type: ComponentType.Button,
      style: isPrimary ? ButtonStyle.Primary : ButtonStyle.Secondary,
      label,
      custom_id: writeCustomId({ verb, id: jobId }),
    })),
  };
}

/** Pictures side by side, each described by the same words. */
export function renderGallery(names: readonly string[], altText: string, isSpoiler = false): APIMediaGalleryComponent {
  return {
    type: ComponentType.MediaGallery,
    items: names.map((name) => ({
      media: { url: `attachment://${name}` },
      description: altText,
      ...(isSpoiler ? { spoiler: true } : {}),
    })),
  };
}
