import type { AttachmentView, MessageView } from '../view.ts';
import { makeAvatar } from './avatar.ts';
import type { Child } from './dom.ts';
import { icon, make } from './dom.ts';
import { renderEmbeds } from './embeds.ts';
import { renderMarkdown } from './markdown.ts';
import { isPicture, makeFileCard, makeGallery } from './media.ts';
import { renderComponents } from './message-components.ts';
import { createNames } from './names.ts';
import type { Page } from './page-actions.ts';
import { makeMessageTime } from './times.ts';

/** After this time nobody can fill in a "thinking" any more, and Discord says so. */
const TOKEN_LIFETIME_MS = 15 * 60_000;

/** A message as it stands in the channel. `dismiss` takes a private one out of this person's sight. */
export function renderMessage(page: Page, message: MessageView, dismiss: () => void): HTMLElement {
  const headId = `author-${message.id}`;
  const more = make(
    'button',
    {
      type: 'button',
      class: 'icon-button',
      'aria-label': 'More: apps and actions',
      'aria-haspopup': 'menu',
      on: { click: () => page.openMenu(more, message.id) },
    },
    icon('more'),
  );
  const element = make(
    'article',
    {
      class: 'message',
      tabindex: '-1',
      'data-message-id': message.id,
      'aria-labelledby': headId,
      'aria-busy': message.isLoading ? 'true' : null,
    },
    renderReference(message),
    makeAvatar(message.author),
    make(
      'div',
      { class: 'message-body' },
      make(
        'header',
        { class: 'message-head', id: headId },
        make('span', { class: 'author' }, message.author.name),
        message.author.isBot && make('span', { class: 'app-tag' }, 'APP'),
        makeMessageTime(message.createdAtMs, page.session.now()),
      ),
      ...renderContent(page, message),
      message.isEphemeral && renderPrivacy(dismiss),
    ),
    make('div', { class: 'message-tools' }, more),
  );
  element.classList.toggle('ephemeral', message.isEphemeral);
  element.classList.toggle('mentions-viewer', message.mentionsViewer);
  return element;
}

function renderReference({ usedCommand, repliesTo }: MessageView): HTMLElement | false {
  if (usedCommand !== null) {
    return make(
      'div',
      { class: 'reference' },
      make('strong', {}, usedCommand.userName),
      ' used ',
      make('span', { class: 'mention' }, usedCommand.command),
    );
  }
  if (repliesTo === null) return false;
  return make(
    'div',
    { class: 'reference' },
    icon('reply'),
    make('strong', {}, repliesTo.authorName),
    ` ${repliesTo.excerpt}`,
  );
}

function renderContent(page: Page, message: MessageView): Child[] {
  if (message.isLoading) {
    const hasEnded = page.session.now() - message.createdAtMs > TOKEN_LIFETIME_MS;
    return [
      hasEnded
        ? make('p', { class: 'thinking' }, 'The application did not respond')
        : makeThinking(message.author.name),
    ];
  }
  if (message.usesComponentsV2) return renderComponents(page, message);
  const names = createNames(page.session);
  return [
    message.content !== '' &&
      make(
        'div',
        { class: 'text-display' },
        renderMarkdown(message.content, names),
        message.editedAtMs !== null && make('span', { class: 'edited' }, '(edited)'),
      ),
    ...renderEmbeds(page, message),
    ...renderAttachments(page, message),
    ...renderComponents(page, message),
  ];
}

function renderAttachments(page: Page, { attachments, embeds }: MessageView): Child[] {
  const isEmbedded = ({ filename }: AttachmentView): boolean =>
    embeds.some(({ image }) => image?.url === `attachment://${filename}`);
  const own = attachments.filter((attachment) => !isEmbedded(attachment));
  const pictures = own.filter(isPicture).map((attachment) => ({
    attachment,
    url: attachment.url,
    description: attachment.description ?? '',
    isSpoiler: attachment.filename.startsWith('SPOILER_'),
  }));
  const files = own.filter((attachment) => !isPicture(attachment));
  return [pictures.length > 0 && makeGallery(page, pictures), ...files.map(makeFileCard)];
}

function makeThinking(name: string): HTMLElement {
  const dots = make(
    'span',
    { class: 'thinking-dots', 'aria-hidden': 'true' },
    ...Array.from({ length: 3 }, () => make('i')),
  );
  return make('p', { class: 'thinking' }, dots, `${name} is thinking…`);
}

function renderPrivacy(dismiss: () => void): HTMLElement {
  return make(
    'p',
    { class: 'privacy' },
    icon('eye'),
    'Only you can see this · ',
    make('button', { type: 'button', class: 'link-button', on: { click: dismiss } }, 'Dismiss message'),
  );
}
