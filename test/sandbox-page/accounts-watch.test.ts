import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { watchAccounts } from '../../sandbox/page/accounts-watch.ts';

const ACCOUNT = '1/202611';
const SETTLED_LONG_AGO = new Date('2026-11-01');

/** A ledger on disk whose only entry is an adjustment. */
function writeLedger(test: TestContext, amount: number) {
  const directory = mkdtempSync(join(tmpdir(), 'easel-accounts-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'easel.sqlite');
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE keyv (namespace TEXT, key TEXT, value TEXT)');
  const insert = database.prepare("INSERT INTO keyv VALUES ('ledger', ?, ?)");
  insert.run('entry:{1}:202611:00000001', textOf(amount));
  const change = (nextAmount: number): void => {
    database.prepare('UPDATE keyv SET value = ?').run(textOf(nextAmount));
  };
  test.after(() => database.close());
  return { directory, path, change };
}

function textOf(amount: number): string {
  const entry = { type: 'adjust', seq: 1, transfer: 't', prevHash: '0'.repeat(64), held: 0, amount };
  return JSON.stringify({ value: entry });
}

describe('the accounts that the page shows', () => {
  it('follow a change that its file does not tell, as one within the same tick of the clock', (t) => {
    const { directory, path, change } = writeLedger(t, 1);
    const look = watchAccounts(directory);
    const before = statSync(path);
    assert.equal(look().get(ACCOUNT)?.settledNanoUsd, 1);
    change(2);
    utimesSync(path, before.atime, before.mtime);
    assert.equal(statSync(path).size, before.size);
    assert.equal(look().get(ACCOUNT)?.settledNanoUsd, 2);
  });

  it('are not read again where nobody has written for a while', (t) => {
    const { directory, path, change } = writeLedger(t, 1);
    utimesSync(path, SETTLED_LONG_AGO, SETTLED_LONG_AGO);
    const look = watchAccounts(directory);
    const first = look();
    change(2);
    utimesSync(path, SETTLED_LONG_AGO, SETTLED_LONG_AGO);
    assert.equal(look(), first);
    utimesSync(path, new Date(), new Date());
    assert.equal(look().get(ACCOUNT)?.settledNanoUsd, 2);
  });
});
