import type { Words } from '../discord/words.ts';
import { CATALOGUES, wordsFor } from '../discord/words.ts';

/** The words of a reader of whom nothing is known but the languages that their browser asks for, the best first. */
export function wordsForReader(acceptLanguage = ''): Words {
  const locales = [...CATALOGUES.keys()];
  for (const asked of acceptLanguage.slice(0, HEADER_LENGTH_MAX).split(',')) {
    const [tag = ''] = asked.trim().split(';');
    const [language] = tag.split('-');
    const locale = locales.find((one) => one === tag) ?? locales.find((one) => one.split('-')[0] === language);
    if (locale !== undefined) return wordsFor(locale);
  }
  return wordsFor('en-US');
}

const HEADER_LENGTH_MAX = 200;
