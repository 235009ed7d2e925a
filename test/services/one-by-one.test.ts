import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oneByOne } from '../../src/services/one-by-one.ts';
import { StoreFailure, UnreadableValue } from '../../src/storage/store.ts';

const NUMBERS = Array.from({ length: 20 }, (_, index) => index);

/** Which of the numbers were reached, and which have failed, when all of these fail. */
async function reach(failing: (number: number) => Error | undefined) {
  const reached: number[] = [];
  const failed: number[] = [];
  const work = async (number: number): Promise<void> => {
    reached.push(number);
    const error = failing(number);
    if (error) throw error;
  };
  const running = oneByOne(NUMBERS, work, (number) => void failed.push(number));
  const end = await running.then(
    () => 'done',
    (error: Error) => error.message,
  );
  return { reached: reached.length, failed, end };
}

const isBroken = (number: number): boolean => number % 4 !== 0;

describe('one by one', () => {
  it('those that fail keep nobody else from their turn', async () => {
    const { reached, failed, end } = await reach((number) => (isBroken(number) ? new Error('broken') : undefined));
    assert.deepEqual([reached, failed, end], [NUMBERS.length, NUMBERS.filter(isBroken), 'done']);
  });

  it('nobody else is asked where the store is away', async () => {
    const { reached, end } = await reach(() => new StoreFailure('away'));
    assert.deepEqual([reached, end], [5, 'away']);
  });

  it('nobody else is asked once it is to stop', async () => {
    const stopping = new AbortController();
    const reached: number[] = [];
    const work = async (number: number): Promise<void> => {
      reached.push(number);
      if (number === 2) stopping.abort();
    };
    await oneByOne(NUMBERS, work, () => assert.fail('nothing fails here'), stopping.signal);
    assert.deepEqual(reached, [0, 1, 2]);
  });

  it('what fails of itself does not mean that the store is away', async () => {
    const { reached, end } = await reach(() => new Error('broken'));
    assert.deepEqual([reached, end], [NUMBERS.length, 'done']);
  });

  it('a store that answers with what cannot be read is not away', async () => {
    const { reached, end } = await reach((number) => new UnreadableValue(`head of ${number}`));
    assert.deepEqual([reached, end], [NUMBERS.length, 'done']);
  });
});
