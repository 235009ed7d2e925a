import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageSize, ModelGeneration, Quality } from '../../../sandbox/provider/model-catalogue.ts';
import { costNanoUsd } from '../../../sandbox/provider/price-table.ts';
import {
  inputImageTokens,
  outputTokensPerImage,
  promptTokens,
  usageOf,
} from '../../../sandbox/provider/token-tables.ts';

const square = { width: 1024, height: 1024 };
const landscape = { width: 1536, height: 1024 };
const portrait = { width: 1024, height: 1536 };

test('output tokens meet the published check points', () => {
  const points: readonly [ModelGeneration, ImageSize, Quality, number][] = [
    ['1', square, 'low', 272],
    ['1', portrait, 'low', 408],
    ['1', landscape, 'low', 400],
    ['1-mini', square, 'medium', 1056],
    ['1-mini', portrait, 'medium', 1584],
    ['1-mini', landscape, 'medium', 1568],
    ['1.5', square, 'high', 4160],
    ['1.5', portrait, 'high', 6240],
    ['1.5', landscape, 'high', 6208],
    ['2', square, 'low', 196],
    ['2', square, 'medium', 1756],
    ['2', square, 'high', 7024],
    ['2', landscape, 'low', 158],
    ['2', landscape, 'medium', 1372],
    ['2', landscape, 'high', 5488],
    ['2', { width: 3840, height: 2160 }, 'high', 13342],
    ['2', { width: 2048, height: 2048 }, 'high', 14272],
    ['2.5', { width: 2048, height: 2048 }, 'max', 14272],
  ];
  for (const [generation, size, quality, tokens] of points) {
    assert.equal(
      outputTokensPerImage(generation, size, quality),
      tokens,
      `${generation} ${size.width}x${size.height} ${quality}`,
    );
  }
});

test('a half is rounded to the even neighbour in the size formula', () => {
  // 16 × 1008 / 3584 is 4.5 and goes to 4; 16 × 720 / 2304 is 5 and stays.
  const halfway = { width: 3584, height: 1008 };
  const exact = { width: 2304, height: 720 };
  assert.equal(outputTokensPerImage('2', halfway, 'low'), Math.ceil((16 * 4 * (2_000_000 + 3584 * 1008)) / 4_000_000));
  assert.equal(outputTokensPerImage('2', exact, 'low'), Math.ceil((16 * 5 * (2_000_000 + 2304 * 720)) / 4_000_000));
});

test('2.6 never uses more than 2.5 at its maximum, at any size or quality', () => {
  const qualities: readonly Quality[] = ['low', 'medium', 'high', 'xhigh', 'max'];
  for (let width = 512; width <= 3840; width += 112) {
    for (let height = 512; height <= 3840; height += 112) {
      const ceiling = outputTokensPerImage('2.5', { width, height }, 'max');
      for (const quality of qualities) {
        const tokens = outputTokensPerImage('2.6', { width, height }, quality);
        assert.ok(tokens <= ceiling, `${width}x${height} ${quality}: ${tokens} > ${ceiling}`);
      }
    }
  }
});

test('a quality that the generation does not have is refused', () => {
  assert.throws(() => outputTokensPerImage('2', square, 'max'), RangeError);
  assert.throws(() => outputTokensPerImage('1', square, 'xhigh'), RangeError);
});

test('input pictures of the first generations are counted in tiles, and fidelity adds to them', () => {
  assert.equal(inputImageTokens('1', square, 'low'), 65 + 129);
  assert.equal(inputImageTokens('1.5', { width: 4000, height: 1000 }, 'low'), 65 + 4 * 129);
  assert.equal(inputImageTokens('1', { width: 1025, height: 1024 }, 'low'), 65 + 2 * 129);
  assert.equal(inputImageTokens('1', square, 'high'), 65 + 129 + 4160);
  assert.equal(inputImageTokens('1', landscape, 'high'), 65 + 2 * 129 + 6240);
});

test('input pictures of later generations never use more than 1536 tokens', () => {
  assert.equal(inputImageTokens('2', { width: 64, height: 33 }, 'low'), 4);
  assert.equal(inputImageTokens('2.6', { width: 8000, height: 8000 }, 'low'), 1536);
});

test('a prompt never counts more tokens than it has bytes', () => {
  const prompts = [
    'a',
    '!?…',
    'a red fox in the snow',
    '一只红色的狐狸',
    '🦊🦊',
    'x1y2z3',
    '   ',
    'ÄÖÜ äöü',
    'a.b,c;d'.repeat(50),
  ];
  for (const prompt of prompts) {
    assert.ok(promptTokens(prompt) <= Buffer.byteLength(prompt), prompt);
  }
  assert.ok(promptTokens('a red fox in the snow') >= 6);
});

test('every image is billed as a call of its own, partial images at 100 tokens', () => {
  const one = {
    generation: '2',
    prompt: 'a fox',
    size: square,
    quality: 'low',
    inputSizes: [square],
    fidelity: 'low',
  } as const;
  const single = usageOf({ ...one, imageCount: 1, partialImageCount: 0 });
  const triple = usageOf({ ...one, imageCount: 3, partialImageCount: 0 });
  const streamed = usageOf({ ...one, imageCount: 1, partialImageCount: 2 });
  assert.equal(triple.total_tokens, 3 * single.total_tokens);
  assert.equal(streamed.output_tokens, single.output_tokens + 200);
  assert.equal(single.input_tokens_details.image_tokens, 1024);
  assert.ok(single.input_tokens_details.text_tokens <= Buffer.byteLength('a fox') + 80);
  assert.equal(single.total_tokens, single.input_tokens + single.output_tokens);
});

test('an edit adds at most 80 text tokens, however many pictures it has', () => {
  const inputSizes = Array.from({ length: 16 }, () => square);
  const facts = {
    generation: '2',
    prompt: 'a',
    size: square,
    quality: 'low',
    fidelity: 'low',
    partialImageCount: 0,
  } as const;
  const usage = usageOf({ ...facts, imageCount: 1, inputSizes });
  assert.ok(usage.input_tokens_details.text_tokens <= 81);
  assert.ok(usage.input_tokens_details.text_tokens > 1);
});

test('the golden vector costs what was published', () => {
  const usage = {
    input_tokens: 150,
    input_tokens_details: { text_tokens: 150, image_tokens: 0 },
    output_tokens: 8000,
    output_tokens_details: { text_tokens: 0, image_tokens: 8000 },
    total_tokens: 8150,
  };
  assert.equal(costNanoUsd('1', usage), 320_750_000);
});

test('each kind of token has its own rate', () => {
  const usage = {
    input_tokens: 3,
    input_tokens_details: { text_tokens: 1, image_tokens: 2 },
    output_tokens: 1,
    output_tokens_details: { text_tokens: 0, image_tokens: 1 },
    total_tokens: 4,
  };
  assert.equal(costNanoUsd('1-mini', usage), 2_000 + 2 * 2_500 + 8_000);
  assert.equal(costNanoUsd('1.5', usage), 5_000 + 2 * 8_000 + 32_000);
  assert.equal(costNanoUsd('2.6', usage), 5_000 + 2 * 8_000 + 30_000);
});
