import type { Commit, Store, Versioned } from '../../src/storage/store.ts';

/**
 * A store in memory, shared by any number of processes, each of which reaches it over a wire of its own. It keeps what
 * Keyv would keep: a text under each key, with the value inside.
 */
export type MemoryDatabase = {
  /** What is stored now, in the order of its keys. */
  rows(): readonly (readonly [key: string, text: string])[];
  /** Connects one process. Without a wire everything arrives at once. */
  connect(wire?: Wire): Store;
};

/** What lies between a process and its store. A promise that never settles is a process that is no more. */
export type Wire = {
  /** Resolves when a request arrives at the store. */
  send(label: string): Promise<void>;
  /** Resolves when an answer arrives at the process. */
  receive(label: string): Promise<void>;
  /** Called at each point at which a commit can be cut short; resolves where it goes on. */
  passCommitPoint(point: CommitPoint): Promise<void>;
};

/** `between`: some of the rows are written and others not, which only a store without atomic commits knows. */
export type CommitPoint = 'before' | 'between' | 'after';

const directWire: Wire = {
  send: async () => undefined,
  receive: async () => undefined,
  passCommitPoint: async () => undefined,
};

/** @param options.atomic whether a commit is one step, or one step for each of its rows */
export function createMemoryDatabase(options: { readonly atomic: boolean } = { atomic: true }): MemoryDatabase {
  const texts = new Map<string, string>();

  async function write({ guard, writes }: Commit, wire: Wire): Promise<string | undefined> {
    await wire.passCommitPoint('before');
    if (texts.get(guard.key) !== guard.expected) return undefined;
    for (const { key, value } of [...writes, { key: guard.key, value: guard.next }]) {
      texts.set(key, JSON.stringify({ value }));
      if (!options.atomic && key !== guard.key) await wire.passCommitPoint('between');
    }
    await wire.passCommitPoint('after');
    return JSON.stringify({ value: guard.next });
  }

  return {
    rows: () => [...texts].toSorted(([one], [other]) => (one < other ? -1 : 1)),
    connect(wire = directWire) {
      const exchange = async <Answer>(label: string, work: () => Answer | Promise<Answer>): Promise<Answer> => {
        await wire.send(label);
        const answer = await work();
        await wire.receive(label);
        return answer;
      };
      return {
        read: async <Value>(key: string) => exchange(`read ${key}`, () => versioned<Value>(texts.get(key))),
        readTogether: async <One, Two, Three>(keys: readonly [string, string, string]) =>
          exchange(
            `read ${keys.join()}`,
            () =>
              [
                versioned<One>(texts.get(keys[0])),
                versioned<Two>(texts.get(keys[1])),
                versioned<Three>(texts.get(keys[2])),
              ] as const,
          ),
        readMany: async <Value>(keys: readonly string[]) =>
          exchange(`read ${keys.length} keys`, () => keys.map((key) => versioned<Value>(texts.get(key))?.value)),
        commit: async (change) => exchange(`commit ${change.guard.key}`, async () => write(change, wire)),
        remove: async (keys) => exchange(`remove ${keys.length} keys`, () => keys.forEach((key) => texts.delete(key))),
        isWritable: async () => true,
        close: async () => undefined,
      };
    },
  };
}

function versioned<Value>(text: string | undefined): Versioned<Value> | undefined {
  if (text === undefined) return undefined;
  const stored: { value: Value } = JSON.parse(text);
  return { value: stored.value, version: text };
}
