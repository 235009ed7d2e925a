import type { Child } from './dom.ts';
import { make } from './dom.ts';
import type { Names } from './names.ts';
import { makeTime } from './times.ts';

/** One kind of thing inside a line: how it looks in the text, and what it becomes. */
type Rule = {
  readonly pattern: RegExp;
  make(match: RegExpExecArray, names: Names): Child;
};

const MS_PER_SECOND = 1_000;

const wrap = (tag: 'strong' | 'em' | 'u' | 's', pattern: RegExp): Rule => ({
  pattern,
  make: ([, text = ''], names) => make(tag, {}, ...renderInline(text, names)),
});

/** The first that fits at a place wins, so the longer marks stand before the shorter. */
const RULES: readonly Rule[] = [
  { pattern: /^\\([^\w\s])/, make: ([, character]) => character },
  { pattern: /^``(.+?)``(?!`)/s, make: ([, text = '']) => make('code', {}, text.trim()) },
  { pattern: /^`([^`]+)`/, make: ([, text = '']) => make('code', {}, text) },
  wrap('strong', /^\*\*(.+?)\*\*(?!\*)/s),
  wrap('u', /^__(.+?)__(?!_)/s),
  wrap('s', /^~~(.+?)~~/s),
  wrap('em', /^\*(?!\s)(.+?)(?<![\s*])\*(?!\*)/s),
  wrap('em', /^_(?!\s)(.+?)(?<!\s)_(?!\w)/s),
  { pattern: /^\|\|(.+?)\|\|/s, make: ([, text = ''], names) => makeSpoiler(renderInline(text, names)) },
  { pattern: /^\[([^\]]+)\]\(<?(https?:\/\/[^\s)>]+)>?\)/, make: ([, text = '', url = '']) => makeLink(url, text) },
  {
    pattern: /^<?https:\/\/discord\.com\/channels\/(?:\d+|@me)\/(\d+)\/(\d+)>?/,
    make: ([, channel = '', message = ''], names) => makeMessageLink(channel, message, names),
  },
  { pattern: /^<(https?:\/\/[^\s>]+)>/, make: ([, url = '']) => makeLink(url, url) },
  { pattern: /^https?:\/\/[^\s<>)\]]+[^\s<>)\].,;:!?'"]/, make: ([url]) => makeLink(url, url) },
  {
    pattern: /^<@!?(\d+)>/,
    make: ([, id = ''], names) => makeMention(`@${names.user(id) ?? 'unknown-user'}`),
  },
  { pattern: /^<@&(\d+)>/, make: ([, id = ''], names) => makeMention(`@${names.role(id) ?? 'unknown-role'}`) },
  { pattern: /^<#(\d+)>/, make: ([, id = ''], names) => makeMention(`#${names.channel(id) ?? 'unknown'}`) },
  { pattern: /^<\/([-\w ]+):\d+>/, make: ([, name = '']) => makeMention(`/${name}`) },
  { pattern: /^@(everyone|here)\b/, make: ([text]) => makeMention(text) },
  {
    pattern: /^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/,
    make: ([, seconds, style = 'f'], names) => makeTime(Number(seconds) * MS_PER_SECOND, style, names.now()),
  },
  { pattern: /^<a?:(\w+):\d+>/, make: ([, name = '']) => `:${name}:` },
];

/** Where something other than plain text may begin. */
const NEXT_MARK = /[\\`*_~|[<@]|https?:/;

/** Discord's marks inside a line, as elements. */
export function renderInline(text: string, names: Names): Child[] {
  const children: Child[] = [];
  let rest = text;
  let plain = '';
  const flush = (): void => {
    if (plain !== '') children.push(plain);
    plain = '';
  };
  while (rest !== '') {
    // A mark inside a word, as in snake_case, is none.
    const isInWord = /\w$/.test(plain) && rest.startsWith('_');
    const rule = isInWord ? undefined : RULES.find(({ pattern }) => pattern.test(rest));
    const match = rule?.pattern.exec(rest);
    if (rule && match) {
      flush();
      children.push(rule.make(match, names));
      rest = rest.slice(match[0].length);
      continue;
    }
    const next = rest.slice(1).search(NEXT_MARK);
    const length = next === -1 ? rest.length : next + 1;
    plain += rest.slice(0, length);
    rest = rest.slice(length);
  }
  flush();
  return children;
}

function makeLink(url: string, text: string): HTMLElement {
  return make('a', { href: url, target: '_blank', rel: 'noopener noreferrer nofollow' }, text);
}

/** A link to a message leads to it here: Discord itself has never heard of it. */
function makeMessageLink(channel: string, message: string, names: Names): HTMLElement {
  const place = names.channel(channel);
  const label = place === undefined ? 'a message' : `#${place} › message`;
  return make('a', { class: 'mention', href: `#message-${message}`, 'data-message-link': message }, label);
}

function makeMention(text: string): HTMLElement {
  return make('span', { class: 'mention' }, text);
}

/** Text that shows only once it is asked for. */
function makeSpoiler(children: readonly Child[]): HTMLElement {
  const text = make('span', { hidden: true }, ...children);
  const cover = make(
    'button',
    { type: 'button', class: 'spoiler-text', 'aria-expanded': 'false', on: { click: () => reveal() } },
    'Spoiler',
  );
  const reveal = (): void => {
    text.hidden = false;
    cover.remove();
  };
  return make('span', { class: 'spoiler' }, cover, text);
}
