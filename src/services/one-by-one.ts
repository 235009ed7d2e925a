import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreFailure, UnreadableValue } from '../storage/store.ts';

/** So often in a row is no coincidence: the store is away, and each further one would wait for it as well. */
const OUTAGES_IN_A_ROW_MAX = 5;

/**
 * Does the same for one after the other, with room for everything else between them. What fails for one of them does not
 * keep the others from it.
 * @param stopping begins with no further one once it is aborted
 * @throws {StoreFailure} the last failure, where the store has failed so often in a row that it would fail the rest as well
 */
export async function oneByOne<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
  onFailure: (item: Item, error: unknown) => void,
  stopping?: AbortSignal,
): Promise<void> {
  let outagesInARow = 0;
  for (const item of items) {
    if (stopping?.aborted === true) return;
    try {
      await work(item);
      outagesInARow = 0;
    } catch (error) {
      onFailure(item, error);
      outagesInARow = isOutage(error) ? outagesInARow + 1 : 0;
      if (outagesInARow === OUTAGES_IN_A_ROW_MAX) throw error;
    }
    await nextTurn();
  }
}

/** A store that answers is not away, whatever the answer is; and what else fails says nothing of the store. */
function isOutage(error: unknown): boolean {
  return error instanceof StoreFailure && !(error instanceof UnreadableValue);
}
