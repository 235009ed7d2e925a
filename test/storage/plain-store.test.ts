import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { Keyv } from 'keyv';
import { openPlainStore, openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import type { StoreUnderTest } from '../contracts/store-under-test.ts';
import { describeStoreContract } from '../contracts/store-contract.ts';
import { collectLog } from './store-log.ts';

const NAMESPACE = 'ledger';

/** What Keyv keeps its rows in when it has nothing else, with faults. */
class FaultyMap extends Map<string, { value: unknown; expires: number | undefined }> {
  /** Called before every change; whatever it throws is the fault. */
  beforeChange: (key: string) => void = () => undefined;

  override set(key: string, row: { value: unknown; expires: number | undefined }): this {
    this.beforeChange(key);
    return super.set(key, row);
  }

  override delete(key: string): boolean {
    this.beforeChange(key);
    return super.delete(key);
  }
}

describeStoreContract('A plain Keyv', createSubject);

describe('a plain store', () => {
  it('refuses a second user, in this process and in others, until the first is gone', async (context) => {
    const lockPath = await createLockPath(context);
    const open = async (): Promise<Store> => openPlainStore(new Keyv(), { lockPath });
    const first = await open();
    await assert.rejects(open, /another process uses this store/);
    await first.close();
    const holder = fork(join(import.meta.dirname, 'plain-store-holder.ts'), [lockPath]);
    context.after(() => holder.kill('SIGKILL'));
    await once(holder, 'message');
    await assert.rejects(open, /another process uses this store.*SQLite, PostgreSQL or Redis/);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await open()).close();
  });

  it('keeps the directory to itself that it makes for its lock', async (context) => {
    const lockPath = join(await createLockPath(context), 'some', 'where', 'lock');
    const store = await openPlainStore(new Keyv(), { lockPath });
    context.after(async () => store.close());
    assert.equal((await stat(dirname(lockPath))).mode & 0o777, 0o700);
  });

  it('shows all of a commit or nothing, wherever the process died in it', async (context) => {
    const lockPath = await createLockPath(context);
    const seen = new Set<string>();
    // One step more than a commit has, so that the last one is not cut short at all.
    for (let lastStep = 0; lastStep <= 6; lastStep += 1) {
      const rows = new FaultyMap();
      const open = async (): Promise<Store> => openPlainStore(new Keyv({ store: rows }), { lockPath });
      const doomed = await open();
      await doomed.commit({ guard: { key: 'head', expected: undefined, next: 'old' }, writes: [] });
      const version = (await doomed.read('head'))?.version;
      let steps = 0;
      rows.beforeChange = () => {
        steps += 1;
        if (steps > lastStep) throw new Error('the process has died');
      };
      const writes = ['entry', 'tx'].map((key) => ({ key, value: 'new' }));
      const change = { guard: { key: 'head', expected: version, next: 'new' }, writes };
      const reported = await doomed.commit(change).catch(() => undefined);
      await doomed.close();

      rows.beforeChange = () => undefined;
      const heir = await open();
      const found = (await heir.readMany(['head', 'entry', 'tx'])).join();
      assert.match(
        found,
        reported !== undefined ? /^new,new,new$/ : /^(old,,|new,new,new)$/,
        `cut short after ${lastStep} steps`,
      );
      seen.add(found);
      assert.deepEqual(
        [...rows.keys()].filter((key) => !/^(head|entry|tx)$/.test(key)),
        [],
        'nothing else is left',
      );
      await heir.close();
    }
    assert.deepEqual(seen, new Set(['old,,', 'new,new,new']));
  });

  it('waits for nobody who does not answer, and begins nothing for those who have left', async (context) => {
    const keyv = new Keyv();
    const store = await openPlainStore(keyv, { lockPath: await createLockPath(context), waitMsMax: 50 });
    const answering = Promise.withResolvers<undefined>();
    context.mock.method(keyv.store, 'get', async () => answering.promise, { times: 1 });
    const change = { guard: { key: 'head', expected: undefined, next: 1 }, writes: [] };
    await assert.rejects(async () => store.read('head'), StoreFailure);
    await assert.rejects(async () => store.commit(change), StoreFailure);
    answering.resolve(undefined);
    assert.equal(await store.read('head'), undefined);
    assert.ok(await store.commit(change));
    await store.close();
  });

  it('can be had by STORE_URL for a trial, and says so', async (context) => {
    const { log, lines } = collectLog();
    const store = await openStore('memory:', NAMESPACE, { log, lockPath: await createLockPath(context) });
    assert.equal(await store.isWritable(), true);
    await store.close();
    assert.match(lines.join(), /memory.*forgotten when this process ends/);
    await assert.rejects(async () => openStore('memory:', NAMESPACE), StoreFailure);
  });
});

async function createLockPath(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-store-'));
  context.after(async () => rm(directory, { recursive: true, force: true }));
  return join(directory, 'store.lock');
}

async function createSubject(): Promise<StoreUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-store-'));
  const rows = new FaultyMap();
  const opened = new Map<string, Promise<Store>>();
  const open = async (namespace: string): Promise<Store> => {
    const keyv = new Keyv({ store: rows, namespace });
    const store = await openPlainStore(keyv, { lockPath: join(directory, `${namespace}.lock`) });
    return {
      ...store,
      async close() {
        opened.delete(namespace);
        await store.close();
      },
    };
  };
  return {
    namespace: NAMESPACE,
    async connect(namespace = NAMESPACE) {
      // Only one can have it, so whoever comes next gets the same one.
      const store = opened.get(namespace) ?? open(namespace);
      opened.set(namespace, store);
      return store;
    },
    plainKeyv: () => new Keyv({ store: rows, namespace: NAMESPACE }),
    async overwrite(key, text) {
      rows.set(`${NAMESPACE}::${key}`, { value: text, expires: undefined });
    },
    async failOnWriting(broken) {
      rows.beforeChange = (key) => {
        if (key === `${NAMESPACE}::${broken}`) throw new Error('the disk is full');
      };
      return async () => {
        rows.beforeChange = () => undefined;
      };
    },
    async dispose() {
      await Promise.all([...opened.values()].map(async (store) => (await store).close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
