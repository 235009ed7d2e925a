import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyvSqlite } from '@keyv/sqlite';
import { Keyv } from 'keyv';
import type { AtomicChange } from './atomic-commit.ts';
import { commitOnSqlite, isBusy } from './atomic-commit.ts';

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
 * "there is no such value": for a ledger that would look like nothing spent.
 */
export type Store = {
  read<Value>(key: string): Promise<Versioned<Value> | undefined>;
  readMany<Value>(keys: readonly string[]): Promise<readonly (Value | undefined)[]>;
  /** Writes all or nothing; false when the guarded value had changed in the meantime. */
  commit(change: Commit): Promise<boolean>;
  /** Whether a value can be written and read back right now. */
  isWritable(): Promise<boolean>;
  close(): Promise<void>;
};

/** The store could not be read or written, or holds something that cannot be understood. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure';
}

/** How long a locked database is waited for. The wait is ours, because SQLite's own would stop the event loop. */
const BUSY_WAIT_MS_MAX = 5_000;
const BUSY_PAUSE_MS_MAX = 40;
const PROBE_KEY = 'probe';

/**
 * Opens one namespace of the store that a URL names.
 * @param url `sqlite:PATH`; the path is created if it does not exist.
 * @throws {StoreFailure} when it cannot be opened.
 */
export async function openStore(url: string, namespace: string): Promise<Store> {
  const path = url.replace(/^sqlite:(\/\/)?/, '');
  const adapter = await loudly('open', async () => {
    await mkdir(dirname(path), { recursive: true });
    return connect(path);
  });
  // Without a listener, Keyv rejects instead of answering "undefined" for a store that failed.
  const keyv = new Keyv({ store: adapter, namespace });

  const encode = async (value: unknown): Promise<string> => String(await keyv.encode({ value }));
  const decode = async <Value>(key: string, text: string): Promise<Versioned<Value>> => {
    const decoded = await keyv.decode<Value>(text);
    if (decoded?.value === undefined) throw new StoreFailure(`the value of ${key} cannot be read`);
    return { value: decoded.value, version: text };
  };

  async function read<Value>(key: string): Promise<Versioned<Value> | undefined> {
    return loudly('read', async () => {
      const text = await whenNotBusy(async () => adapter.get<string>(key));
      return typeof text === 'string' ? decode<Value>(key, text) : undefined;
    });
  }

  async function commit({ guard, writes }: Commit): Promise<boolean> {
    const change: AtomicChange = {
      guardKey: guard.key,
      expected: guard.expected,
      // The guard comes last, so that no row can be seen without the rows that it accounts for.
      rows: await Promise.all(
        [...writes, { key: guard.key, value: guard.next }].map(async ({ key, value }) => ({
          key,
          value: await encode(value),
        })),
      ),
    };
    return loudly('write', async () => whenNotBusy(async () => commitOnSqlite(adapter, namespace, change)));
  }

  return {
    read,
    commit,
    async readMany<Value>(keys: readonly string[]) {
      if (keys.length === 0) return [];
      return loudly('read', async () => {
        const texts = await whenNotBusy(async () => adapter.getMany<string>([...keys]));
        return Promise.all(
          keys.map(async (key, index) => {
            const text = texts[index];
            return typeof text === 'string' ? (await decode<Value>(key, text)).value : undefined;
          }),
        );
      });
    },
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
      await adapter.disconnect();
    },
  };
}

async function connect(path: string): Promise<KeyvSqlite> {
  const adapter = new KeyvSqlite({
    uri: `sqlite://${path}`,
    driver: 'node:sqlite',
    wal: true,
    busyTimeout: BUSY_WAIT_MS_MAX,
  });
  await adapter.ready;
  // A commit is durable when it is reported, also through a loss of power.
  await adapter.query('PRAGMA synchronous = FULL');
  // From here on SQLite answers "busy" at once, and we wait for it without holding up anything else.
  await adapter.query('PRAGMA busy_timeout = 0');
  return adapter;
}

async function whenNotBusy<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + BUSY_WAIT_MS_MAX;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await sleep(1 + Math.random() * BUSY_PAUSE_MS_MAX);
    }
  }
}

async function loudly<Result>(action: string, attempt: () => Promise<Result>): Promise<Result> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof StoreFailure) throw error;
    throw new StoreFailure(`the store failed to ${action}`, { cause: error });
  }
}
