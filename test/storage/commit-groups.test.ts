import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AtomicChange } from '../../src/storage/backend.ts';
import { createCommitGroups } from '../../src/storage/commit-groups.ts';

const changeOf = (guardKey: string): AtomicChange => ({ guardKey, expected: undefined, rows: [] });

/** What was written, group by group, each as long as the test lets it take. */
function watchGroups() {
  const groups: { readonly keys: readonly string[]; readonly end: PromiseWithResolvers<readonly boolean[]> }[] = [];
  const commit = createCommitGroups(async (changes) => {
    const end = Promise.withResolvers<readonly boolean[]>();
    groups.push({ keys: changes.map(({ guardKey }) => guardKey), end });
    return end.promise;
  });
  return { commit, groups, sizes: () => groups.map(({ keys }) => keys.length) };
}

describe('commits that come together', () => {
  it('are written together, and each hears of itself', async () => {
    const { commit, groups } = watchGroups();
    const answers = ['one', 'two', 'three'].map(async (key) => commit(changeOf(key)));
    await nextTurn();
    assert.deepEqual(
      groups.map(({ keys }) => keys),
      [['one', 'two', 'three']],
    );
    groups[0]?.end.resolve([true, false, true]);
    assert.deepEqual(await Promise.all(answers), [true, false, true]);
  });

  it('hear of nothing before they are written', async () => {
    const { commit, groups } = watchGroups();
    let heard = 0;
    const answers = ['one', 'two'].map(async (key) => commit(changeOf(key)).then(() => (heard += 1)));
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    assert.equal(heard, 0);
    groups[0]?.end.resolve([true, true]);
    await Promise.all(answers);
    assert.equal(heard, 2);
  });

  it('fail together, and nobody after them does', async () => {
    const { commit, groups } = watchGroups();
    const failing = ['one', 'two'].map(async (key) => commit(changeOf(key)));
    await nextTurn();
    const later = commit(changeOf('three'));
    await nextTurn();
    const failed = Promise.allSettled(failing);
    groups[0]?.end.reject(new Error('the disk is full'));
    groups[1]?.end.resolve([true]);
    assert.deepEqual(
      (await failed).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(await later, true);
  });

  it('are split where they are many, with a turn of the event loop in between', async () => {
    const { commit, sizes } = watchGroups();
    for (let number = 0; number < 70; number += 1) void commit(changeOf(String(number)));
    await nextTurn();
    assert.deepEqual(sizes(), [32]);
    void commit(changeOf('another'));
    await nextTurn();
    assert.deepEqual(sizes(), [32, 32]);
    await nextTurn();
    assert.deepEqual(sizes(), [32, 32, 7]);
    await nextTurn();
    assert.deepEqual(sizes(), [32, 32, 7]);
  });
});

describe('a commit by itself', () => {
  it('is written without waiting for others', async () => {
    const { commit, groups, sizes } = watchGroups();
    for (const key of ['one', 'two']) {
      const answer = commit(changeOf(key));
      await nextTurn();
      groups.at(-1)?.end.resolve([true]);
      assert.equal(await answer, true);
    }
    assert.deepEqual(sizes(), [1, 1]);
  });
});
