import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FINER_TOKENS,
  FIRST_GENERATION_TOKENS,
  maxInputTokens,
  maxOutputTokens,
  SECOND_GENERATION_TOKENS,
  UNPUBLISHED_TOKENS,
} from '../../../src/services/providers/token-rules.ts';

describe('maxOutputTokens', () => {
  it("meets the provider's check points", () => {
    const points = [
      [FIRST_GENERATION_TOKENS, 'low', 1024, 1024, 272],
      [FIRST_GENERATION_TOKENS, 'low', 1024, 1536, 408],
      [FIRST_GENERATION_TOKENS, 'low', 1536, 1024, 400],
      [FIRST_GENERATION_TOKENS, 'medium', 1024, 1024, 1056],
      [FIRST_GENERATION_TOKENS, 'medium', 1024, 1536, 1584],
      [FIRST_GENERATION_TOKENS, 'medium', 1536, 1024, 1568],
      [FIRST_GENERATION_TOKENS, 'high', 1024, 1024, 4160],
      [FIRST_GENERATION_TOKENS, 'high', 1024, 1536, 6240],
      [FIRST_GENERATION_TOKENS, 'high', 1536, 1024, 6208],
      [SECOND_GENERATION_TOKENS, 'low', 1024, 1024, 196],
      [SECOND_GENERATION_TOKENS, 'medium', 1024, 1024, 1756],
      [SECOND_GENERATION_TOKENS, 'high', 1024, 1024, 7024],
      [SECOND_GENERATION_TOKENS, 'low', 1536, 1024, 158],
      [SECOND_GENERATION_TOKENS, 'medium', 1536, 1024, 1372],
      [SECOND_GENERATION_TOKENS, 'high', 1024, 1536, 5488],
      [SECOND_GENERATION_TOKENS, 'high', 3840, 2160, 13_342],
      [FINER_TOKENS, 'max', 2048, 2048, 14_272],
      [FINER_TOKENS, 'high', 1024, 1024, 1756],
    ] as const;
    for (const [rule, quality, width, height, tokens] of points) {
      assert.equal(maxOutputTokens(rule, quality, { width, height }), tokens, `${quality} ${width}x${height}`);
    }
  });

  it("takes every quality of a model without published factors at its predecessor's dearest", () => {
    const size = { width: 1536, height: 1024 };
    const dearest = maxOutputTokens(FINER_TOKENS, 'max', size);
    for (const quality of ['low', 'medium', 'high', 'xhigh', 'max']) {
      assert.equal(maxOutputTokens(UNPUBLISHED_TOKENS, quality, size), dearest, quality);
    }
  });

  it('does not guess', () => {
    const size = { width: 1024, height: 1024 };
    assert.equal(maxOutputTokens(FIRST_GENERATION_TOKENS, 'auto', size), undefined);
    assert.equal(maxOutputTokens(SECOND_GENERATION_TOKENS, 'xhigh', size), undefined);
    assert.equal(maxOutputTokens(SECOND_GENERATION_TOKENS, 'toString', size), undefined);
  });
});

describe('maxInputTokens', () => {
  const square = { width: 1024, height: 1024 };

  it('counts every picture, long ones by their tiles', () => {
    const banner = { width: 2000, height: 100 };
    const column = { width: 100, height: 2000 };
    assert.equal(maxInputTokens(FIRST_GENERATION_TOKENS, [], false), 0);
    assert.equal(maxInputTokens(FIRST_GENERATION_TOKENS, [square], false), 1_536);
    assert.equal(maxInputTokens(FIRST_GENERATION_TOKENS, [banner], false), 65 + 129 * 21);
    assert.equal(maxInputTokens(FIRST_GENERATION_TOKENS, [column, square], false), 65 + 129 * 21 + 1_536);
    assert.equal(maxInputTokens(SECOND_GENERATION_TOKENS, [banner, square], false), 2 * 1_536);
  });

  it('adds what high fidelity costs for every picture', () => {
    const portrait = { width: 1024, height: 1536 };
    const plain = maxInputTokens(FIRST_GENERATION_TOKENS, [square, portrait], false);
    assert.equal(maxInputTokens(FIRST_GENERATION_TOKENS, [square, portrait], true), plain + 2 * 6_240);
  });
});
