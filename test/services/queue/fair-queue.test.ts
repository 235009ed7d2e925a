import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { FairQueueLimits, PlaceInLine, QueueRefusal } from '../../../src/services/queue/fair-queue.ts';
import { createFairQueue } from '../../../src/services/queue/fair-queue.ts';

const MINUTE_MS = 60_000;

const wide: FairQueueLimits = { concurrency: 1, lengthMax: 100, waitMsMax: 10 * MINUTE_MS, imagesPerMinute: undefined };

/** A queue on a clock of its own, with tasks that end when the test says so. */
function openQueue(context: TestContext, limits: Partial<FairQueueLimits> = {}) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const queue = createFairQueue({ ...wide, ...limits }, Date.now);
  const begun: string[] = [];
  const news: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const finish = async (name: string): Promise<void> => {
    ends.get(name)?.resolve(name);
    await turn();
  };
  return {
    queue,
    begun,
    /** Comes as `guild/member`, with a number where somebody comes more than once. */
    come: async (name: string, images = 1, signal?: AbortSignal): Promise<string | QueueRefusal> => {
      const [guild = '', member = ''] = name.split(/[/ ]/);
      const end = Promise.withResolvers<string>();
      ends.set(name, end);
      const task = async (): Promise<string> => {
        begun.push(name);
        return end.promise;
      };
      const onPlace = ({ ahead, expectedMs }: PlaceInLine): void =>
        void news.push(`${name}: ${ahead} ahead, ${expectedMs === undefined ? 'nobody knows' : `${expectedMs} ms`}`);
      return queue.run({ guild, member, images }, task, { onPlace, ...(signal ? { signal } : {}) });
    },
    /** What those who wait have been told since somebody last looked. */
    readNews: () => news.splice(0),
    finish,
    fail: async (name: string): Promise<void> => {
      ends.get(name)?.reject(new Error(name));
      await turn();
    },
    tick: async (ms: number): Promise<void> => {
      context.mock.timers.tick(ms);
      await turn();
    },
    /** Ends whatever runs, one after another, until nothing waits any more. */
    drain: async (): Promise<void> => {
      await turn();
      for (let index = 0; index < begun.length; index += 1) await finish(begun[index] ?? '');
    },
  };
}

/** Answers that are looked at later; one that never comes is of no account. */
function ignoreAnswers(answers: readonly Promise<unknown>[]): void {
  void Promise.allSettled(answers);
}

describe('the order of turns', () => {
  it('goes round by guild, and within a guild by member, once there is a line', async (context) => {
    const { come, begun, drain } = openQueue(context);
    const order = ['a/x 1', 'a/x 2', 'a/x 3', 'a/y 1', 'b/z 1', 'b/z 2', 'c/w 1'];
    ignoreAnswers(order.map(async (name) => come(name)));
    await drain();
    assert.deepEqual(begun, ['a/x 1', 'b/z 1', 'c/w 1', 'a/y 1', 'b/z 2', 'a/x 2', 'a/x 3']);
  });

  it('keeps nobody behind a flood from elsewhere', async (context) => {
    const { come, begun, finish } = openQueue(context);
    const flood = Array.from({ length: 50 }, (_, index) => `loud/x ${index}`);
    ignoreAnswers([...flood, 'quiet/y'].map(async (name) => come(name)));
    await finish('loud/x 0');
    assert.deepEqual(begun, ['loud/x 0', 'quiet/y']);
  });
});

describe('a line that is closed', () => {
  it('refuses whoever waits and whoever comes, and lets those go on whose turn it is', async (context) => {
    const { come, begun, finish, queue } = openQueue(context);
    const has = come('a/x');
    const waiting = ['a/y', 'a/z', 'b/x'].map(async (name) => come(name));
    await turn();
    queue.close();
    for (const answer of [...waiting, come('c/x')]) assert.deepEqual(await answer, { refused: 'stopping' });
    await finish('a/x');
    assert.equal(await has, 'a/x');
    assert.deepEqual(begun, ['a/x']);
    assert.deepEqual({ running: queue.running, waiting: queue.waiting }, { running: 0, waiting: 0 });
  });
});

