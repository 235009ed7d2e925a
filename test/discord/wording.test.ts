import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { wordsFor } from '../../src/discord/words.ts';
import {
  escapeCode,
  escapeText,
  formatCodes,
  formatDuration,
  formatList,
  formatMonth,
  formatPercent,
  formatSize,
  join,
  relativeTime,
  truncate,
} from '../../src/discord/wording.ts';

const english = wordsFor('en-US');
const german = wordsFor('de');
const japanese = wordsFor('ja');
const texts = fc.string({ unit: 'binary', maxLength: 40 });

describe('escapeText', () => {
  it('shows formatting as the characters that it is made of', () => {
    assert.equal(escapeText('**bold** _it_ ~~no~~ `code`'), '\\*\\*bold\\*\\* \\_it\\_ \\~\\~no\\~\\~ \\`code\\`');
    assert.equal(escapeText('# heading'), '\\# heading');
    assert.equal(escapeText('- item'), '\\- item');
    assert.equal(escapeText('[a bank](https://example.com)'), '\\[a bank](https://example.com)');
  });

  it('lets nothing be a link with a false face, on whichever line and behind whatever it stands', () => {
    for (const text of ['[x] [Free Nitro](https://evil.example)', '[Free\n Nitro](https://evil.example)', '\\[a](b)']) {
      assert.doesNotMatch(escapeText(text), /(?<!\\)(?:\\\\)*\[/, text);
    }
    const brackets = fc.string({ unit: fc.constantFrom('[', ']', '(', ')', '\\', 'a', '\n', '*'), maxLength: 40 });
    fc.assert(fc.property(brackets, (text) => assert.doesNotMatch(escapeText(text), /(?<!\\)(?:\\\\)*\[/)));
  });

  it('is through with the longest text at once, whatever that is made of', () => {
    const lengthMax = 6_000;
    const hostile = ['['.repeat(3_000) + ']('.repeat(1_500), '[', '_', '*', '`', '\n', '> ', '- ', 'a*', '\\'];
    for (const part of hostile) {
      const text = part.repeat(Math.ceil(lengthMax / part.length)).slice(0, lengthMax);
      const startedAt = performance.now();
      escapeText(text);
      const elapsedMs = performance.now() - startedAt;
      // By the library's rule for links it was twelve seconds.
      assert.ok(elapsedMs < 1_000, `${JSON.stringify(part.slice(0, 4))}: ${elapsedMs} ms`);
    }
  });

  it('lets nothing be a mention, a channel, a timestamp or a command', () => {
    const marks = texts.chain((before) =>
      fc.constantFrom('@everyone', '<@1>', '<#1>', '<t:0:R>', '</imagine:1>').map((mark) => before + mark),
    );
    fc.assert(fc.property(marks, (text) => assert.doesNotMatch(escapeText(text), /[<@](?!\u200B)/)));
  });

  it('leaves plain words as they are', () => {
    assert.equal(escapeText("a cat's hat, 狐 & 🦊"), "a cat's hat, 狐 & 🦊");
  });
});

describe('escapeCode', () => {
  it('leaves all as it is but what would end the code, or be a mention', () => {
    assert.equal(escapeCode('flux_schnell_v1 *2'), 'flux_schnell_v1 *2');
    assert.equal(escapeCode('a`b\nc'), "a'b c");
    assert.equal(escapeCode('<@1>'), '<\u200B@\u200B1>');
  });
});

describe('truncate', () => {
  it('leaves alone what fits, and marks what it cuts', () => {
    assert.equal(truncate('fox', 3), 'fox');
    assert.equal(truncate('foxes', 3), 'fo…');
  });

  it('never exceeds the length, and never splits a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.integer({ min: 1, max: 30 }), (text, length) => {
        const cut = truncate(text, length);
        assert.ok(cut.length <= length);
        assert.ok(cut.isWellFormed());
        assert.ok(text.startsWith(cut.replace(/…$/, '')));
      }),
    );
  });

  it('cuts before an emoji, an accent or a flag that is made of several characters', () => {
    assert.equal(truncate('ab👩‍👩‍👧cd', 6), 'ab…');
    assert.equal(truncate('ab👩‍👩‍👧cd', 11), 'ab👩‍👩‍👧…');
    assert.equal(truncate('ae\u0301bc', 3), 'a…');
    assert.equal(truncate('a🇸🇪bc', 4), 'a…');
  });
});

describe('numbers as people read them', () => {
  it('durations are rounded up, in seconds up to two minutes', () => {
    const durations = [0, 1, 1_000, 1_001, 59_000, 119_000, 119_001, 121_000, 600_000].map((durationMs) =>
      formatDuration(durationMs, english),
    );
    assert.deepEqual(durations, [
      '1 second',
      '1 second',
      '1 second',
      '2 seconds',
      '59 seconds',
      '119 seconds',
      '2 minutes',
      '3 minutes',
      '10 minutes',
    ]);
  });

  it('sizes are in MiB, whole where they are whole', () => {
    assert.equal(formatSize(10 * 1024 * 1024, english), '10 MiB');
    assert.equal(formatSize(10 * 1024 * 1024 + 600_000, english), '10.6 MiB');
    assert.equal(formatSize(10 * 1024 * 1024 + 600_000, german), '10,6 MiB');
  });

  it('moments are shown by Discord, and never before they come', () => {
    assert.equal(relativeTime(1_700_000_000_000), '<t:1700000000:R>');
    assert.equal(relativeTime(1_700_000_000_001), '<t:1700000001:R>');
  });

  it('shares are in whole percent, and the smallest is not nothing', () => {
    const shares = [0, 0.001, 0.01, 0.256, 1].map((share) => formatPercent(share, english));
    assert.deepEqual(shares, ['0%', 'less than 1%', '1%', '26%', '100%']);
    assert.equal(formatPercent(0.256, german), '26\u00A0%');
  });

  it('months have their names', () => {
    assert.equal(formatMonth('202611', english), 'November 2026');
    assert.equal(formatMonth('202603', german), 'März 2026');
    assert.equal(formatMonth('202601', japanese), '2026年1月');
  });

  it('lists have an "and", and names in them are shown as they are written', () => {
    const lists = [['a'], ['a', 'b'], ['a', 'b', 'c']].map((items) => formatList(items, english));
    assert.deepEqual(lists, ['a', 'a and b', 'a, b, and c']);
    assert.equal(formatList(['a', 'b', 'c'], german), 'a, b und c');
    assert.equal(formatCodes(['gpt-image-2', '<@1>'], english), '`gpt-image-2` and `<\u200B@\u200B1>`');
  });

  it('sentences have a space between them where the language has one', () => {
    assert.equal(join('One.', 'Two.', english), 'One. Two.');
    assert.equal(join('一。', '二。', japanese), '一。二。');
  });
});
