import { randomUUID } from 'node:crypto';
import { Keyv } from 'keyv';
import type { Backend, Codec, StoreLog } from './backend.ts';
import { createStore } from './backend.ts';
import { openPlainBackend } from './plain-backend.ts';
import { testStore } from './self-test.ts';
import type { Store } from './store.ts';
import { orStoreFailure, StoreFailure } from './store.ts';

export type StoreOptions = {
  /** Left out where nobody would read it. */
  readonly log?: StoreLog;
  /** A file that keeps a second process out of a store that only one may use; `memory:` cannot do without. */
  readonly lockPath?: string;
};

const PLAIN_WAIT_MS_MAX = 5_000;

const silentLog: StoreLog = { info: () => undefined, warn: () => undefined };

/** Whether processes on several machines can use such a store together, each with files of its own beside it. */
export function isForManyMachines(url: string): boolean {
  return /^(postgres|postgresql|redis|rediss):/.test(url);
}

/**
 * Opens one namespace of the store that a URL names, and has it prove that it keeps its word before anybody relies on it.
 *
 * Only the client of that store is loaded: those of the others are five hundred files, a quarter of what a start reads.
 * @param url `sqlite:PATH`, `postgres://…`, `postgresql://…`, `redis://…`, `rediss://…`, or `memory:` for a trial
 * @throws {StoreFailure} when it cannot be opened, or does not do what it says.
 */
export async function openStore(url: string, namespace: string, options: StoreOptions = {}): Promise<Store> {
  const { log = silentLog, lockPath } = options;
  switch (url.slice(0, url.indexOf(':'))) {
    case 'sqlite':
      return prove(async () => {
        const { openSqliteBackend } = await import('./sqlite-backend.ts');
        return openSqliteBackend(url.replace(/^sqlite:(\/\/)?/, ''), namespace);
      }, log);
    case 'postgres':
    case 'postgresql':
      return prove(async () => {
        const { openPostgresBackend } = await import('./postgres-backend.ts');
        return openPostgresBackend(url, namespace, log);
      }, log);
    case 'redis':
    case 'rediss':
      return prove(async () => {
        const { openRedisBackend } = await import('./redis-backend.ts');
        return openRedisBackend(url, namespace, log);
      }, log);
    case 'memory':
      if (lockPath === undefined) throw new StoreFailure('a store in memory can be reached from its own process only');
      log.warn('STORE_URL is memory: every budget and every bill is forgotten when this process ends');
      return openPlainStore(new Keyv({ namespace }), { log, lockPath });
    default:
      throw new StoreFailure('STORE_URL names a store of no known kind');
  }
}

/**
 * Makes a store of any Keyv, whatever lies behind it. Such a store is for one process at a time, which its lock file
 * makes sure of, because nothing in Keyv lets two processes agree on who was first.
 * @param keyv has its namespace already, and belongs to the store from here on
 * @throws {StoreFailure} when another process uses it, or when it does not do what it says.
 */
export async function openPlainStore(
  keyv: Keyv,
  options: { readonly lockPath: string; readonly log?: StoreLog; readonly waitMsMax?: number },
): Promise<Store> {
  const { lockPath, log = silentLog, waitMsMax = PLAIN_WAIT_MS_MAX } = options;
  return prove(async () => openPlainBackend(keyv, lockPath, waitMsMax), log, keyv);
}

/** @param codec left to itself it is a Keyv without a store, which no event of a connection can ever reach */
async function prove(open: () => Promise<Backend>, log: StoreLog, codec: Codec = new Keyv()): Promise<Store> {
  const backend = await openOrExplain(open);
  const store = createStore(backend, codec);
  try {
    await testStore(store, randomUUID());
    for (const weakness of await orStoreFailure('open', async () => backend.weaknesses())) log.warn(weakness);
    return store;
  } catch (error) {
    // What went wrong is the news, and not what came of it.
    await store.close().catch(() => undefined);
    throw error;
  }
}

async function openOrExplain(open: () => Promise<Backend>): Promise<Backend> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof StoreFailure) throw error;
    throw new StoreFailure(
      'the store could not be opened: check that STORE_URL leads to it, that it runs, and that it lets this process in; ' +
        'without STORE_URL it is a database in DATA_DIR',
      { cause: error },
    );
  }
}
