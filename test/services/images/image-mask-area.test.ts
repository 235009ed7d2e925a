import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { harden, invert, toPixels } from '../../../src/services/images/image-mask-area.ts';

/** Runs of one value with soft pixels in between, as masks have them, in any length. */
const planes = fc
  .array(fc.record({ value: fc.oneof(fc.constantFrom(0, 255), fc.nat(255)), count: fc.integer({ min: 1, max: 9 }) }))
  .map((runs) => Buffer.from(runs.flatMap(({ value, count }) => Array.from({ length: count }, () => value))));

describe('the area that a mask keeps', () => {
  it('is hard, counted, and known to have been hard, whatever it was before', async () => {
    await fc.assert(
      fc.asyncProperty(planes, async (soft) => {
        const wanted = soft.map((value) => (value < 128 ? 0 : 255));
        const { plane, editableCount, wasHard } = await harden(Buffer.from(new Uint8Array(soft).buffer));
        assert.deepEqual([...plane], [...wanted]);
        assert.equal(editableCount, wanted.filter((value) => value === 0).length);
        assert.equal(wasHard, Buffer.compare(soft, wanted) === 0);
      }),
    );
  });

  it('is the same across all of its slices', async () => {
    const seed = randomInt(2 ** 31);
    const soft = Buffer.alloc(700_003);
    for (let index = 0, state = seed; index < soft.length; index += 1) {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      soft[index] = state >> 20;
    }
    const wanted = soft.map((value) => (value < 128 ? 0 : 255));
    const editable = wanted.filter((value) => value === 0).length;
    const area = await harden(soft);
    assert.ok(area.plane.equals(wanted), `seed ${seed}`);
    assert.equal(area.editableCount, editable, `seed ${seed}`);

    const inverted = await invert(area);
    assert.equal(inverted.editableCount, soft.length - editable);
    assert.ok(inverted.plane.equals(wanted.map((value) => 255 - value)), `seed ${seed}`);

    const pixels = await toPixels(area);
    assert.equal(pixels.length, soft.length * 4);
    for (const index of [0, 1, 262_143, 262_144, 262_145, 700_002]) {
      assert.deepEqual([...pixels.subarray(index * 4, index * 4 + 4)], [0, 0, 0, wanted[index]], `seed ${seed}`);
    }
  });
});
