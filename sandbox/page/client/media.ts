import type { AttachmentView } from '../view.ts';
import { icon, make } from './dom.ts';
import type { Page } from './page-actions.ts';
import { describeSize } from './sizes.ts';

/** A picture that a message shows. */
export type Medium = {
  /** Undefined for a picture that lies elsewhere: the page fetches nothing from others. */
  readonly attachment: AttachmentView | undefined;
  readonly url: string;
  readonly description: string;
  readonly isSpoiler: boolean;
};

const PICTURE = /^image\/(?:png|jpeg|webp|gif|avif)$/;

export function isPicture({ contentType }: AttachmentView): boolean {
  return PICTURE.test(contentType ?? '');
}

/** Pictures side by side, as many as there are. */
export function makeGallery(page: Page, media: readonly Medium[]): HTMLElement {
  return make(
    'div',
    {
      class: 'gallery',
      'data-count': Math.min(media.length, 5),
      role: 'group',
      'aria-label': describeCount(media.length),
    },
    ...media.map((medium) => makePicture(page, medium)),
  );
}

function describeCount(count: number): string {
  return count === 1 ? 'A picture' : `${count} pictures`;
}

export function makeThumbnail(page: Page, medium: Medium): HTMLElement {
  const element = makePicture(page, medium);
  element.classList.add('thumbnail');
  return element;
}

/** One picture, which opens large. Its description stands behind a mark that shows it. */
function makePicture(page: Page, medium: Medium): HTMLElement {
  const { attachment, description } = medium;
  if (attachment === undefined || !isPicture(attachment)) return makeElsewhere(medium);
  const image = make('img', {
    src: attachment.url,
    alt: description,
    width: attachment.width,
    height: attachment.height,
    loading: 'lazy',
    decoding: 'async',
  });
  const opener = make(
    'button',
    {
      type: 'button',
      class: 'picture',
      'aria-label': description === '' ? `Open ${attachment.filename}` : `Open: ${description}`,
      on: { click: () => page.openPicture(attachment.url, description) },
    },
    image,
  );
  const figure = make('figure', { class: 'medium' }, opener);
  if (attachment.width !== null && attachment.height !== null) {
    figure.style.setProperty('--ratio', String(attachment.width / attachment.height));
    figure.style.setProperty('--width', `${attachment.width}px`);
  }
  if (description !== '') figure.append(makeDescriptionMark(description));
  if (medium.isSpoiler) hide(figure, opener);
  return figure;
}

function makeDescriptionMark(description: string): HTMLElement {
  const words = make('figcaption', { class: 'alt-words', hidden: true }, description);
  const mark = make('button', { type: 'button', class: 'alt-mark', 'aria-expanded': 'false' }, 'ALT');
  mark.setAttribute('aria-label', 'Show the description');
  mark.addEventListener('click', () => {
    words.hidden = !words.hidden;
    mark.setAttribute('aria-expanded', String(!words.hidden));
  });
  return make('div', { class: 'alt' }, mark, words);
}

function hide(figure: HTMLElement, opener: HTMLElement): void {
  figure.classList.add('covered');
  opener.inert = true;
  const button = make('button', { type: 'button', class: 'spoiler-button' }, 'Spoiler: show the picture');
  button.addEventListener('click', () => {
    figure.classList.remove('covered');
    opener.inert = false;
    button.remove();
    opener.focus();
  });
  figure.append(button);
}

function makeElsewhere({ attachment, url, description }: Medium): HTMLElement {
  if (attachment !== undefined) return makeFileCard(attachment);
  const link = make('a', { href: url, target: '_blank', rel: 'noopener noreferrer nofollow' }, description || url);
  return make('figure', { class: 'medium elsewhere' }, link);
}

/** A file to save. */
export function makeFileCard({ filename, sizeBytes, url }: AttachmentView): HTMLElement {
  return make(
    'a',
    { class: 'file-card', href: url, download: filename },
    icon('file'),
    make(
      'span',
      { class: 'file-words' },
      make('span', { class: 'file-name' }, filename),
      make('span', { class: 'file-size' }, describeSize(sizeBytes)),
    ),
  );
}
