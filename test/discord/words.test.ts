import { IntlMessageFormat } from 'intl-messageformat';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMAND_CATALOGUES } from '../../src/discord/command-words.ts';
import type { Catalogue, MessageKey, MessageValues } from '../../src/discord/words.ts';
import { CATALOGUES, wordsFor } from '../../src/discord/words.ts';
import english from '../../src/discord/words/en.json' with { type: 'json' };

type Element = ReturnType<IntlMessageFormat['getAst']>[number];

/** What an argument is used as: shown as it is, counted, or chosen by, with everything that can be chosen. */
type Argument =
  | { readonly use: 'shown' }
  | { readonly use: 'counted' }
  | { readonly use: 'chosen-by'; readonly choices: string };

const keys = Object.keys(english).filter((key): key is MessageKey => key in english);
const translations = [...CATALOGUES].filter(([, catalogue]) => catalogue !== CATALOGUES.get('en-US'));

/** The library's own numbers for the kinds of elements, which it does not pass on. */
const ELEMENT = { literal: 0, argument: 1 };
/** None, one, two and more: what any language here tells apart, and one that every text shows as a number. */
const COUNTS = [0, 1, 2, 5];

function argumentsOf(elements: readonly Element[]): Map<string, Argument> {
  const found = new Map<string, Argument>();
  for (const element of elements) {
    if ('options' in element) {
      const choices = Object.keys(element.options).toSorted().join();
      found.set(element.value, 'pluralType' in element ? { use: 'counted' } : { use: 'chosen-by', choices });
      for (const { value } of Object.values(element.options)) {
        for (const [name, argument] of argumentsOf(value)) found.set(name, argument);
      }
    } else if ('value' in element) {
      const kind: number = element.type;
      if (kind === ELEMENT.literal) continue;
      found.set(element.value, { use: kind === ELEMENT.argument ? 'shown' : 'counted' });
    }
  }
  return found;
}

function parse(text: string, locale: string): Map<string, Argument> {
  return argumentsOf(new IntlMessageFormat(text, locale, undefined, { ignoreTag: true }).getAst());
}

function textOf(catalogue: Catalogue, key: MessageKey): string {
  return catalogue[key] ?? assert.fail(`there is no ${key}`);
}

/** Values for every way in which a text can come out: each choice with each count. */
function samplesOf(key: MessageKey): readonly MessageValues[] {
  let samples: readonly MessageValues[] = [{}];
  for (const [name, argument] of parse(english[key], 'en-US')) {
    if (argument.use === 'shown') samples = samples.map((sample) => ({ ...sample, [name]: `‹${name}›` }));
    else {
      const values = argument.use === 'counted' ? COUNTS : argument.choices.split(',');
      samples = samples.flatMap((sample) => values.map((value) => ({ ...sample, [name]: value })));
    }
  }
  return samples;
}

function matchesOf(text: string, pattern: RegExp): readonly string[] {
  return (text.match(pattern) ?? []).toSorted();
}

