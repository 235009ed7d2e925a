import { escapeMarkdown } from 'discord.js';
import type { Period } from '../billing/period.ts';
import { startOfPeriod } from '../billing/period.ts';
import type { Words } from './words.ts';

/** Text from outside as the text it is: no mention, no formatting, no link with a false face. */
export function escapeText(text: string): string {
  const escaped = escapeMarkdown(text, { heading: true, bulletedList: true, numberedList: true });
  return (
    escaped
      // The library's own way with links takes seconds for a text of brackets, and misses the second link of a line.
      .replaceAll('[', '\\[')
      // It leaves small print and quotes alone, with which a text could pass for somebody else's words.
      .replace(/^([^\S\n]*)(-#|>)/gm, '$1\\$2')
      .replace(...breakingMentions)
  );
}

/** Text from outside between backticks, where nothing is formatted, and backslashes would be seen. */
export function escapeCode(text: string): string {
  return text
    .replaceAll('`', "'")
    .replace(/\s+/g, ' ')
    .replace(...breakingMentions);
}

/** An unseen character within whatever could be a mention, so that none depends on where the text comes to stand. */
const breakingMentions = [/[<@]/g, (character: string) => `${character}\u200B`] as const;

/** `a`, `a and b`, `a, b, and c`. */
export function formatList(items: readonly string[], { locale }: Words): string {
  return new Intl.ListFormat(locale, { type: 'conjunction', style: 'long' }).format(items);
}

/** The same of names that are to be read letter by letter, such as those of models. */
export function formatCodes(names: readonly string[], words: Words): string {
  return formatList(
    names.map((name) => `\`${escapeCode(name)}\``),
    words,
  );
}

/** Two sentences, one after the other, with a space between them where the language has one. */
export function join(first: string, second: string, words: Words): string {
  return words.say('wording.joined', { first, second });
}

/** A short span of time in words, rounded up: nobody minds being told a second too many. */
export function formatDuration(durationMs: number, { locale }: Words): string {
  const seconds = Math.max(1, Math.ceil(durationMs / 1_000));
  const inUnit = (unit: 'second' | 'minute', count: number): string =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
  return seconds < 120 ? inUnit('second', seconds) : inUnit('minute', Math.ceil(seconds / 60));
}

/** A number of bytes in MiB, as Discord shows it. */
export function formatSize(sizeBytes: number, words: Words): string {
  return words.say('wording.size', { mebibytes: sizeBytes / 1024 / 1024 });
}

/** A share between 0 and 1 in whole percent, where the smallest is not nothing. */
export function formatPercent(share: number, words: Words): string {
  return share > 0 && share < 0.01 ? words.say('wording.percent-small') : words.say('wording.percent', { share });
}

/** The month by its name: `November 2026`. */
export function formatMonth(period: Period, { locale }: Words): string {
  const format = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' });
  return format.format(startOfPeriod(period));
}

/** A moment that Discord shows relative to now, in each reader's own language. */
export function relativeTime(at: number): string {
  return `<t:${Math.ceil(at / 1_000)}:R>`;
}

/** Cuts a text at a number of UTF-16 units without splitting what is read as one character, such as a joined emoji. */
export function truncate(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text);
  return `${text.slice(0, characters.containing(lengthMax - 1)?.index)}…`;
}
