import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { PaintOrder } from '../discord/paint-desk.ts';
import type { MessageKey, Words } from '../discord/words.ts';
import type { Icon } from './painter-icons.ts';
import { renderIcon } from './painter-icons.ts';

/** Where the files of the page are, seen from the page, which may stand below any prefix: beside its token. */
const FILES = './files';
const AREAS = ['left', 'right', 'top', 'bottom', 'centre'] as const;

/** The page on which a mask is painted. */
export function renderPainter({ words, prompt, until }: PaintOrder, token: string) {
  const say = (key: MessageKey): string => words.say(key);
  return html`<!doctype html>
    <html lang="${words.locale}">
      <head>
        ${renderHead(say('painter.title'))}
        <script type="application/json" id="words">
          ${raw(JSON.stringify(changingWords(words)).replaceAll('<', '\\u003c'))}
        </script>
        <script type="module" src="${FILES}/page.ts"></script>
      </head>
      <body>
        <header>
          <h1>${say('painter.title')}</h1>
          <p class="quiet">
            ${say('painter.help')} <time id="ends" datetime="${new Date(until).toISOString()}"></time>
          </p>
          <p class="prompt" title="${prompt}">${prompt}</p>
        </header>
        ${renderTools(words)}
        <div class="stage">
          <fieldset class="group zoom" disabled>
            ${renderButton('farther', 'painter.farther', words)} ${renderButton('closer', 'painter.closer', words)}
            ${renderButton('fit', 'painter.fit', words)}
          </fieldset>
          <div
            id="viewport"
            tabindex="0"
            role="application"
            aria-busy="true"
            aria-label="${say('painter.canvas')}"
            aria-describedby="keys"
          >
            <div id="sheet">
              <img id="picture" src="./${token}/picture" alt="${say('painter.picture')}" />
              <canvas id="overlay" aria-hidden="true"></canvas>
            </div>
            <div id="ring" hidden></div>
          </div>
        </div>
        <footer>
          <p>
            <span id="share" aria-live="polite"></span> <span id="status" role="status">${say('painter.loading')}</span>
          </p>
          <p class="hidden" id="keys">${say('painter.keys')}</p>
          <p class="hidden" id="brush-place" aria-live="polite"></p>
          <fieldset disabled>
            <button type="button" class="primary" id="done">${say('painter.done')}</button>
          </fieldset>
        </footer>
      </body>
    </html>`;
}

function renderTools(words: Words) {
  const say = (key: MessageKey): string => words.say(key);
  const button = (id: Icon, key: MessageKey) => renderButton(id, key, words);
  const wordy = (id: Icon, key: MessageKey) =>
    renderButton(id, key, words, html`<span class="word">${say(key)}</span>`);
  return html`<fieldset class="tools" disabled>
    <legend class="hidden">${say('painter.tools')}</legend>
    <div class="group">
      ${wordy('brush', 'painter.brush')} ${wordy('eraser', 'painter.eraser')} ${wordy('hand', 'painter.hand')}
    </div>
    <label>${say('painter.size')} <input type="range" id="size" min="0" max="100" step="any" value="50" /></label>
    <div class="group">${button('undo', 'painter.undo')} ${button('redo', 'painter.redo')}</div>
    <div class="group">${wordy('invert', 'painter.invert')} ${wordy('clear', 'painter.clear')}</div>
    <details id="areas">
      <summary title="${say('painter.areas')}" aria-label="${say('painter.areas')}">
        ${renderIcon('areas')}<span class="word">${say('painter.areas')}</span>
      </summary>
      <div class="menu">
        ${AREAS.map((area) => html`<button type="button" id="mark-${area}">${say(`modal.part.${area}`)}</button>`)}
      </div>
    </details>
  </fieldset>`;
}

/** The name of a button is heard everywhere; it stands beside the icon where it is given and there is room for it. */
function renderButton(
  id: Icon,
  key: MessageKey,
  words: Words,
  name: HtmlEscapedString | Promise<HtmlEscapedString> | '' = '',
) {
  const label = words.say(key);
  return html`<button type="button" id="${id}" title="${label}" aria-label="${label}">
    ${renderIcon(id)}${name}
  </button>`;
}

/** A page that says one thing. By its mark the painter tells it from what others answer in this server's place. */
export function renderPaintWords(words: Words, what: 'sent' | 'over' | 'forged' | 'failed' | 'no-mask') {
  return html`<!doctype html>
    <html lang="${words.locale}">
      <head>
        ${renderHead(words.say(`painter.${what}.title`))}
      </head>
      <body class="words" data-says="${what}">
        <main>
          <h1 tabindex="-1">${words.say(`painter.${what}.title`)}</h1>
          <p>${words.say(`painter.${what}.text`)}</p>
        </main>
      </body>
    </html>`;
}

function renderHead(title: string) {
  return html`<meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex" />
    <title>${title}</title>
    <link rel="icon" type="image/svg+xml" href="${FILES}/icon.svg" />
    <link rel="stylesheet" href="${FILES}/painter.css" />`;
}

/** What the page says itself, with the numbers that it fills in left as they are named. */
function changingWords(words: Words) {
  const template = (key: MessageKey, names: readonly string[]): string =>
    words.say(key, Object.fromEntries(names.map((name) => [name, `{${name}}`])));
  return {
    marked: template('painter.marked', ['percent']),
    brushAt: template('painter.brush-at', ['left', 'top']),
    nothing: words.say('painter.nothing'),
    everything: words.say('painter.everything'),
    sending: words.say('painter.sending'),
    failed: words.say('painter.failed'),
    ends: template('painter.ends', ['time']),
    noPicture: words.say('painter.no-picture'),
  };
}
