import { escapeMarkdown } from 'discord.js';

/** Text from outside as the text it is: no mention, no formatting, no link with a false face. */
export function escapeText(text: string): string {
  return escapeMarkdown(text, { heading: true, bulletedList: true, numberedList: true, maskedLink: true }).replace(
    /[<@]/g,
    (character) => `${character}\u200B`,
  );
}

/** `a`, `a and b`, `a, b, and c`. */
export function formatList(items: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction', style: 'long' }).format(items);
}

/** A short span of time in words, rounded up: nobody minds being told a second too many. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(1, Math.ceil(durationMs / 1_000));
  if (seconds < 120) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}

/** A number of bytes in MiB, as Discord shows it. */
export function formatSize(sizeBytes: number): string {
  return `${(sizeBytes / 1024 / 1024).toFixed(sizeBytes % (1024 * 1024) === 0 ? 0 : 1)} MiB`;
}

/** A moment that Discord shows relative to now, in each reader's own language. */
export function relativeTime(at: number): string {
  return `<t:${Math.ceil(at / 1_000)}:R>`;
}

export function formatTokens(count: number): string {
  return count.toLocaleString('en-US');
}

/** Cuts a text at a number of UTF-16 units without splitting a character in two. */
export function truncate(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