describe('limits', () => {
  it('run so many at once and no more, also after failures', async (context) => {
    const { come, begun, queue, fail, finish } = openQueue(context, { concurrency: 2 });
    const failing = assert.rejects(come('a/x'), { message: 'a/x' });
    ignoreAnswers([come('a/y'), come('a/z'), come('b/x')]);
    await turn();
    assert.deepEqual({ running: queue.running, waiting: queue.waiting }, { running: 2, waiting: 2 });
    await fail('a/x');
    await failing;
    assert.deepEqual(begun, ['a/x', 'a/y', 'b/x']);
    await finish('a/y');
    assert.deepEqual(begun, ['a/x', 'a/y', 'b/x', 'a/z']);
    await finish('b/x');
    await finish('a/z');
    assert.deepEqual({ running: queue.running, waiting: queue.waiting }, { running: 0, waiting: 0 });
  });

  it('turn away who finds the line full', async (context) => {
    const { come, drain, begun, queue } = openQueue(context, { lengthMax: 2 });
    const answers = ['a/x', 'a/y', 'a/z', 'b/x'].map(async (name) => come(name));
    assert.deepEqual(await answers[3], { refused: 'queue-full' });
    assert.equal(queue.isFull, true);
    await drain();
    assert.equal(queue.isFull, false);
    assert.deepEqual(begun, ['a/x', 'a/y', 'a/z']);
    assert.equal(await answers[2], 'a/z');
  });

  it('turn away whose turn does not come in time, and nobody else', async (context) => {
    const { come, tick, finish, begun, queue } = openQueue(context, { waitMsMax: MINUTE_MS });
    ignoreAnswers([come('a/x')]);
    const early = come('a/y');
    await tick(MINUTE_MS / 2);
    const late = come('a/z');
    await tick(MINUTE_MS / 2);
    assert.deepEqual(await early, { refused: 'waited-too-long' });
    assert.equal(queue.waiting, 1);
    await finish('a/x');
    assert.deepEqual(begun, ['a/x', 'a/z']);
    await tick(10 * MINUTE_MS);
    await finish('a/z');
    assert.equal(await late, 'a/z', 'who has begun is not turned away any more');
  });
});

describe('the pace of a provider', () => {
  it('lets through so many images a minute, and refills evenly', async (context) => {
    const { come, begun, tick } = openQueue(context, { concurrency: 10, imagesPerMinute: 6 });
    ignoreAnswers([come('a/x', 4), come('b/x', 4), come('c/x', 1)]);
    await turn();
    assert.deepEqual(begun, ['a/x']);
    await tick(19_000);
    assert.deepEqual(begun, ['a/x']);
    await tick(1_000);
    assert.deepEqual(begun, ['a/x', 'b/x']);
    await tick(10_000);
    assert.deepEqual(begun, ['a/x', 'b/x', 'c/x']);
  });

  it('does not keep out for ever who asks for more than a minute gives', async (context) => {
    const { come, begun, tick } = openQueue(context, { concurrency: 10, imagesPerMinute: 5 });
    ignoreAnswers([come('a/x', 10), come('b/x', 5)]);
    await turn();
    assert.deepEqual(begun, ['a/x']);
    await tick(2 * MINUTE_MS - 1);
    assert.deepEqual(begun, ['a/x'], 'what was overdrawn is made good first');
    await tick(1);
    assert.deepEqual(begun, ['a/x', 'b/x']);
  });

  it('pauses when it is told to, for the longest time that it was told', async (context) => {
    const { come, begun, queue, tick } = openQueue(context);
    queue.pause(30_000);
    queue.pause(10_000);
    ignoreAnswers([come('a/x')]);
    await tick(29_999);
    assert.deepEqual(begun, []);
    await tick(1);
    assert.deepEqual(begun, ['a/x']);
  });
});

