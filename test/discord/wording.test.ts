import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  escapeText,
  formatDuration,
  formatList,
  formatSize,
  formatTokens,
  relativeTime,
  truncate,
} from '../../src/discord/wording.ts';

const texts = fc.string({ unit: 'binary', maxLength: 40 });

describe('escapeText', () => {
  it('shows formatting as the characters that it is made of', () => {
    assert.equal(escapeText('**bold** _it_ ~~no~~ `code`'), '\\*\\*bold\\*\\* \\_it\\_ \\~\\~no\\~\\~ \\`code\\`');
    assert.equal(escapeText('# heading'), '\\# heading');
    assert.equal(escapeText('- item'), '\\- item');
    assert.equal(escapeText('[a bank](https://example.com)'), '\\[a bank](https://example.com)');
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
});

describe('numbers as people read them', () => {
  it('durations are rounded up, in seconds up to two minutes', () => {
    const durations = [0, 1, 1_000, 1_001, 59_000, 119_000, 119_001, 121_000, 600_000].map(formatDuration);
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
    assert.equal(formatSize(10 * 1024 * 1024), '10 MiB');
    assert.equal(formatSize(10 * 1024 * 1024 + 600_000), '10.6 MiB');
  });

  it('moments are shown by Discord, and never before they come', () => {
    assert.equal(relativeTime(1_700_000_000_000), '<t:1700000000:R>');
    assert.equal(relativeTime(1_700_000_000_001), '<t:1700000001:R>');
  });

  it('tokens have commas, and lists an "and"', () => {
    assert.equal(formatTokens(1_234_567), '1,234,567');
    assert.deepEqual([['a'], ['a', 'b'], ['a', 'b', 'c']].map(formatList), ['a', 'a and b', 'a, b, and c']);
  });
});
