import type { Commit, Store, Versioned } from '../../src/storage/store.ts';

/**
 * A store in memory, shared by any number of processes, each of which reaches it over a wire of its own. It keeps what
 * Keyv would keep: a text under each key, with the value inside.
 */
export type MemoryDatabase = {
  /** What is stored now, in the order of its keys. */
  rows(): readonly (readonly [key: string, text: string])[];
  /** Connects one process. Without a wire every operation arrives at once. */
  connect(wire?: Wire): Store;
};

/** What lies between a process and its store. A promise that never settles is a process that is no more. */
export type Wire = {
  /** Resolves when a request arrives at the store, or its answer at the process. */
  travel(label: string): Promise<void>;
  /** Called at each point at which a commit can be cut short; resolves where it goes on. */
  passCommitPoint(point: CommitPoint): Promise<void>;
};

/** `between`: some of the rows are written and others not, which only a store without atomic commits knows. */
export type CommitPoint = 'before' | 'between' | 'after';

const directWire: Wire = { travel: async () => undefined, passCommitPoint: async () => undefined };

/** @param atomic whether a commit is one step, or one step for each of its rows */
export function createMemoryDatabase(options: { readonly atomic: boolean } = { atomic: true }): MemoryDatabase {
  const texts = new Map<string, string>();

  async function commit({ guard, writes }: Commit, wire: Wire): Promise<boolean> {
    await wire.passCommitPoint('before');
    if (texts.get(guard.key) !== guard.expected) return false;
    for (const { key, value } of [...writes, { key: guard.key, value: guard.next }]) {
      texts.set(key, JSON.stringify({ value }));
      if (!options.atomic && key !== guard.key) await wire.passCommitPoint('between');
    }
    await wire.passCommitPoint('after');
    return true;
  }

  return {
    rows: () => [...texts].toSorted(([one], [other]) => (one < other ? -1 : 1)),
    connect: (wire = directWire) => ({
      async read<Value>(key: string): Promise<Versioned<Value> | undefined> {
        await wire.travel(`read ${key}`);
        const version = texts.get(key);
        if (version === undefined) return undefined;
        const stored: { value: Value } = JSON.parse(version);
        return { value: stored.value, version };
      },
      async readMany<Value>(keys: readonly string[]) {
        await wire.travel(`read ${keys.length} keys`);
        return keys.map((key) => {
          const text = texts.get(key);
          const stored: { value: Value } | undefined = text === undefined ? undefined : JSON.parse(text);
          return stored?.value;
        });
      },
      async commit(change) {
        await wire.travel(`commit ${change.guard.key}`);
        const isCommitted = await commit(change, wire);
        await wire.travel(`answer to the commit of ${change.guard.key}`);
        return isCommitted;
      },
      isWritable: async () => true,
      close: async () => undefined,
    }),
  };
}
