import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyvSqlite } from '@keyv/sqlite';
import { Keyv } from 'keyv';
import { openStore } from '../../src/storage/open-store.ts';
import { findSqliteWeaknesses, isBusy } from '../../src/storage/sqlite-backend.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { readBooksOf } from '../audit.ts';
import type { SharedStoreUnderTest } from '../contracts/store-under-test.ts';
import { describeSharedStoreContract } from '../contracts/store-contract.ts';
import { collectLog } from './store-log.ts';

describeSharedStoreContract('SQLite', createSubject);

describe('openStore', () => {
  it('creates the directories on the way to the database', async (context) => {
    const directory = await createDirectory(context);
    const store = await openStore(`sqlite://${join(directory, 'some', 'where', 'easel.sqlite')}`, 'ledger');
    context.after(async () => store.close());
    assert.equal(await store.isWritable(), true);
  });

  it('lets nobody else on the machine read what it makes', async (context) => {
    const directory = await createDirectory(context);
    const place = join(directory, 'some', 'where');
    const store = await openStore(`sqlite:${join(place, 'easel.sqlite')}`, 'ledger');
    context.after(async () => store.close());
    assert.equal(await commitOnce(store), true);
    assert.equal(await modeOf(join(directory, 'some')), 0o700);
    assert.equal(await modeOf(place), 0o700);
    assert.deepEqual(await modesIn(place), PRIVATE_FILES);
  });

  it("makes the files of earlier versions private, in the operator's directory as it is", async (context) => {
    const directory = join(await createDirectory(context), 'made by the operator');
    const path = join(directory, 'easel.sqlite');
    await mkdir(directory);
    await chmod(directory, 0o755);
    const earlier = await openStore(`sqlite:${path}`, 'ledger');
    context.after(async () => earlier.close());
    for (const name of await readdir(directory)) await chmod(join(directory, name), 0o644);
    const store = await openStore(`sqlite:${path}`, 'ledger');
    context.after(async () => store.close());
    assert.deepEqual(await modesIn(directory), PRIVATE_FILES);
    assert.equal(await modeOf(directory), 0o755);
    assert.equal(await commitOnce(store), true);
  });

  it('leaves a database alone that the operator has opened to a group', async (context) => {
    const directory = await createDirectory(context);
    const path = join(directory, 'easel.sqlite');
    await (await openStore(`sqlite:${path}`, 'ledger')).close();
    await chmod(path, 0o640);
    await (await openStore(`sqlite:${path}`, 'ledger')).close();
    assert.equal(await modeOf(path), 0o640);
  });

  it('fails loudly where something else has the place of the database', async (context) => {
    const directory = await createDirectory(context);
    const path = join(directory, 'easel.sqlite');
    await writeFile(path, 'Dear diary, '.repeat(1_000));
    await assert.rejects(async () => openStore(`sqlite:${path}`, 'ledger'), StoreFailure);
    await assert.rejects(async () => openStore(`sqlite:${directory}`, 'ledger'), StoreFailure);
    await assert.rejects(async () => openStore(`sqlite:${join(path, 'below.sqlite')}`, 'ledger'), StoreFailure);
  });
});

describe('what was booked', () => {
  it('outlives a loss of power, as the connection itself tells', async (context) => {
    const { log, lines } = collectLog();
    const path = join(await createDirectory(context), 'easel.sqlite');
    await (await openStore(`sqlite:${path}`, 'ledger', { log })).close();
    assert.deepEqual(lines, []);
  });

  it('is said to be in danger where SQLite does not wait for the disk, or keeps no journal on it', async (context) => {
    using database = new DatabaseSync(join(await createDirectory(context), 'easel.sqlite'));
    database.exec('PRAGMA journal_mode = WAL');
    for (const level of ['OFF', 'NORMAL']) {
      database.exec(`PRAGMA synchronous = ${level}`);
      assert.match(findSqliteWeaknesses(database).join('\n'), /^SQLite runs with synchronous [01]: .*can be lost/);
    }
    for (const level of ['FULL', 'EXTRA']) {
      database.exec(`PRAGMA synchronous = ${level}`);
      assert.deepEqual(findSqliteWeaknesses(database), []);
    }
    database.exec('PRAGMA journal_mode = MEMORY');
    assert.match(findSqliteWeaknesses(database).join('\n'), /^SQLite runs with journal_mode memory: .*can be lost/);
  });
});

describe('a database that somebody else has locked', { concurrency: true }, () => {
  it('is waited for, while everything else goes on', async (context) => {
    const { store, path } = await openTemporaryStore(context);
    using blocker = new DatabaseSync(path);
    blocker.exec('BEGIN IMMEDIATE');
    const order: string[] = [];
    const committed = commitOnce(store).then((isCommitted) => order.push(`committed: ${isCommitted}`));
    for (let turn = 0; turn < 20; turn += 1) await sleep(5);
    assert.equal(await store.read('head'), undefined);
    order.push('unlocked');
    blocker.exec('COMMIT');
    await committed;
    assert.deepEqual(order, ['unlocked', 'committed: true']);
  });

  for (const age of ['new', 'old'] as const) {
    it(`is waited for when it is opened, be it ${age}, while everything else goes on`, async (context) => {
      const path = join(await createDirectory(context), 'easel.sqlite');
      if (age === 'old') await (await openStore(`sqlite:${path}`, 'ledger')).close();
      using blocker = new DatabaseSync(path);
      // Nobody else can even read, which is how the last that leaves a database locks it.
      blocker.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE note (text); COMMIT');
      const order: string[] = [];
      const opened = openStore(`sqlite:${path}`, 'ledger').finally(() => order.push('opened'));
      for (let turn = 0; turn < 20; turn += 1) await sleep(5);
      order.push('unlocked');
      blocker.close();
      const store = await opened;
      context.after(async () => store.close());
      assert.deepEqual(order, ['unlocked', 'opened']);
      assert.equal(await commitOnce(store), true);
    });
  }

  it('is given up in the end, loudly and with nothing written', async (context) => {
    const { store, path } = await openTemporaryStore(context);
    using blocker = new DatabaseSync(path);
    blocker.exec('BEGIN IMMEDIATE');
    await assert.rejects(async () => commitOnce(store), StoreFailure);
    blocker.exec('COMMIT');
    assert.equal(await store.read('head'), undefined);
    assert.equal(await commitOnce(store), true);
  });
});

