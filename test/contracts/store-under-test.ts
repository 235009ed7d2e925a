import assert from 'node:assert/strict';
import type { Keyv } from 'keyv';
import type { Store, Versioned } from '../../src/storage/store.ts';
import type { Books } from '../audit.ts';

/** One fresh store of the kind that is held to the contract, and what lies behind its back. */
export type StoreUnderTest = {
  /** No other store under test has it. */
  readonly namespace: string;
  /** Opens one more connection to this namespace, or to another one. It is closed in the end. */
  readonly connect: (namespace?: string) => Promise<Store>;
  /** A Keyv as somebody would open it who only wants to read. */
  readonly plainKeyv: () => Keyv;
  /** Puts another text under a key. */
  readonly overwrite: (key: string, text: string) => Promise<void>;
  /** From now on the store fails when it comes to writing this key, until the answer is called. */
  readonly failOnWriting: (key: string) => Promise<() => Promise<void>>;
  readonly dispose: () => Promise<void>;
};

/** A store that several processes can use at once. */
export type SharedStoreUnderTest = StoreUnderTest & {
  /** By which any process can open it. */
  readonly url: string;
  /** Reads the ledger in its namespace past everything of ours. */
  readonly readBooks: () => Promise<Books>;
};

/** What a store has to do, each with the way to see whether it does. */
export type Promises<Subject = StoreUnderTest> = Readonly<Record<string, Check<Subject>>>;

type Check<Subject> = (subject: Subject) => Promise<void>;

/** Puts a first value under a key. */
export async function create(store: Store, key: string, value: unknown): Promise<void> {
  assert.ok(await store.commit({ guard: { key, expected: undefined, next: value }, writes: [] }));
}

export async function requireValue(store: Store, key: string): Promise<Versioned<unknown>> {
  const versioned = await store.read<unknown>(key);
  assert.ok(versioned, `${key} is not there`);
  return versioned;
}
