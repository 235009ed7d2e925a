import type { AnyComponent, MessageComponent } from './component-schema.ts';
import { COMPONENT } from './component-schema.ts';
import type { EmulatedAttachment, MessageContent } from './message.ts';
import { usesComponentsV2 } from './message.ts';
import type { Embed } from './message-schema.ts';

/** A component and where it stands in the message's JSON. */
export type PlacedComponent = {
  readonly component: AnyComponent;
  readonly path: readonly (string | number)[];
};

/** A picture or file that a component shows, and where. */
export type PlacedMedia = {
  readonly url: string;
  readonly path: readonly (string | number)[];
};

/** Every component of a message, nested ones included, from top to bottom. */
export function walkComponents(components: readonly MessageComponent[]): PlacedComponent[] {
  return walk(components, ['components']);
}

function walk(components: readonly AnyComponent[], path: readonly (string | number)[]): PlacedComponent[] {
  return components.flatMap((component, index) => {
    const here = [...path, index];
    const placed: PlacedComponent[] = [{ component, path: here }];
    if ('components' in component) placed.push(...walk(component.components, [...here, 'components']));
    if ('accessory' in component) placed.push({ component: component.accessory, path: [...here, 'accessory'] });
    return placed;
  });
}

/** Every address of a picture or file that the message shows, in components and in embeds. */
export function walkMedia(message: Pick<MessageContent, 'components' | 'embeds'>): PlacedMedia[] {
  return [...walkComponentMedia(message.components), ...walkEmbedMedia(message.embeds)];
}

function walkEmbedMedia(embeds: readonly Embed[]): PlacedMedia[] {
  return embeds.flatMap((embed, index) => {
    const placed: [key: string, url: string | null | undefined][] = [
      ['image', embed.image?.url],
      ['thumbnail', embed.thumbnail?.url],
      ['footer', embed.footer?.icon_url],
      ['author', embed.author?.icon_url],
    ];
    return placed.flatMap(([key, url]) => (typeof url === 'string' ? [{ url, path: ['embeds', index, key] }] : []));
  });
}

function walkComponentMedia(components: readonly MessageComponent[]): PlacedMedia[] {
  return walkComponents(components).flatMap(({ component, path }) => {
    switch (component.type) {
      case COMPONENT.mediaGallery:
        return component.items.map((item, index) => ({
          url: item.media.url,
          path: [...path, 'items', index, 'media'],
        }));
      case COMPONENT.thumbnail:
        return [{ url: component.media.url, path: [...path, 'media'] }];
      case COMPONENT.file:
        return [{ url: component.file.url, path: [...path, 'file'] }];
      default:
        return [];
    }
  });
}

const ATTACHMENT_SCHEME = 'attachment://';

/** Whether the address names a file of the message itself. */
export function namesAttachment(url: string): boolean {
  return url.startsWith(ATTACHMENT_SCHEME);
}

/** The attachment an address means: by `attachment://name`, or by the CDN address that the bot was given for it. */
export function findReferencedAttachment(
  url: string,
  attachments: readonly EmulatedAttachment[],
): EmulatedAttachment | undefined {
  if (namesAttachment(url)) {
    const filename = url.slice(ATTACHMENT_SCHEME.length);
    return attachments.find((attachment) => attachment.filename === filename);
  }
  return attachments.find((attachment) => url.includes(`/attachments/${attachment.channelId}/${attachment.id}/`));
}

/** The attachments that a component or an embed shows. */
export function findEmbeddedAttachments(message: MessageContent): ReadonlySet<EmulatedAttachment> {
  const referenced = walkMedia(message).map(({ url }) => findReferencedAttachment(url, message.attachments));
  return new Set(referenced.filter((attachment) => attachment !== undefined));
}

/** The attachments that members see; with Components V2, an upload that no component shows stays unseen. */
export function findShownAttachments(message: MessageContent): readonly EmulatedAttachment[] {
  if (!usesComponentsV2(message)) return message.attachments;
  const embedded = findEmbeddedAttachments(message);
  return message.attachments.filter((attachment) => embedded.has(attachment));
}

/** All text of a message, in reading order, one piece a line. */
export function collectText(message: MessageContent): string {
  const pieces = walkComponents(message.components).flatMap(({ component }) =>
    component.type === COMPONENT.textDisplay ? [component.content] : [],
  );
  const embeds = message.embeds.flatMap((embed) => [
    embed.title,
    embed.description,
    ...(embed.fields ?? []).flatMap((field) => [field.name, field.value]),
    embed.footer?.text,
  ]);
  return [message.content, ...embeds, ...pieces].filter((piece) => (piece ?? '') !== '').join('\n');
}