describe('words of every language', () => {
  it('are all there, and none besides, in the order of English', () => {
    assert.ok(translations.length > 0);
    for (const [locale, catalogue] of translations) assert.deepEqual(Object.keys(catalogue), keys, locale);
    assert.deepEqual(keys, keys.toSorted(), 'keys are sorted');
  });

  it('are filled in with what the English ones are, in the same sense', () => {
    for (const [locale, catalogue] of translations) {
      for (const key of keys) {
        const inOrder = (text: string, language: string): unknown =>
          [...parse(text, language)].toSorted(([one], [other]) => (one < other ? -1 : 1));
        assert.deepEqual(inOrder(textOf(catalogue, key), locale), inOrder(english[key], 'en-US'), `${locale}: ${key}`);
      }
    }
  });

  it('show the same values as the English ones, whatever is chosen and counted', () => {
    for (const key of keys) {
      for (const values of samplesOf(key)) {
        const original = wordsFor('en-US').say(key, values);
        for (const locale of CATALOGUES.keys()) {
          const text = wordsFor(locale).say(key, values);
          const label = `${locale}: ${key}: ${text}`;
          assert.doesNotMatch(text, /[{}]|''|^\s|\s$|undefined/, label);
          assert.ok(text.length > 0, label);
          assert.deepEqual(matchesOf(text, /‹\w+›/g), matchesOf(original, /‹\w+›/g), label);
          if (Object.values(values).includes(5) && original.includes('5')) assert.ok(text.includes('5'), label);
        }
      }
    }
  });

  it('name the same commands and look the same', () => {
    for (const [locale, catalogue] of translations) {
      for (const key of keys) {
        const text = textOf(catalogue, key);
        for (const pattern of [/\/(?:imagine|edit|usage|quota|settings)\b(?: \w+(?=`))?/g, /^(?:## |-# )/gm, /\*\*/g]) {
          assert.deepEqual(matchesOf(text, pattern), matchesOf(english[key], pattern), `${locale}: ${key}: ${text}`);
        }
      }
    }
  });

  it('name buttons and menus as they are called in the same language', () => {
    const named: readonly (readonly [text: MessageKey, label: MessageKey])[] = [
      ['paint.link', 'painter.done'],
      ['painter.failed', 'painter.done'],
      ['painter.over.text', 'painter.done'],
      ['painter.everything', 'paint.button.whole'],
      ['record.gone', 'result.button.edit'],
      ['result.note.shrunk', 'result.button.original'],
    ];
    for (const [locale, catalogue] of CATALOGUES) {
      for (const [key, label] of named) {
        assert.ok(textOf(catalogue, key).includes(textOf(catalogue, label)), `${locale}: ${key}`);
      }
      const menu = COMMAND_CATALOGUES.get(locale)?.menus['Edit image'] ?? 'Edit image';
      assert.ok(textOf(catalogue, 'edit-image.picture-gone').includes(`\`${menu}\``), locale);
    }
  });
});

/** How long Discord lets a text be where it is a label, in UTF-16 units at most. */
function lengthMaxOf(key: MessageKey): number | undefined {
  if (/button|^result\.show-anyway$/.test(key)) return 80;
  if (!key.startsWith('modal.')) return undefined;
  const isOptionOrDescription = /-hint$|^modal\.(?:part|choices|picture)\./.test(key);
  return isOptionOrDescription ? 100 : 45;
}

describe('labels of every language', () => {
  it('fit where Discord shows them', () => {
    const labels = keys.filter((key) => lengthMaxOf(key) !== undefined);
    assert.ok(labels.length > 30, 'there are labels');
    for (const locale of CATALOGUES.keys()) {
      for (const key of labels) {
        const values = { count: 10, number: 10 };
        const text = wordsFor(locale).say(key, values);
        assert.ok(text.length <= (lengthMaxOf(key) ?? 0), `${locale}: ${key}: ${text}`);
      }
    }
  });
});

function countImages(locale: string, count: number): string {
  return wordsFor(locale).say('usage.images', { count });
}

describe('wordsFor', () => {
  it('knows every language that there is, by the name that Discord gives it', () => {
    for (const locale of CATALOGUES.keys()) assert.equal(wordsFor(locale).locale, locale);
    const words = [...CATALOGUES.keys()].map((locale) => wordsFor(locale).say('charge.none'));
    assert.equal(new Set(words).size, new Set(CATALOGUES.values()).size);
  });

  it('speaks English where there is no catalogue', () => {
    for (const locale of ['', 'ko', 'xx', 'EN-us', '__proto__']) {
      assert.equal(wordsFor(locale).locale, 'en-US', locale);
      assert.equal(wordsFor(locale).say('charge.none'), english['charge.none'], locale);
    }
  });

  it('counts as the language does', () => {
    assert.deepEqual(
      [0, 1, 2, 1_000].map((count) => countImages('en-US', count)),
      ['0 images', '1 image', '2 images', '1,000 images'],
    );
    assert.deepEqual(
      [0, 1, 2, 1_000].map((count) => countImages('de', count)),
      ['0 Bilder', '1 Bild', '2 Bilder', '1.000 Bilder'],
    );
    assert.deepEqual(
      [0, 1, 2].map((count) => countImages('fr', count)),
      ['0 image', '1 image', '2 images'],
    );
    assert.deepEqual(
      [0, 1, 2].map((count) => countImages('ja', count)),
      ['0枚', '1枚', '2枚'],
    );
  });
});
