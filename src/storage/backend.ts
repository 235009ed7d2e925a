import type { Keyv } from 'keyv';
import type { Logger } from 'pino';
import type { Commit, Store, Versioned } from './store.ts';
import { orStoreFailure, StoreFailure, UnreadableValue } from './store.ts';

/** Rows that are written together, and only if the guarded key still holds the expected text. */
export type AtomicChange = {
  readonly guardKey: string;
  readonly expected: string | undefined;
  /** The guard's own row is the last. */
  readonly rows: readonly Row[];
};

export type Row = { readonly key: string; readonly value: string };

/**
 * What each kind of store does in its own way: texts by key, and the one atomic change that Keyv does not know. Every
 * failure rejects, and nothing waits for ever.
 */
export type Backend = {
  readText(key: string): Promise<string | undefined>;
  /** The texts as they are at one moment, in the order of the keys. */
  readTexts(keys: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Whether the guarded key still held the expected text, and all is written. */
  commitTexts(change: AtomicChange): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** What an operator should know about how well this store keeps what it reported, each as a sentence. */
  weaknesses(): Promise<readonly string[]>;
  close(): Promise<void>;
};

/** How values become texts and texts become values again. */
export type Codec = Pick<Keyv, 'encode' | 'decode'>;

/** Where a store tells of what it cannot tell its callers: weak settings, and connections that come and go. */
export type StoreLog = Pick<Logger, 'info' | 'warn'>;

const PROBE_KEY = 'probe';

/**
 * Within a value, Keyv puts a colon before every text that begins with one, and looks for them by calling a function
 * for each part of each value that it reads or writes. Where there are none, plain JSON comes to the same: read five
 * times as fast, and written four times.
 */
const KEYV_MARK = /[[,:]":/;

/** Makes a store of a backend. Values are written as Keyv writes them, and stay readable by plain `Keyv.get`. */
export function createStore(backend: Backend, codec: Codec): Store {
  let isClosed = false;

  const encode = async (value: unknown): Promise<string> => {
    const text = JSON.stringify({ value });
    return KEYV_MARK.test(text) ? String(await codec.encode({ value })) : text;
  };
  const decode = async <Value>(key: string, text: string): Promise<Versioned<Value>> => {
    const decoded = await understand(key, async (): Promise<{ readonly value?: Value } | null | undefined> =>
      KEYV_MARK.test(text) ? codec.decode<Value>(text) : JSON.parse(text),
    );
    if (decoded?.value === undefined) throw new UnreadableValue(key);
    return { value: decoded.value, version: text };
  };

  /** Some clients would open a new connection for whoever still asks after the end. */
  async function whileOpen<Result>(action: string, attempt: () => Promise<Result>): Promise<Result> {
    if (isClosed) throw new StoreFailure(`the store failed to ${action}: it is closed`);
    return orStoreFailure(action, attempt);
  }

  const decodeIfThere = async <Value>(key: string, text: string | undefined): Promise<Versioned<Value> | undefined> =>
    text === undefined ? undefined : decode<Value>(key, text);

  async function read<Value>(key: string): Promise<Versioned<Value> | undefined> {
    return whileOpen('read', async () => decodeIfThere<Value>(key, await backend.readText(key)));
  }

  async function commit({ guard, writes }: Commit): Promise<string | undefined> {
    // The guard comes last, so that no row can be seen without the rows that it accounts for.
    const rows = await Promise.all(
      [...writes, { key: guard.key, value: guard.next }].map(async ({ key, value }) => ({
        key,
        value: await encode(value),
      })),
    );
    const change = { guardKey: guard.key, expected: guard.expected, rows };
    const isCommitted = await whileOpen('write', async () => backend.commitTexts(change));
    return isCommitted ? rows.at(-1)?.value : undefined;
  }

  return {
    read,
    commit,
    async readTogether<One, Two, Three>(keys: readonly [string, string, string]) {
      return whileOpen('read', async () => {
        const texts = await backend.readTexts(keys);
        return Promise.all([
          decodeIfThere<One>(keys[0], texts[0]),
          decodeIfThere<Two>(keys[1], texts[1]),
          decodeIfThere<Three>(keys[2], texts[2]),
        ] as const);
      });
    },
    async readMany<Value>(keys: readonly string[]) {
      if (keys.length === 0) return [];
      return whileOpen('read', async () => {
        const texts = await backend.readTexts(keys);
        return Promise.all(keys.map(async (key, index) => (await decodeIfThere<Value>(key, texts[index]))?.value));
      });
    },
    remove: async (keys) =>
      whileOpen('remove', async () => {
        for (const key of keys) await backend.remove(key);
      }),
    async isWritable() {
      try {
        const probe = await read(PROBE_KEY);
        // A lost race is as good: somebody else could write just now.
        await commit({ guard: { key: PROBE_KEY, expected: probe?.version, next: Math.random() }, writes: [] });
        return true;
      } catch {
        return false;
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await orStoreFailure('close', async () => backend.close());
    },
  };
}

async function understand<Decoded>(key: string, decode: () => Promise<Decoded>): Promise<Decoded> {
  try {
    return await decode();
  } catch (error) {
    throw new UnreadableValue(key, { cause: error });
  }
}

/** What an adapter answers for a key; what is not a text was not written by us and cannot be understood. */
export function requireText(key: string, answer: unknown): string | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== 'string') throw new UnreadableValue(key);
  return answer;
}
