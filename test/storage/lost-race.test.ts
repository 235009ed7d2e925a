import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lostRace, untilCommitted } from '../../src/storage/lost-race.ts';
import { StoreFailure } from '../../src/storage/store.ts';

/** Loses so many races before it wins, and writes down how long it paused after each. */
async function race(lostRaces: number): Promise<{ result: string; pausesMs: number[] }> {
  const pausesMs: number[] = [];
  let attempts = 0;
  const result = await untilCommitted(
    { random: () => (attempts % 2) / 2, sleep: async (ms) => pausesMs.push(ms) },
    async () => {
      attempts += 1;
      return attempts > lostRaces ? `won at attempt ${attempts}` : lostRace;
    },
  );
  return { result, pausesMs };
}

describe('untilCommitted', () => {
  it('does not pause when nobody contends', async () => {
    assert.deepEqual(await race(0), { result: 'won at attempt 1', pausesMs: [] });
  });

  it('pauses at random after every lost race, and tries again', async () => {
    const { result, pausesMs } = await race(4);
    assert.equal(result, 'won at attempt 5');
    assert.deepEqual(pausesMs, [4, 0, 4, 0]);
  });

  it('gives up in the end', async () => {
    await assert.rejects(async () => race(Number.POSITIVE_INFINITY), StoreFailure);
  });

  it('lets a failure through at once', async () => {
    const failure = new StoreFailure('broken');
    let attempts = 0;
    const attempt = async (): Promise<never> => {
      attempts += 1;
      throw failure;
    };
    await assert.rejects(
      async () => untilCommitted({ random: () => 0, sleep: async () => undefined }, attempt),
      failure,
    );
    assert.equal(attempts, 1);
  });
});
