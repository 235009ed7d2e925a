import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cacheBriefly } from '../../src/services/brief-cache.ts';

const KEPT_MS = 1_000;

/** A question whose answers come when the test says so. */
function openQuestion() {
  const clock = { now: 0 };
  const asked: PromiseWithResolvers<boolean>[] = [];
  const ask = cacheBriefly(
    async () => {
      const question = Promise.withResolvers<boolean>();
      asked.push(question);
      return question.promise;
    },
    { keptMs: KEPT_MS, now: () => clock.now },
  );
  return { clock, asked, ask };
}

describe('an answer that is remembered briefly', () => {
  it('is that of all who ask meanwhile, and of those who ask soon after', async () => {
    const { clock, asked, ask } = openQuestion();
    const answers = [ask(), ask(), ask()];
    assert.equal(asked.length, 1);
    clock.now = 10 * KEPT_MS;
    asked[0]?.resolve(false);
    assert.deepEqual(await Promise.all(answers), [false, false, false]);
    clock.now += KEPT_MS - 1;
    assert.equal(await ask(), false);
    assert.equal(asked.length, 1);
    clock.now += 1;
    const next = ask();
    asked[1]?.resolve(true);
    assert.equal(await next, true);
  });

  it('is none where the question failed', async () => {
    const { asked, ask } = openQuestion();
    const failing = ask();
    asked[0]?.reject(new Error('nobody knows'));
    await assert.rejects(failing, { message: 'nobody knows' });
    const next = ask();
    asked[1]?.resolve(true);
    assert.equal(await next, true);
  });
});
