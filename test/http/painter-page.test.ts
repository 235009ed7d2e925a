import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createHistory } from '../../src/http/painter-page/history.ts';
import type { Mask, Point } from '../../src/http/painter-page/mask.ts';
import { copyArea, createMask, paintLine, wholeArea } from '../../src/http/painter-page/mask.ts';
import { encodeMask } from '../../src/http/painter-page/png.ts';
import { painted } from '../scenarios/painting.ts';

const sizes = fc.record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) });
const points: fc.Arbitrary<Point> = fc.record({
  x: fc.double({ min: -20, max: 60, noNaN: true }),
  y: fc.double({ min: -20, max: 60, noNaN: true }),
});
const strokes = fc.record({
  from: points,
  to: points,
  radius: fc.double({ min: 0.5, max: 30, noNaN: true }),
  value: fc.constantFrom(0 as const, 1 as const),
});

/** Whether the middle of a pixel is under a line, worked out without any shortcut. */
function isUnder(x: number, y: number, { from, to, radius }: { from: Point; to: Point; radius: number }): boolean {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((x + 0.5 - from.x) * dx + (y + 0.5 - from.y) * dy) / length;
  const share = Math.min(1, Math.max(0, along));
  return (x + 0.5 - from.x - share * dx) ** 2 + (y + 0.5 - from.y - share * dy) ** 2 <= radius ** 2;
}

describe('what the painter paints', () => {
  it('is every pixel whose middle is under the brush, and no other', () => {
    fc.assert(
      fc.property(sizes, strokes, ({ width, height }, stroke) => {
        const mask = createMask(width, height);
        paintLine(mask, stroke.from, stroke.to, stroke.radius, 1);
        for (const [index, pixel] of mask.pixels.entries()) {
          const [x, y] = [index % width, Math.floor(index / width)];
          assert.equal(pixel === 1, isUnder(x, y, stroke), `${x}, ${y}`);
        }
      }),
    );
  });

  it('comes back as it was, step by step, and forth again', () => {
    fc.assert(
      fc.property(sizes, fc.array(strokes, { maxLength: 12 }), ({ width, height }, drawn) => {
        const mask = createMask(width, height);
        const history = createHistory(mask);
        const states = [Buffer.from(mask.pixels)];
        for (const { from, to, radius, value } of drawn) {
          const before = copyArea(mask, wholeArea(mask));
          const area = paintLine(mask, from, to, radius, value);
          history.add(area, copyArea({ width, height, pixels: before }, area));
          states.push(Buffer.from(mask.pixels));
        }
        for (const state of states.toReversed().slice(1)) {
          history.undo();
          assert.deepEqual(Buffer.from(mask.pixels), state);
        }
        assert.equal(history.canUndo, false);
        for (const state of states.slice(1)) {
          history.redo();
          assert.deepEqual(Buffer.from(mask.pixels), state);
        }
        assert.equal(history.canRedo, false);
      }),
    );
  });

  it('is in the file that is sent, pixel for pixel', async () => {
    const masks: fc.Arbitrary<Mask> = sizes.chain(({ width, height }) =>
      fc
        .uint8Array({ minLength: width * height, maxLength: width * height, max: 1 })
        .map((pixels) => ({ width, height, pixels })),
    );
    await fc.assert(
      fc.asyncProperty(masks, async (mask) => {
        const file = Buffer.from(await (await encodeMask(mask)).arrayBuffer());
        assert.deepEqual(
          await painted(file),
          Array.from(mask.pixels, (pixel) => pixel === 1),
        );
      }),
    );
  });
});
