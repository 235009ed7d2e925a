import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTurnForecast } from '../../../src/services/queue/turn-forecast.ts';

/** How long the first so many in line wait. */
function waits(waitOf: (ahead: number) => number | undefined, count: number): unknown[] {
  return Array.from({ length: count }, (_, ahead) => waitOf(ahead));
}

describe('when a turn may begin', () => {
  it('is not known before a turn has ended, but for those for whom there is a place', () => {
    const forecast = createTurnForecast(3);
    assert.deepEqual(waits(forecast.waitsMs([1_000, 2_000]), 3), [0, undefined, undefined]);
  });

  it('goes by the turns under way, the free places, and how long turns take', () => {
    const forecast = createTurnForecast(3);
    forecast.learn(10_000);
    assert.deepEqual(waits(forecast.waitsMs([]), 7), [0, 0, 0, 10_000, 10_000, 10_000, 20_000]);
    assert.deepEqual(waits(forecast.waitsMs([4_000, 1_000]), 5), [0, 6_000, 9_000, 10_000, 16_000]);
    assert.deepEqual(waits(forecast.waitsMs([4_000, 1_000, 9_000]), 4), [1_000, 6_000, 9_000, 11_000]);
    // One that takes longer than usual may end at any time.
    assert.deepEqual(waits(forecast.waitsMs([60_000, 0, 0]), 2), [0, 10_000]);
  });

  it('follows turns that get shorter or longer, and not each of them', () => {
    const forecast = createTurnForecast(1);
    forecast.learn(10_000);
    forecast.learn(20_000);
    assert.deepEqual(waits(forecast.waitsMs([0]), 1), [11_000]);
    for (let turn = 0; turn < 100; turn += 1) forecast.learn(20_000);
    const [wait] = waits(forecast.waitsMs([0]), 1);
    assert.ok(Number(wait) > 19_900);
  });
});
