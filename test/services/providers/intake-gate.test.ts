import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IntakePlace } from '../../../src/services/providers/intake-gate.ts';
import { createIntakeGate } from '../../../src/services/providers/intake-gate.ts';

const PAUSE_MS_MAX = 10;

/** A gate for one, and a clock that only the test moves. */
function createGateForOne() {
  const clock = { now: 0 };
  return { clock, gate: createIntakeGate({ concurrency: 1, pauseMsMax: PAUSE_MS_MAX }, () => clock.now) };
}

/** Whether something has happened by now; whatever only takes turns of the event loop has had them. */
async function isSettled(promise: Promise<void> | undefined): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, sleep(3 * PAUSE_MS_MAX, pending)])) !== pending;
}

test('an answer waits for a place, and has it as soon as another one leaves', async () => {
  const { gate } = createGateForOne();
  const [first, second] = [gate.begin(), gate.begin()];
  await first.enter();
  const entering = second.enter();
  assert.equal(await isSettled(entering), false);
  first.leave();
  await entering;
});

test('places are given in the order in which they were asked for', async () => {
  const { gate } = createGateForOne();
  const [first, second, third] = [gate.begin(), gate.begin(), gate.begin()];
  const order: string[] = [];
  await first.enter();
  const note = async (name: string, place: IntakePlace): Promise<void> => {
    await place.enter();
    order.push(name);
  };
  const entered = [note('second', second), note('third', third)];
  first.leave();
  await entered[0];
  second.leave();
  await Promise.all(entered);
  assert.deepEqual(order, ['second', 'third']);
});

test('an answer that pauses gives its place up, and gets it back in its turn', async () => {
  const { clock, gate } = createGateForOne();
  const [slow, other] = [gate.begin(), gate.begin()];
  await slow.enter();
  slow.pause();
  const entering = other.enter();
  assert.equal(await isSettled(entering), false, 'a short pause was taken for a long one');
  clock.now += PAUSE_MS_MAX;
  await entering;
  const returning = slow.enter();
  assert.equal(await isSettled(returning), false, 'two had the only place');
  other.leave();
  await returning;
});

test('an answer that is at work keeps its place, however long that takes', async () => {
  const { clock, gate } = createGateForOne();
  const [busy, other] = [gate.begin(), gate.begin()];
  await busy.enter();
  const entering = other.enter();
  clock.now += 100 * PAUSE_MS_MAX;
  assert.equal(await isSettled(entering), false);
  busy.leave();
  await entering;
});

test('an answer that ends while it waits takes no place with it', async () => {
  const { gate } = createGateForOne();
  const [first, given, third] = [gate.begin(), gate.begin(), gate.begin()];
  await first.enter();
  const entering = given.enter();
  given.leave();
  await entering;
  first.leave();
  assert.equal(await isSettled(third.enter()), true);
});
