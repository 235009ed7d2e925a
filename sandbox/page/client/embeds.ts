import type { MessageView } from '../view.ts';
import { make } from './dom.ts';
import { renderMarkdown } from './markdown.ts';
import { makeGallery } from './media.ts';
import { createNames } from './names.ts';
import type { Page } from './page-actions.ts';

/** The older way of Discord's to show a card. */
export function renderEmbeds(page: Page, message: MessageView): HTMLElement[] {
  const names = createNames(page.session);
  return message.embeds.map((embed) => {
    const image = embed.image?.url;
    const element = make(
      'section',
      { class: 'container embed', 'aria-label': embed.title ?? 'Card' },
      (embed.author?.name ?? '') !== '' && make('p', { class: 'embed-author' }, embed.author?.name),
      (embed.title ?? '') !== '' && make('h3', {}, embed.title),
      make('div', {}, renderMarkdown(embed.description ?? '', names)),
      ...(embed.fields ?? []).map((field) =>
        make(
          'div',
          { class: 'embed-field' },
          make('strong', {}, field.name),
          make('div', {}, renderMarkdown(field.value, names)),
        ),
      ),
      typeof image === 'string' &&
        makeGallery(page, [
          {
            attachment: message.attachments.find(({ filename }) => image === `attachment://${filename}`),
            url: image,
            description: '',
            isSpoiler: false,
          },
        ]),
      (embed.footer?.text ?? '') !== '' && make('small', {}, embed.footer?.text),
    );
    if (typeof embed.color === 'number') {
      element.classList.add('accented');
      element.style.setProperty('--accent', `#${embed.color.toString(16).padStart(6, '0')}`);
    }
    return element;
  });
}