describe('who waits', () => {
  it('hears how many turns come first and how long that takes, and again when that changes', async (context) => {
    const { come, finish, tick, readNews } = openQueue(context);
    ignoreAnswers([come('a/x 1'), come('a/x 2')]);
    await tick(1_000);
    assert.deepEqual(readNews(), ['a/x 2: 0 ahead, nobody knows']);
    await tick(9_000);
    await finish('a/x 1');
    ignoreAnswers(['a/x 3', 'a/y 1', 'b/z 1'].map(async (name) => come(name)));
    await tick(500);
    const expected = ['b/z 1: 0 ahead, 9500 ms', 'a/y 1: 1 ahead, 19500 ms', 'a/x 3: 2 ahead, 29500 ms'];
    assert.deepEqual(readNews(), expected);
    await tick(9_000);
    assert.deepEqual(readNews(), [], 'that time passes is no news');
    await finish('a/x 2');
    await tick(500);
    assert.deepEqual(readNews(), ['a/y 1: 0 ahead, 9450 ms', 'a/x 3: 1 ahead, 19400 ms']);
  });

  it('hears of a turn that is put off, by a pause or by those who come and go first', async (context) => {
    const { come, tick, queue, readNews } = openQueue(context, { concurrency: 9, imagesPerMinute: 6 });
    ignoreAnswers([come('a/x 1', 6), come('a/x 2', 2), come('a/x 3', 2)]);
    await tick(500);
    assert.deepEqual(readNews(), ['a/x 2: 0 ahead, 19500 ms', 'a/x 3: 1 ahead, 39500 ms']);
    queue.pause(60_000);
    await tick(500);
    assert.deepEqual(readNews(), ['a/x 2: 0 ahead, 59500 ms', 'a/x 3: 1 ahead, 59500 ms']);
    const leaving = new AbortController();
    const answer = come('b/y 1', 1, leaving.signal);
    await tick(500);
    assert.deepEqual(readNews(), ['b/y 1: 0 ahead, 59000 ms', 'a/x 2: 1 ahead, 59000 ms', 'a/x 3: 2 ahead, 59000 ms']);
    leaving.abort();
    assert.deepEqual(await answer, { refused: 'cancelled' });
    await tick(500);
    assert.deepEqual(readNews(), ['a/x 2: 0 ahead, 58500 ms', 'a/x 3: 1 ahead, 58500 ms']);
  });

  it('is told once, however many steps a long line makes at once', async (context) => {
    const { come, begun, tick, finish, queue, readNews } = openQueue(context, { concurrency: 10, lengthMax: 500 });
    const names = Array.from({ length: 510 }, (_, number) => `a${number % 20}/x ${number}`);
    ignoreAnswers(names.map(async (name) => come(name)));
    await tick(500);
    assert.equal(queue.waiting, 500);
    assert.equal(readNews().length, 500);
    for (let index = 0; index < 100; index += 1) await finish(begun[index] ?? '');
    assert.equal(queue.waiting, 400);
    const begin = performance.now();
    await tick(500);
    context.diagnostic(`to tell 400 where they stand takes ${(performance.now() - begin).toFixed(1)} ms`);
    assert.equal(readNews().length, 400);
  });

  it('leaves the line at once when they do not want their turn any more, and not when they have it', async (context) => {
    const { come, begun, finish, queue, tick } = openQueue(context);
    const leaving = new AbortController();
    const has = come('a/x', 1, leaving.signal);
    const waits = come('a/y', 1, leaving.signal);
    const stays = come('a/z');
    await turn();
    leaving.abort();
    assert.deepEqual(await waits, { refused: 'cancelled' });
    assert.equal(queue.waiting, 1);
    await finish('a/x');
    assert.equal(await has, 'a/x');
    assert.deepEqual(begun, ['a/x', 'a/z']);
    assert.deepEqual(await come('b/x', 1, leaving.signal), { refused: 'cancelled' });
    await finish('a/z');
    assert.equal(await stays, 'a/z');
    await tick(20 * MINUTE_MS);
    assert.deepEqual({ running: queue.running, waiting: queue.waiting }, { running: 0, waiting: 0 });
  });
});