describe('commits of one moment', () => {
  it('are all made or none, and none is told of before', async (context) => {
    const { store, path } = await openTemporaryStore(context);
    using watcher = new DatabaseSync(path);
    watcher.exec(`CREATE TRIGGER fail BEFORE INSERT ON keyv WHEN NEW.key = 'two'
      BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`);
    const commitAll = async () =>
      Promise.allSettled(
        ['one', 'two', 'three'].map(async (key) =>
          store.commit({ guard: { key, expected: undefined, next: key }, writes: [] }),
        ),
      );
    const failed = await commitAll();
    assert.ok(failed.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof StoreFailure));
    assert.deepEqual(await store.readMany(['one', 'two', 'three']), [undefined, undefined, undefined]);
    watcher.exec('DROP TRIGGER fail');
    assert.ok((await commitAll()).every((outcome) => outcome.status === 'fulfilled' && outcome.value !== undefined));
    assert.deepEqual(await store.readMany(['one', 'two', 'three']), ['one', 'two', 'three']);
  });

  it('wait together for a database that somebody else has locked', async (context) => {
    const { store, path } = await openTemporaryStore(context);
    using blocker = new DatabaseSync(path);
    blocker.exec('BEGIN IMMEDIATE');
    let reported = 0;
    const committed = ['one', 'two'].map(async (key) => {
      const version = await store.commit({ guard: { key, expected: undefined, next: key }, writes: [] });
      reported += 1;
      return version;
    });
    for (let turn = 0; turn < 20; turn += 1) await sleep(5);
    assert.equal(reported, 0);
    blocker.exec('COMMIT');
    assert.ok((await Promise.all(committed)).every((version) => version !== undefined));
  });
});

describe('isBusy', () => {
  it("knows SQLite's codes for a lock, the extended ones as well", () => {
    // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_BUSY_RECOVERY, SQLITE_LOCKED_SHAREDCACHE, SQLITE_BUSY_SNAPSHOT
    for (const code of [5, 6, 261, 262, 517]) assert.equal(isBusy(withCode(code)), true, String(code));
    // SQLITE_ERROR, SQLITE_FULL, SQLITE_CONSTRAINT, SQLITE_NOTADB
    for (const code of [1, 13, 19, 26, '5', undefined]) assert.equal(isBusy(withCode(code)), false, String(code));
    assert.equal(isBusy({ errcode: 5 }), false);
  });
});

const PERMISSION_BITS = 0o777;
const PRIVATE_FILES = { 'easel.sqlite': 0o600, 'easel.sqlite-shm': 0o600, 'easel.sqlite-wal': 0o600 };

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & PERMISSION_BITS;
}

async function modesIn(directory: string): Promise<Record<string, number>> {
  const names = (await readdir(directory)).toSorted();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await modeOf(join(directory, name))])));
}

function withCode(errcode: unknown): Error {
  return Object.assign(new Error('from SQLite'), { errcode });
}

async function commitOnce(store: Store): Promise<boolean> {
  return (await store.commit({ guard: { key: 'head', expected: undefined, next: 1 }, writes: [] })) !== undefined;
}

async function createDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-store-'));
  context.after(async () => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function openTemporaryStore(context: TestContext): Promise<{ store: Store; path: string }> {
  const path = join(await createDirectory(context), 'easel.sqlite');
  const store = await openStore(`sqlite:${path}`, 'ledger');
  context.after(async () => store.close());
  return { store, path };
}

async function createSubject(): Promise<SharedStoreUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-store-'));
  const path = join(directory, 'easel.sqlite');
  const url = `sqlite:${path}`;
  const opened: Store[] = [];
  return {
    url,
    namespace: 'ledger',
    async connect(namespace = 'ledger') {
      const store = await openStore(url, namespace);
      opened.push(store);
      return store;
    },
    plainKeyv: () => new Keyv({ store: new KeyvSqlite({ uri: `sqlite://${path}` }), namespace: 'ledger' }),
    async overwrite(key, text) {
      using database = new DatabaseSync(path);
      const { changes } = database.prepare('UPDATE keyv SET value = ? WHERE key = ?').run(text, key);
      assert.equal(changes, 1);
    },
    async failOnWriting(key) {
      using database = new DatabaseSync(path);
      database.exec(`
        CREATE TRIGGER fail_on_insert BEFORE INSERT ON keyv WHEN NEW.key = '${key}'
          BEGIN SELECT RAISE(ABORT, 'the disk is full'); END;
        CREATE TRIGGER fail_on_update BEFORE UPDATE ON keyv WHEN NEW.key = '${key}'
          BEGIN SELECT RAISE(ABORT, 'the disk is full'); END;`);
      return async () => {
        using again = new DatabaseSync(path);
        again.exec('DROP TRIGGER fail_on_insert; DROP TRIGGER fail_on_update');
      };
    },
    readBooks: async () => readBooksOf(path),
    async dispose() {
      await Promise.all(opened.map(async (store) => store.close().catch(() => undefined)));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
