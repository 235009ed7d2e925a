import type { AnyComponent, ButtonComponent, SelectComponent } from '../../discord/component-schema.ts';
import { BUTTON_STYLE, COMPONENT } from '../../discord/numbers.ts';
import type { AttachmentView, MessageView } from '../view.ts';
import type { Child } from './dom.ts';
import { icon, make } from './dom.ts';
import { renderMarkdown } from './markdown.ts';
import type { Medium } from './media.ts';
import { makeFileCard, makeGallery, makeThumbnail } from './media.ts';
import { createNames } from './names.ts';
import type { Page } from './page-actions.ts';
import { here, perform } from './page-actions.ts';
import { ask } from './requests.ts';
import { choosesEntities, createSelectMenu } from './select-menu.ts';

const BUTTON_CLASSES: Readonly<Record<number, string>> = {
  [BUTTON_STYLE.primary]: 'primary',
  [BUTTON_STYLE.secondary]: 'secondary',
  [BUTTON_STYLE.success]: 'success',
  [BUTTON_STYLE.danger]: 'danger',
  [BUTTON_STYLE.link]: 'secondary',
  [BUTTON_STYLE.premium]: 'primary',
};

/** The components of a message, as people see and use them. */
export function renderComponents(page: Page, message: MessageView): HTMLElement[] {
  return message.components.map((component) => renderComponent(page, message, component));
}

function renderComponent(page: Page, message: MessageView, component: AnyComponent): HTMLElement {
  const render = (child: AnyComponent): HTMLElement => renderComponent(page, message, child);
  switch (component.type) {
    case COMPONENT.textDisplay:
      return make('div', { class: 'text-display' }, renderMarkdown(component.content, createNames(page.session)));
    case COMPONENT.container: {
      const element = make(
        'section',
        { class: 'container', 'aria-label': 'Card' },
        ...component.components.map(render),
      );
      const { accent_color: accent } = component;
      if (typeof accent === 'number') element.style.setProperty('--accent', `#${accent.toString(16).padStart(6, '0')}`);
      element.classList.toggle('accented', typeof accent === 'number');
      return component.spoiler === true ? cover(element, 'card') : element;
    }
    case COMPONENT.section:
      return make(
        'div',
        { class: 'section' },
        make('div', { class: 'section-words' }, ...component.components.map(render)),
        make('div', { class: 'section-accessory' }, render(component.accessory)),
      );
    case COMPONENT.separator:
      return make('hr', {
        class: `separator ${component.spacing === 2 ? 'large' : ''} ${component.divider === false ? 'blank' : ''}`,
        'aria-hidden': component.divider === false ? 'true' : null,
      });
    case COMPONENT.mediaGallery:
      return makeGallery(
        page,
        component.items.map(({ media, description, spoiler }) => mediumOf(message, media.url, description, spoiler)),
      );
    case COMPONENT.thumbnail:
      return makeThumbnail(page, mediumOf(message, component.media.url, component.description, component.spoiler));
    case COMPONENT.file: {
      const attachment = findAttachment(message, component.file.url);
      const card = attachment ? makeFileCard(attachment) : make('p', {}, component.file.url);
      return component.spoiler === true ? cover(card, 'file') : card;
    }
    case COMPONENT.actionRow:
      return make('div', { class: 'action-row' }, ...component.components.map(render));
    case COMPONENT.button:
      return renderButton(page, message, component);
    default:
      return renderSelect(page, message, component);
  }
}

function renderButton(page: Page, message: MessageView, component: ButtonComponent): HTMLElement {
  const { style, label, emoji, url, custom_id: customId } = component;
  const face: Child[] = [
    (emoji?.name ?? '') !== '' && make('span', { class: 'button-emoji', 'aria-hidden': 'true' }, emoji?.name),
    (label ?? '') === '' ? make('span', { class: 'visually-hidden' }, emoji?.name ?? 'Button') : label,
  ];
  const className = `button ${BUTTON_CLASSES[style] ?? 'secondary'}`;
  if (style === BUTTON_STYLE.link && component.disabled !== true) {
    const attributes = { class: className, href: url, target: '_blank', rel: 'noopener noreferrer nofollow' };
    return make('a', attributes, ...face, icon('open'));
  }
  const element = make(
    'button',
    { type: 'button', class: className, disabled: component.disabled === true, 'data-custom-id': customId },
    ...face,
  );
  element.addEventListener('click', () => {
    void perform(page, element, async () =>
      page.follow(await ask('button', here<'button'>(page.session, { message: message.id, customId: customId ?? '' }))),
    );
  });
  return element;
}

function renderSelect(page: Page, message: MessageView, component: SelectComponent): HTMLElement {
  const { custom_id: customId } = component;
  const { element, field } = createSelectMenu({
    component,
    session: page.session,
    onChoose(values) {
      const chosen = choosesEntities(component) ? { entities: [...values] } : { values: [...values] };
      void perform(page, field, async () =>
        page.follow(await ask('select', here<'select'>(page.session, { message: message.id, customId, chosen }))),
      );
    },
  });
  field.dataset['customId'] = customId;
  return element;
}

const ATTACHMENT_SCHEME = 'attachment://';

/** The file that an address means: one of the message's own by its name, or by the address that the bot was given. */
function findAttachment({ attachments }: MessageView, url: string): AttachmentView | undefined {
  if (url.startsWith(ATTACHMENT_SCHEME)) {
    return attachments.find(({ filename }) => filename === url.slice(ATTACHMENT_SCHEME.length));
  }
  return attachments.find(({ id, channelId }) => url.includes(`/attachments/${channelId}/${id}/`));
}

function mediumOf(
  message: MessageView,
  url: string,
  description: string | null | undefined,
  spoiler: boolean | null | undefined,
): Medium {
  const attachment = findAttachment(message, url);
  return {
    attachment,
    url,
    description: description ?? attachment?.description ?? '',
    isSpoiler: spoiler === true || attachment?.filename.startsWith('SPOILER_') === true,
  };
}

/** Hides something until it is asked for. */
function cover(element: HTMLElement, what: string): HTMLElement {
  element.inert = true;
  const covered = make('div', { class: 'spoiler-cover' }, element);
  const button = make('button', { type: 'button', class: 'spoiler-button' }, `Spoiler: show the ${what}`);
  button.addEventListener('click', () => {
    element.inert = false;
    covered.classList.add('revealed');
    button.remove();
  });
  covered.append(button);
  return covered;
}
