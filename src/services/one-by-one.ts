import { setImmediate as nextTurn } from 'node:timers/promises';
import { UnreadableValue } from '../storage/store.ts';

/** So many in a row are no coincidence: the store is away, and each further one would wait for it as well. */
const FAILURES_IN_A_ROW_MAX = 5;

/**
 * Does the same for one after the other, with room for everything else between them. What fails for one of them does not
 * keep the others from it.
 * @param stopping begins with no further one once it is aborted
 * @throws the last failure, where so many have failed in a row that the rest would fail as well
 */
export async function oneByOne<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
  onFailure: (item: Item, error: unknown) => void,
  stopping?: AbortSignal,
): Promise<void> {
  let failuresInARow = 0;
  for (const item of items) {
    if (stopping?.aborted === true) return;
    try {
      await work(item);
      failuresInARow = 0;
    } catch (error) {
      onFailure(item, error);
      // A store that answers is not away, whatever the answer is.
      failuresInARow = error instanceof UnreadableValue ? 0 : failuresInARow + 1;
      if (failuresInARow === FAILURES_IN_A_ROW_MAX) throw error;
    }
    await nextTurn();
  }
}
