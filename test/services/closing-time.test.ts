import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createClosingTime } from '../../src/services/closing-time.ts';

const CALL_MS_MAX = 60_000;

describe('the time from when on no call begins', () => {
  it('comes when what is left is less than a call may take', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const closing = createClosingTime({ callMsMax: CALL_MS_MAX, now: Date.now });
    closing.announce(100_000);
    context.mock.timers.tick(39_999);
    assert.equal(closing.signal.aborted, false);
    context.mock.timers.tick(1);
    assert.equal(closing.signal.aborted, true);
  });

  it('comes at once where that is less from the beginning', () => {
    const closing = createClosingTime({ callMsMax: CALL_MS_MAX, now: () => 0 });
    closing.announce(CALL_MS_MAX);
    assert.equal(closing.signal.aborted, true);
  });

  it('does not come where nobody stops', () => {
    assert.equal(createClosingTime({ callMsMax: CALL_MS_MAX, now: () => 0 }).signal.aborted, false);
  });
});
