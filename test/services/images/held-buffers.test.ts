import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeldBuffers } from '../../../src/services/images/held-buffers.ts';

describe('held buffers', () => {
  it('give their memory back when the work is over, and not before', () => {
    const bytes = Buffer.allocUnsafeSlow(1_000);
    {
      using held = new HeldBuffers();
      // A picture may be held as what was loaded, and again as what was made of it.
      held.hold(bytes);
      assert.equal(held.hold(bytes), bytes);
      assert.equal(bytes.length, 1_000);
    }
    assert.equal(bytes.length, 0);
  });

  it('leave memory alone that others have a part in', () => {
    const memory = Buffer.allocUnsafeSlow(1_000).fill(7);
    const shared = Buffer.from(new SharedArrayBuffer(8)).fill(7);
    {
      using held = new HeldBuffers();
      held.hold(memory.subarray(0, 500));
      held.hold(shared);
    }
    assert.ok(memory.every((byte) => byte === 7) && memory.length === 1_000);
    assert.equal(shared.length, 8);
  });
});
