import type { Store } from '../../src/storage/store.ts';
import { StoreFailure, UnreadableValue } from '../../src/storage/store.ts';
import { createMemoryDatabase } from './memory-store.ts';

type Failure = 'away' | 'answers lost' | 'one answer lost';

/** A store in memory that fails when it is told to. */
export type FailingStore = Store & {
  /** Nothing arrives any more where it is away; where answers are lost, what it is asked for is done. */
  fail(how: Failure): void;
  /** This value cannot be understood any more. */
  spoil(key: string): void;
  /** Serves again as if nothing had been. */
  serve(): void;
};

export function createFailingStore(): FailingStore {
  const memory = createMemoryDatabase().connect();
  const spoiled = new Set<string>();
  let failure: Failure | undefined;

  async function ask<Answer>(keys: readonly string[], answer: () => Promise<Answer>): Promise<Answer> {
    if (failure === 'away') throw new StoreFailure('the store is away');
    const unreadable = keys.find((key) => spoiled.has(key));
    if (unreadable !== undefined) throw new UnreadableValue(unreadable);
    const answered = await answer();
    if (failure === undefined) return answered;
    if (failure === 'one answer lost') failure = undefined;
    throw new StoreFailure('the answer was lost');
  }

  return {
    ...memory,
    read: async (key) => ask([key], async () => memory.read(key)),
    readTogether: async (keys) => ask(keys, async () => memory.readTogether(keys)),
    readMany: async (keys) => ask(keys, async () => memory.readMany(keys)),
    commit: async (change) => ask([], async () => memory.commit(change)),
    fail: (how) => void (failure = how),
    spoil: (key) => void spoiled.add(key),
    serve() {
      failure = undefined;
      spoiled.clear();
    },
  };
}
