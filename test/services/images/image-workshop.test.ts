import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createImageWorkshop } from '../../../src/services/images/image-workshop.ts';

/** Work that ends when the test says so, and notes when it began. */
function createWork(began: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return {
    run: () => {
      began.push(name);
      return promise;
    },
    finish: () => resolve(name),
    fail: () => reject(new Error(name)),
  };
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('createImageWorkshop', () => {
  it('runs a few at a time, in order, and turns away what exceeds the line', async () => {
    const workshop = createImageWorkshop({ concurrency: 2, waitingMax: 2 });
    await workshop.library();
    const began: string[] = [];
    const works = ['a', 'b', 'c', 'd', 'e'].map((name) => createWork(began, name));
    const outcomes = works.map((work) => workshop.run(work.run));
    await settle();
    assert.deepEqual(began, ['a', 'b']);
    assert.deepEqual(await outcomes[4], { kind: 'busy' });

    works[1]?.finish();
    assert.equal(await outcomes[1], 'b');
    await settle();
    assert.deepEqual(began, ['a', 'b', 'c']);

    works[0]?.finish();
    works[2]?.finish();
    works[3]?.finish();
    assert.deepEqual(await Promise.all([outcomes[0], outcomes[2], outcomes[3]]), ['a', 'c', 'd']);
    assert.deepEqual(began, ['a', 'b', 'c', 'd']);
  });

  it('frees the place of work that failed, and lets the failure through', async () => {
    const workshop = createImageWorkshop({ concurrency: 1, waitingMax: 1 });
    const began: string[] = [];
    const [bad, good] = [createWork(began, 'bad'), createWork(began, 'good')];
    const failing = workshop.run(bad.run);
    const waiting = workshop.run(good.run);
    bad.fail();
    await assert.rejects(failing, { message: 'bad' });
    good.finish();
    assert.equal(await waiting, 'good');
    assert.equal(await workshop.run(async () => 'later'), 'later');
  });

  it('settles the library’s switches when it is first used', async () => {
    const sharp = await createImageWorkshop({ concurrency: 1, waitingMax: 0 }).library();
    assert.equal(sharp.concurrency(), 1);
    assert.equal(sharp.cache().memory.max, 0);
  });
});
