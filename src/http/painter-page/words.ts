import { element } from './elements.ts';

/** The words of the page that change, in the member's language; `{…}` stands for what they are filled in with. */
type PageWords = Readonly<
  Record<'marked' | 'brushAt' | 'nothing' | 'everything' | 'sending' | 'failed' | 'noPicture' | 'ends', string>
>;

export const words: PageWords = JSON.parse(element('words').textContent);

export function fill(text: string, values: Readonly<Record<string, number | string>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}
