/** A stored value together with the exact text that the store holds, by which a later commit recognises it. */
export type Versioned<Value> = { readonly value: Value; readonly version: string };

/** One value that may change only if nobody else changed it, and the rows that are written in the same breath. */
export type Commit = {
  readonly guard: {
    readonly key: string;
    /** The version that was read, or undefined if the key did not exist. */
    readonly expected: string | undefined;
    readonly next: unknown;
  };
  readonly writes: readonly { readonly key: string; readonly value: unknown }[];
};

/**
 * What the ledger needs of a store. Every failure rejects with a StoreFailure, and none is ever turned into
 * "there is no such value": for a ledger that would look like nothing spent. Nothing waits for ever.
 */
export type Store = {
  read<Value>(key: string): Promise<Versioned<Value> | undefined>;
  /** Reads three values as they are at one moment, in one round trip. */
  readTogether<One, Two, Three>(
    keys: readonly [one: string, two: string, three: string],
  ): Promise<
    readonly [one: Versioned<One> | undefined, two: Versioned<Two> | undefined, three: Versioned<Three> | undefined]
  >;
  readMany<Value>(keys: readonly string[]): Promise<readonly (Value | undefined)[]>;
  /**
   * Writes all or nothing.
   * @returns the new version of the guarded value; undefined when it had changed in the meantime, and nothing was written
   * @throws {StoreFailure} when nobody can tell which: the change may have been made, and may even be made a little
   * later. Whoever tries again has to read again.
   */
  commit(change: Commit): Promise<string | undefined>;
  /** Removes values, one by one and in this order; those that are not there are as good as removed. */
  remove(keys: readonly string[]): Promise<void>;
  /** Whether the store answers a read and a commit right now. */
  isWritable(): Promise<boolean>;
  close(): Promise<void>;
};

/** The store could not be read or written, or holds something that cannot be understood. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure';
}

/** A value is there, and cannot be understood. Trying again does not help. */
export class UnreadableValue extends StoreFailure {
  constructor(key: string, options?: ErrorOptions) {
    super(`the value of ${key} cannot be read`, options);
  }
}

/** Gives every failure of a store the one face that the rest of the program knows. */
export async function orStoreFailure<Result>(action: string, attempt: () => Promise<Result>): Promise<Result> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof StoreFailure) throw error;
    throw new StoreFailure(`the store failed to ${action}`, { cause: error });
  }
}
