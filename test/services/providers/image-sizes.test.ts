import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { SizeRule } from '../../../src/services/providers/image-sizes.ts';
import {
  fitSize,
  hasSameShape,
  isSizeAllowed,
  listSizeChoices,
  parseSize,
} from '../../../src/services/providers/image-sizes.ts';
import { createModelCatalogue } from '../../../src/services/providers/models.ts';

function sizesOf(id: string): SizeRule {
  const model = createModelCatalogue().find(id);
  assert.ok(model);
  return model.sizes;
}

const fixed = sizesOf('gpt-image-1.5');
const free = sizesOf('gpt-image-2');

function fit(rule: SizeRule, width: number, height: number): string {
  const fitted = fitSize(rule, { width, height });
  return `${fitted.width}x${fitted.height}`;
}

test('sizes are read as people type them', () => {
  assert.deepEqual(parseSize('1536x1024'), { width: 1536, height: 1024 });
  assert.deepEqual(parseSize(' 1536 × 1024 '), { width: 1536, height: 1024 });
  assert.deepEqual(parseSize('16X9'), { width: 16, height: 9 });
  for (const text of ['', 'auto', '1024', '0x16', '-16x16', '1024x', '1024x1024x1', '1e3x16', '123456x16', '10.5x16']) {
    assert.equal(parseSize(text), undefined, text);
  }
});

test('the fixed models make three sizes', () => {
  assert.equal(isSizeAllowed(fixed, { width: 1024, height: 1536 }), true);
  assert.equal(isSizeAllowed(fixed, { width: 2048, height: 2048 }), false);
  assert.equal(listSizeChoices(fixed).length, 3);
});

test('each limit of the free models holds to the pixel', () => {
  const rows: readonly [number, number, boolean][] = [
    [1024, 640, true], // 655,360 pixels, the least
    [1008, 640, false],
    [3840, 2160, true], // 8,294,400 pixels, the most
    [3840, 2176, false],
    [2880, 2880, true],
    [2896, 2896, false],
    [3840, 1280, true], // 3:1
    [3840, 1264, false],
    [1280, 3840, true],
    [3856, 1600, false],
    [1030, 1024, false],
    [1024, 1030, false],
  ];
  for (const [width, height, allowed] of rows) {
    assert.equal(isSizeAllowed(free, { width, height }), allowed, `${width}x${height}`);
  }
});

test('every size that is offered as a choice is allowed', () => {
  assert.equal(listSizeChoices(free).length, 10);
  assert.ok(listSizeChoices(free).every((size) => isSizeAllowed(free, size)));
});

test('a picture gets the fixed size with the nearest ratio', () => {
  assert.equal(fit(fixed, 4000, 3000), '1536x1024');
  assert.equal(fit(fixed, 3000, 4000), '1024x1536');
  assert.equal(fit(fixed, 1100, 1000), '1024x1024');
  assert.equal(fit(fixed, 9000, 100), '1536x1024');
});

test('a picture keeps its size where a free model allows it, and else comes as near as it can', () => {
  assert.equal(fit(free, 1536, 864), '1536x864');
  assert.equal(fit(free, 3840, 2160), '3840x2160');
  assert.equal(fit(free, 512, 512), '816x816');
  assert.equal(fit(free, 3000, 100), '1424x480');
  const [width = 0, height = 0] = fit(free, 8000, 6000).split('x').map(Number);
  assert.ok(Math.abs(width / height - 4 / 3) < 0.01 && width * height > 8_000_000, `${width}x${height}`);
});

test('a picture whose shape no size right around it has gets one further off that has it', () => {
  assert.equal(fit(free, 911, 325), '1392x496');
  assert.equal(fit(free, 325, 911), '496x1392');
  const edge = fc.integer({ min: 16, max: 3840 });
  const pictures = fc
    .record({ width: edge, height: edge })
    .filter(({ width, height }) => Math.max(width, height) <= Math.min(width, height) * 2.9);
  fc.assert(
    fc.property(pictures, (picture) => hasSameShape(picture, fitSize(free, picture))),
    { numRuns: 3000 },
  );
});

test('whatever the picture, the size is allowed, and near in ratio where the ratio is', () => {
  const edge = fc.integer({ min: 1, max: 20_000 });
  // A failure prints its seed and path.
  fc.assert(
    fc.property(edge, edge, (width, height) => {
      for (const rule of [fixed, free]) {
        assert.ok(isSizeAllowed(rule, fitSize(rule, { width, height })));
      }
      const fitted = fitSize(free, { width, height });
      const ratio = Math.min(Math.max(width / height, 1 / 3), 3);
      assert.ok(Math.abs(Math.log(fitted.width / fitted.height / ratio)) < 0.025, `${width}x${height}`);
    }),
    { numRuns: 3000 },
  );
});
