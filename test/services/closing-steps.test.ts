import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { closeInOrder } from '../../src/services/closing-steps.ts';
import { silentLog } from './job-fixture.ts';

describe('what is closed in order', () => {
  it('is closed group by group', async () => {
    const steps: string[] = [];
    const close = (name: string) => async () => {
      steps.push(`${name} begins`);
      await turn();
      steps.push(`${name} ends`);
    };
    await closeInOrder([[close('a'), close('b')], [], [close('c')]], silentLog);
    assert.deepEqual(steps, ['a begins', 'b begins', 'a ends', 'b ends', 'c begins', 'c ends']);
  });

  it('is closed although something else fails, which is told at the end', async () => {
    const closed: string[] = [];
    const [early, late] = [new Error('early'), new Error('late')];
    const groups = [
      [async () => Promise.reject(early), async () => turn().then(() => closed.push('beside it'))],
      [
        () => {
          throw late;
        },
      ],
      [() => closed.push('after it')],
    ];
    await assert.rejects(closeInOrder(groups, silentLog), (error: unknown) => {
      assert.ok(error instanceof AggregateError);
      assert.deepEqual(error.errors, [early, late]);
      return true;
    });
    assert.deepEqual(closed, ['beside it', 'after it']);
  });
});
