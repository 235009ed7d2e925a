import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { createMutex } from '../../src/billing/mutex.ts';

/** A task that begins when the mutex lets it, and ends when the test does. */
function createTask(events: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return {
    run: async () => {
      events.push(`${name} begins`);
      const result = await promise;
      events.push(`${name} ends`);
      return result;
    },
    end: () => resolve(name),
    fail: () => reject(new Error(name)),
  };
}

describe('createMutex', () => {
  it('runs tasks of one key one after another, in the order in which they came', async () => {
    const mutex = createMutex();
    const events: string[] = [];
    const tasks = ['first', 'second', 'third'].map((name) => createTask(events, name));
    const results = tasks.map(async (task) => mutex.run('guild', task.run));
    tasks.toReversed().forEach((task) => task.end());
    assert.deepEqual(await Promise.all(results), ['first', 'second', 'third']);
    assert.deepEqual(
      events,
      ['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
  });

  it('keeps nobody waiting for another key', async () => {
    const mutex = createMutex();
    const events: string[] = [];
    const [slow, quick] = [createTask(events, 'slow'), createTask(events, 'quick')];
    const slowResult = mutex.run('one guild', slow.run);
    quick.end();
    assert.equal(await mutex.run('another guild', quick.run), 'quick');
    assert.deepEqual(events, ['slow begins', 'quick begins', 'quick ends']);
    slow.end();
    await slowResult;
  });

  it('lets a failure through to its own caller, and the next one go on', async () => {
    const mutex = createMutex();
    const events: string[] = [];
    const [bad, good] = [createTask(events, 'bad'), createTask(events, 'good')];
    const failing = mutex.run('guild', bad.run);
    const waiting = mutex.run('guild', good.run);
    await turn();
    assert.deepEqual(events, ['bad begins']);
    bad.fail();
    await assert.rejects(failing, { message: 'bad' });
    good.end();
    assert.equal(await waiting, 'good');
  });

  it('still queues behind a task that joined while another one failed', async () => {
    const mutex = createMutex();
    const events: string[] = [];
    const [bad, middle, last] = [createTask(events, 'bad'), createTask(events, 'middle'), createTask(events, 'last')];
    const failing = mutex.run('guild', bad.run);
    const middleResult = mutex.run('guild', middle.run);
    bad.fail();
    await assert.rejects(failing);
    const lastResult = mutex.run('guild', last.run);
    last.end();
    await turn();
    assert.deepEqual(events, ['bad begins', 'middle begins']);
    middle.end();
    await Promise.all([middleResult, lastResult]);
    assert.deepEqual(events.slice(2), ['middle ends', 'last begins', 'last ends']);
  });
});
