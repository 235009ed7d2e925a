import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { addressOf } from '../contracts/servers.ts';
import { collectLog } from './store-log.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import { createTcpProxy } from './tcp-proxy.ts';

/** Longer than any wait of a store, on a machine with much else to do. */
const WAIT_MS_MAX = 40_000;
const CUTS = 12;
const LINES_MAX = 20;

/** A server, and the beginning of the namespaces in which these tests write. */
export type Server = { readonly url: string; readonly namespace: string };

/**
 * What becomes of a store on another machine when the way to it breaks. An error that nobody caught would end the
 * process, and these tests with it. What they leave behind is the caller's to remove, below the given namespace.
 */
export function describeOutages(name: string, serverOf: () => Server): void {
  describe(`${name}, when the way to it breaks`, { concurrency: true }, () => {
    it('denies at once, and works again without a new start', async (context) => {
      const { store, proxy, lines } = await openThroughProxy(context, serverOf());
      await create(store, 'head');
      proxy.cut();
      await assert.rejects(async () => store.read('head'), StoreFailure);
      await assert.rejects(async () => store.readMany(['head']), StoreFailure);
      await assert.rejects(async () => create(store, 'other'), StoreFailure);
      await assert.rejects(async () => store.remove(['head']), StoreFailure);
      assert.equal(await store.isWritable(), false);
      proxy.mend();
      await untilWritable(store);
      assert.deepEqual(await store.readMany(['head', 'other']), [1, undefined]);
      assert.ok(lines.length < LINES_MAX, `the log is flooded:\n${lines.join('\n')}`);
    });

    it('is not hurt by a connection that breaks while nobody uses it', async (context) => {
      const { store, proxy } = await openThroughProxy(context, serverOf());
      await Promise.all(Array.from({ length: 20 }, async () => store.isWritable()));
      proxy.cut();
      proxy.mend();
      await untilWritable(store);
    });

    it('never waits for ever for a server that has fallen silent', async (context) => {
      const { store, proxy } = await openThroughProxy(context, serverOf());
      proxy.freeze();
      const asked = [store.read('head'), create(store, 'head'), store.readMany(['head', 'entry'])];
      for (const answer of await Promise.allSettled(asked)) {
        assert.ok(answer.status === 'rejected' && answer.reason instanceof StoreFailure);
      }
      proxy.mend();
      await untilWritable(store);
    });

    it('is refused at the start when it cannot be reached', async (context) => {
      const { url, namespace } = serverOf();
      const proxy = await createTcpProxy(addressOf(url));
      context.after(async () => proxy.close());
      proxy.cut();
      await assert.rejects(async () => openStore(through(proxy, url), namespace), StoreFailure);
    });

    it('keeps all that it reported, whenever it is cut off', async (context) => {
      const { store, proxy } = await openThroughProxy(context, serverOf());
      const confirmed: number[] = [];
      const test = new AbortController();
      const writing = addEntries(store, confirmed, test.signal);
      for (let cut = 0; cut < CUTS; cut += 1) {
        await untilLonger(confirmed);
        await sleep(Math.random() * 10);
        proxy.cut();
        proxy.mend();
      }
      test.abort();
      await writing;
      await untilWritable(store);
      const last = (await store.read<number>('head'))?.value ?? 0;
      const entries = await store.readMany<number>(Array.from({ length: last }, (_, index) => `entry:${index + 1}`));
      assert.deepEqual(
        entries,
        Array.from({ length: last }, (_, index) => index + 1),
      );
      assert.equal(new Set(confirmed).size, confirmed.length, 'a number was given twice');
      assert.ok(confirmed.every((number) => number <= last));
    });
  });
}

let namespaces = 0;

async function openThroughProxy(context: TestContext, { url, namespace }: Server) {
  const proxy = await createTcpProxy(addressOf(url));
  const { log, lines } = collectLog();
  namespaces += 1;
  const store = await openStore(through(proxy, url), `${namespace}-${namespaces}`, { log });
  context.after(async () => {
    await store.close();
    await proxy.close();
  });
  return { store, proxy, lines };
}

function through(proxy: TcpProxy, url: string): string {
  const { href } = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(proxy.port) });
  return href;
}

async function create(store: Store, key: string): Promise<void> {
  assert.ok(await store.commit({ guard: { key, expected: undefined, next: 1 }, writes: [] }));
}

/** Adds the next entry of a journal and answers its number; undefined where somebody else was first. */
async function addEntry(store: Store): Promise<number | undefined> {
  const head = await store.read<number>('head');
  const next = (head?.value ?? 0) + 1;
  const writes = [{ key: `entry:${next}`, value: next }];
  return (await store.commit({ guard: { key: 'head', expected: head?.version, next }, writes })) ? next : undefined;
}

/** Adds one entry after the other, as far as the store goes along, and notes every one that it reported. */
async function addEntries(store: Store, confirmed: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const number = await addEntry(store);
      if (number !== undefined) confirmed.push(number);
    } catch (error) {
      assert.ok(error instanceof StoreFailure, String(error));
      await sleep(5);
    }
  }
}

async function untilWritable(store: Store): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!(await store.isWritable())) {
    assert.ok(performance.now() < deadline, 'the store does not come back');
    await sleep(20);
  }
}

/** Waits until something was written since. */
async function untilLonger(list: readonly unknown[]): Promise<void> {
  const { length } = list;
  const deadline = performance.now() + WAIT_MS_MAX;
  while (list.length === length) {
    assert.ok(performance.now() < deadline, 'nothing is written any more');
    await sleep(5);
  }
}
