import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { FairQueueLimits } from '../../../src/services/queue/fair-queue.ts';
import { createFairQueue } from '../../../src/services/queue/fair-queue.ts';

const SECOND_MS = 1_000;
const CALL_MS = 10 * SECOND_MS;
const FLOOD = 200;
const DURATION_MS = 15 * 60 * SECOND_MS;
const limits: FairQueueLimits = { concurrency: 4, lengthMax: 500, waitMsMax: DURATION_MS, imagesPerMinute: undefined };

/** Who asks, and when, in milliseconds from the start. */
type Request = { readonly guild: string; readonly member: string; readonly at: number };

/** Nine members of the flooder's own server and three of others, each of whom asks four times. */
function othersEvery(intervalMs: number): readonly Request[] {
  return Array.from({ length: 48 }, (_, number) => {
    const member = number % 12;
    const guild = member < 9 ? 'flooded' : `other ${member}`;
    return { guild, member: `member ${member}`, at: (1 + number) * intervalMs };
  });
}

async function call(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, CALL_MS));
}

/** What the others meet with while the flooder asks so many times at the very start. */
async function flood(
  context: TestContext,
  others: readonly Request[],
  floodCount: number,
  changes: Partial<FairQueueLimits>,
) {
  const { timers } = context.mock;
  timers.enable({ apis: ['setTimeout', 'Date'] });
  const queue = createFairQueue({ ...limits, ...changes }, Date.now);
  const flooder = { guild: 'flooded', member: 'flooder', images: 1 };
  let floodTurns = 0;
  const floodCall = async (): Promise<void> => {
    floodTurns += 1;
    return call();
  };
  void Promise.all(Array.from({ length: floodCount }, async () => queue.run(flooder, floodCall)));
  const waitsMs = others.map(() => Infinity);
  /** How many turns of the flooder came between a request and its own turn. */
  const floodTurnsBefore = others.map(() => Infinity);
  for (const [index, { guild, member, at }] of others.entries()) {
    setTimeout(() => {
      const came = Date.now();
      const floodTurnsTaken = floodTurns;
      void queue.run({ guild, member, images: 1 }, async () => {
        waitsMs[index] = Date.now() - came;
        floodTurnsBefore[index] = floodTurns - floodTurnsTaken;
        return call();
      });
    }, at);
  }
  for (let passedMs = 0; passedMs < DURATION_MS; passedMs += 100) {
    timers.tick(100);
    await turn();
  }
  timers.reset();
  return { waitsMs, floodTurnsBefore };
}

describe('while one member floods the line', () => {
  for (const { provider, intervalMs, slotMs, changes } of [
    { provider: 'four calls at once', intervalMs: 3_700, slotMs: CALL_MS, changes: {} },
    {
      provider: '24 images a minute',
      intervalMs: 3_700,
      slotMs: 2_500,
      changes: { concurrency: 100, imagesPerMinute: 24 },
    },
  ]) {
    it(`others wait as they would beside one request of that member, within one slot: ${provider}`, async (context) => {
      const others = othersEvery(intervalMs);
      const beside1 = (await flood(context, others, 1, changes)).waitsMs;
      const beside200 = (await flood(context, others, FLOOD, changes)).waitsMs;
      const delayMs = Math.max(...beside200.map((wait, index) => wait - (beside1[index] ?? 0)));
      context.diagnostic(
        `${provider}: others wait ${describeWaits(beside1)} beside 1 request and ${describeWaits(beside200)} beside ` +
          `${FLOOD}, nobody more than ${seconds(delayMs)} longer; a slot is ${seconds(slotMs)}`,
      );
      assert.ok(delayMs <= slotMs, `somebody waited ${delayMs} ms longer`);
    });
  }

  it('nobody is behind more than one turn of that member, also where others alone nearly fill the line', async (context) => {
    const { waitsMs, floodTurnsBefore } = await flood(context, othersEvery(2_600), FLOOD, {});
    context.diagnostic(`others wait ${describeWaits(waitsMs)}, behind ${Math.max(...floodTurnsBefore)} turn at most`);
    assert.ok(Math.max(...waitsMs) < Infinity, 'somebody never had their turn');
    assert.ok(Math.max(...floodTurnsBefore) <= 1);
  });
});

function describeWaits(waitsMs: readonly number[]): string {
  const mean = waitsMs.reduce((sum, wait) => sum + wait, 0) / waitsMs.length;
  return `${seconds(mean)} (at most ${seconds(Math.max(...waitsMs))})`;
}

function seconds(durationMs: number): string {
  return `${(durationMs / SECOND_MS).toFixed(1)} s`;
}
