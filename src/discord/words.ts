import { IntlMessageFormat } from 'intl-messageformat';
import german from './words/de.json' with { type: 'json' };
import english from './words/en.json' with { type: 'json' };
import spanish from './words/es.json' with { type: 'json' };
import french from './words/fr.json' with { type: 'json' };
import japanese from './words/ja.json' with { type: 'json' };
import portuguese from './words/pt.json' with { type: 'json' };

/** A text in the catalogues of `words/`, in the message format of ICU. */
export type MessageKey = keyof typeof english;

/** What a text is filled in with. Text from outside has to be escaped before. */
export type MessageValues = Readonly<Record<string, string | number>>;

/** Everything that is said, in one language. */
export type Words = {
  /** The language as Discord and `Intl` name it. */
  readonly locale: string;
  say(key: MessageKey, values?: MessageValues): string;
};

/** Texts by their key. English has all of them; what a translation lacks is said in English. */
export type Catalogue = Readonly<Partial<Record<MessageKey, string>>>;

/** The catalogues by the languages for which they are, as Discord names them. Numbers follow the language, not the catalogue. */
export const CATALOGUES: ReadonlyMap<string, Catalogue> = new Map([
  ['en-US', english],
  ['en-GB', english],
  ['de', german],
  ['es-ES', spanish],
  ['es-419', spanish],
  ['fr', french],
  ['ja', japanese],
  ['pt-BR', portuguese],
]);

const ENGLISH = createWords('en-US', english);
const WORDS: ReadonlyMap<string, Words> = new Map(
  [...CATALOGUES].map(([locale, catalogue]) => [locale, createWords(locale, catalogue)]),
);

/** The words of a language, or English ones where there is no catalogue of it. */
export function wordsFor(locale: string): Words {
  return WORDS.get(locale) ?? ENGLISH;
}

/** A text is parsed when it is said for the first time. */
function createWords(locale: string, catalogue: Catalogue): Words {
  const messages = new Map<MessageKey, IntlMessageFormat>();

  function messageOf(key: MessageKey): IntlMessageFormat {
    const known = messages.get(key);
    if (known) return known;
    const text = catalogue[key];
    const spoken = text === undefined ? 'en-US' : locale;
    const message = new IntlMessageFormat(text ?? english[key], spoken, undefined, { ignoreTag: true });
    messages.set(key, message);
    return message;
  }

  return { locale, say: (key, values) => String(messageOf(key).format(values)) };
}
