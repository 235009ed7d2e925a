import type { AnyComponent } from './component-schema.ts';
import { BUTTON_STYLE, COMPONENT } from './component-schema.ts';
import { findReferencedAttachment } from './component-tree.ts';
import type { EmulatedAttachment, EmulatedMessage } from './message.ts';
import { hasFlag, usesComponentsV2 } from './message.ts';
import type { Embed } from './message-schema.ts';
import { MESSAGE_FLAG } from './message-schema.ts';

/** Marks the inside of a container or an embed. */
const BAR = '│ ';
const RULE = '─'.repeat(24);

/** A message as a member would read it, for a terminal; several lines, without a line break at the end. */
export function renderMessage(message: EmulatedMessage): string {
  const lines: string[] = [];
  if (message.deletedAtMs !== undefined) lines.push('(deleted)');
  if (hasFlag(message.flags, MESSAGE_FLAG.ephemeral)) lines.push('(only visible to you)');
  if (message.isLoading) lines.push('… thinking');
  if (message.content !== '') lines.push(message.content);
  lines.push(...message.embeds.flatMap((embed) => indent(renderEmbed(message, embed))));
  const renderComponent = createComponentRenderer(message);
  if (usesComponentsV2(message)) {
    lines.push(...message.components.flatMap(renderComponent));
  } else {
    // Without Components V2, the pictures stand above the buttons.
    lines.push(...message.attachments.map((attachment) => renderFile(attachment)));
    lines.push(...message.components.flatMap(renderComponent));
  }
  return lines.map(makePrintable).join('\n');
}

function createComponentRenderer(message: EmulatedMessage): (component: AnyComponent) => string[] {
  const showMedia = (
    url: string,
    {
      description,
      spoiler,
    }: { readonly description?: string | null | undefined; readonly spoiler?: boolean | null | undefined } = {},
  ): string => {
    const attachment = findReferencedAttachment(url, message.attachments);
    const shown = attachment === undefined ? `[${url}]` : renderFile(attachment, description ?? undefined);
    return spoiler === true ? `(covered) ${shown}` : shown;
  };
  const render = (component: AnyComponent): string[] => {
    switch (component.type) {
      case COMPONENT.textDisplay:
        return component.content.split('\n');
      case COMPONENT.actionRow:
        return [component.components.flatMap(render).join(' ')];
      case COMPONENT.button: {
        const face = [component.emoji?.name, component.label].filter((part) => (part ?? '') !== '').join(' ');
        const target = component.style === BUTTON_STYLE.link ? ` → ${component.url ?? ''}` : '';
        return [component.disabled === true ? `(${face})` : `[${face}${target}]`];
      }
      case COMPONENT.section:
        return [...component.components.flatMap(render), ...render(component.accessory)];
      case COMPONENT.mediaGallery:
        return component.items.map((item) => showMedia(item.media.url, item));
      case COMPONENT.thumbnail:
        return [showMedia(component.media.url, component)];
      case COMPONENT.file:
        return [showMedia(component.file.url, component)];
      case COMPONENT.separator:
        return [component.divider === false ? '' : RULE];
      case COMPONENT.container:
        return indent(component.components.flatMap(render));
      case COMPONENT.stringSelect:
        return [`[${component.placeholder ?? 'Choose'} ▾ ${component.options.map(({ label }) => label).join(' | ')}]`];
      default:
        return [`[${component.placeholder ?? 'Choose'} ▾]`];
    }
  };
  return render;
}

function renderEmbed(message: EmulatedMessage, embed: Embed): string[] {
  const image = embed.image?.url;
  const attachment = image === undefined ? undefined : findReferencedAttachment(image, message.attachments);
  return [
    embed.author?.name,
    embed.title,
    ...(embed.description ?? '').split('\n'),
    ...(embed.fields ?? []).map((field) => `${field.name}: ${field.value}`),
    attachment === undefined ? image && `[${image}]` : renderFile(attachment),
    embed.footer?.text,
  ].flatMap((line) => ((line ?? '') === '' ? [] : [String(line)]));
}

function renderFile(attachment: EmulatedAttachment, description = attachment.description): string {
  const dimensions = attachment.width === undefined ? '' : `, ${attachment.width}×${attachment.height ?? '?'}`;
  const alternative = description === undefined ? '' : ` “${description.replaceAll('\n', ' ')}”`;
  return `[${attachment.filename}${dimensions}, ${renderSize(attachment.sizeBytes)}]${alternative}`;
}

function renderSize(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} B`;
  if (sizeBytes < 1024 * 1024) return `${(sizeBytes / 1024).toFixed(1)} KiB`;
  return `${(sizeBytes / (1024 * 1024)).toFixed(1)} MiB`;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => BAR + line);
}

/** Terminals obey control characters, and a prompt may contain some; line breaks and tabs stay. */
function makePrintable(line: string): string {
  return line.replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD');
}
