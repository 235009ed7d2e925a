import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import KeyvRedis, { createClient } from '@keyv/redis';
import { Keyv } from 'keyv';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { readRedisBooks } from '../contracts/redis-books.ts';
import { REDIS_URL, whyMissing } from '../contracts/servers.ts';
import type { SharedStoreUnderTest } from '../contracts/store-under-test.ts';
import { describeSharedStoreContract } from '../contracts/store-contract.ts';
import { describeOutages } from './outages.ts';
import { collectLog } from './store-log.ts';

// Most of the time is spent on waiting.
describe('Redis', { skip: (await whyMissing(REDIS_URL)) ?? false, concurrency: true }, () => {
  const server = createClient({ url: REDIS_URL });
  const users: string[] = [];
  const outages = `easel-outage-${randomBytes(6).toString('hex')}`;
  before(async () => void (await server.connect()));
  after(async () => {
    await removeAll(outages);
    await server.aclDelUser(users);
    await server.close();
  });

  async function removeAll(namespace: string): Promise<void> {
    const names = await server.keys(`${namespace}*`);
    if (names.length > 0) await server.del(names);
  }

  /** Makes somebody who may use the server like anybody else, until something is forbidden them. */
  async function addUser(...rules: readonly string[]): Promise<{ readonly name: string; readonly url: string }> {
    const name = `easel-test-${randomBytes(6).toString('hex')}`;
    users.push(name);
    await server.aclSetUser(name, ['on', '>secret', 'allkeys', 'allchannels', 'allcommands', ...rules]);
    return { name, url: Object.assign(new URL(REDIS_URL), { username: name, password: 'secret' }).href };
  }

  async function createSubject(): Promise<SharedStoreUnderTest> {
    const { name, url } = await addUser();
    const opened: Store[] = [];
    const readers: KeyvRedis<string>[] = [];
    return {
      url,
      namespace: name,
      async connect(namespace = name) {
        const store = await openStore(url, namespace);
        opened.push(store);
        return store;
      },
      plainKeyv() {
        const reader = new KeyvRedis<string>(url);
        readers.push(reader);
        return new Keyv({ store: reader, namespace: name });
      },
      overwrite: async (key, text) => void (await server.set(`${name}::${key}`, text)),
      async failOnWriting(key) {
        // There is no rule against one key, but one for all that end in another letter.
        await server.aclSetUser(name, ['resetkeys', '%R~*', `%W~*[^${key.at(-1)}]`]);
        return async () => void (await server.aclSetUser(name, ['resetkeys', 'allkeys']));
      },
      readBooks: async () => readRedisBooks(REDIS_URL, name),
      async dispose() {
        await Promise.all(
          [...opened, ...readers.map(asClosable)].map(async (one) => one.close().catch(() => undefined)),
        );
        await removeAll(name);
      },
    };
  }

  describeSharedStoreContract('Redis', createSubject);

  describeOutages('Redis', () => ({ url: REDIS_URL, namespace: outages }));

  it('says which settings weaken it', async () => {
    const { log, lines } = collectLog();
    const wanted = { 'maxmemory-policy': 'noeviction', appendonly: 'yes', appendfsync: 'always' };
    const actual = { ...(await server.configGet(Object.keys(wanted))) };
    const weak = Object.entries(wanted).filter(([name, value]) => actual[name] !== value);
    const store = await openStore(REDIS_URL, 'weak', { log });
    await store.close();
    assert.equal(lines.length, weak.length, lines.join('\n'));
    for (const [index, [name, value]] of weak.entries()) {
      assert.ok(lines[index]?.startsWith(`Redis runs with ${name} ${actual[name]}: `));
      assert.ok(lines[index]?.endsWith(`set ${name} ${value}`));
    }
  });

  it('says that its settings could not be checked where it keeps them to itself', async () => {
    const { url } = await addUser('-config');
    const { log, lines } = collectLog();
    const store = await openStore(url, 'secretive', { log });
    await store.close();
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? '',
      /could not be checked.*maxmemory-policy noeviction.*appendonly yes.*appendfsync always/,
    );
  });

  it('is refused with a wrong password, and where it only reads', async () => {
    const { url } = await addUser();
    await assert.rejects(async () => openStore(url.replace('secret', 'wrong'), 'ledger'), StoreFailure);
    const reader = await addUser('-@write', '-@scripting');
    await assert.rejects(async () => openStore(reader.url, 'ledger'), StoreFailure);
  });
});

function asClosable(reader: KeyvRedis<string>): { close(): Promise<void> } {
  return { close: async () => reader.disconnect() };
}
