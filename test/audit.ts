import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AccountHead, Entry, TransferState } from '../src/billing/guild-account.ts';
import type { Bill } from '../sandbox/provider/billing-log.ts';

/**
 * The judge of the ledger. It reads the bot's database as it lies on disk, adds the journal up by rules of its own,
 * and holds the result against the provider's bills, which the bot never sees.
 */
export type Books = {
  readonly heads: ReadonlyMap<string, AccountHead>;
  readonly entries: ReadonlyMap<string, readonly Entry[]>;
  readonly transfers: ReadonlyMap<string, TransferState>;
};

/** Reads everything that a bot has written under its data directory. Keys are `guild/period` and transfer ids. */
export function readBooks(dataDirectory: string): Books {
  return readBooksOf(join(dataDirectory, 'easel.sqlite'));
}

/** Reads the books out of a database file. */
export function readBooksOf(databasePath: string): Books {
  const database = new DatabaseSync(databasePath, { readOnly: true });
  try {
    const rows = database.prepare("SELECT key, value FROM keyv WHERE namespace = 'ledger' ORDER BY key").all();
    return sortBooks(rows.map((row) => [String(row['key']), String(row['value'])]));
  } finally {
    database.close();
  }
}

/** Sorts the ledger's rows, each a key and the text that is stored under it, in the order of their keys. */
export function sortBooks(rows: Iterable<readonly [key: string, text: string]>): Books {
  const heads = new Map<string, AccountHead>();
  const entries = new Map<string, Entry[]>();
  const transfers = new Map<string, TransferState>();
  for (const [key, text] of rows) {
    const [kind, guild = '', third = ''] = key.split(':');
    const { value } = JSON.parse(text) as { value: unknown };
    const account = `${guild}/${third}`;
    if (kind === 'head') heads.set(account, value as AccountHead);
    if (kind === 'tx') transfers.set(third, value as TransferState);
    if (kind === 'entry') entries.set(account, [...(entries.get(account) ?? []), value as Entry]);
  }
  return { heads, entries, transfers };
}

/** What an audit found to be true, for whoever wants to print or compare it. */
export type AuditTotals = {
  readonly settled: number;
  readonly held: number;
  readonly exposure: number;
  readonly posted: number;
  readonly unknown: number;
  readonly voided: number;
};

/**
 * Checks that the journal gives the head, that the chain is whole, that the cap held at every commit, and that what
 * was posted is what the provider billed, to the nano-dollar, with its usage unchanged.
 * @param limit the budget of every guild, in nano-dollars
 */
export function auditBooks(books: Books, bills: readonly Bill[], limit: number): AuditTotals {
  const totals = { settled: 0, held: 0, exposure: 0, posted: 0, unknown: 0, voided: 0 };
  const unpaired = [...bills];
  const uncertain: Entry[] = [];
  for (const [account, head] of books.heads) {
    const sum = replay(books.entries.get(account) ?? [], limit, head.lastHash);
    assert.deepEqual(
      { settled: head.settled, held: head.held, exposure: head.exposure },
      { settled: sum.settled, held: sum.held, exposure: sum.exposure },
      `the journal of ${account} does not add up to its head`,
    );
    totals.settled += sum.settled;
    totals.held += sum.held;
    totals.exposure += sum.exposure;
    for (const entry of sum.last.values()) {
      if (entry.type === 'post') {
        totals.posted += 1;
        takeBill(unpaired, entry);
      } else if (entry.type === 'unknown') {
        totals.unknown += 1;
        uncertain.push(entry);
      } else if (entry.type === 'void') {
        totals.voided += 1;
      }
    }
  }
  // Whatever else was billed must be among the unknown: nothing that was paid for is lost.
  assert.ok(
    unpaired.length <= uncertain.length,
    `${unpaired.length} bills have no entry, and only ${uncertain.length} entries are unknown`,
  );
  return totals;
}

function replay(entries: readonly Entry[], limit: number, lastHash: string) {
  const sum = { settled: 0, held: 0, exposure: 0 };
  const last = new Map<string, Entry>();
  let previousHash = '0'.repeat(64);
  entries.forEach((entry, index) => {
    assert.equal(entry.seq, index + 1, 'the journal has a hole');
    assert.equal(entry.prevHash, previousHash, `the chain is broken at entry ${entry.seq}`);
    previousHash = createHash('sha256').update(JSON.stringify(entry)).digest('hex');
    const before = last.get(entry.transfer)?.type;
    if (entry.type === 'reserve') {
      assert.equal(before, undefined, `transfer ${entry.transfer} was reserved twice`);
      sum.held += entry.amount;
      assert.ok(sum.settled + sum.held + sum.exposure <= limit, `the cap was passed at entry ${entry.seq}`);
    } else if (entry.type === 'post') {
      assert.notEqual(before, 'post', `transfer ${entry.transfer} was posted twice`);
      if (before === 'unknown') sum.exposure -= entry.held;
      else if (before === 'dispatch') sum.held -= entry.held;
      sum.settled += entry.charge.cost;
    } else if (entry.type === 'void') {
      sum.held -= entry.held;
    } else if (entry.type === 'unknown') {
      sum.held -= entry.held;
      sum.exposure += entry.held;
    } else if (entry.type === 'release') {
      sum.exposure -= entry.held;
    } else if (entry.type === 'adjust') {
      sum.settled += entry.amount;
    }
    last.set(entry.transfer, entry);
  });
  assert.equal(previousHash, lastHash, 'the head does not end the chain');
  return { ...sum, last };
}

function takeBill(unpaired: Bill[], entry: Extract<Entry, { type: 'post' }>): void {
  const at = unpaired.findIndex(({ requestId }) => requestId === entry.charge.requestId);
  const [bill] = at === -1 ? [] : unpaired.splice(at, 1);
  assert.ok(bill, `transfer ${entry.transfer} was posted, and the provider billed no such call`);
  assert.equal(entry.charge.cost, Number(bill.costNanoUsd), `transfer ${entry.transfer} was posted at a wrong price`);
  assert.deepEqual(entry.charge.usage, bill.usage, `transfer ${entry.transfer} does not keep the usage as it was sent`);
}

/** The jobs that have not ended, by the names of their folders. */
export async function openJobs(dataDirectory: string): Promise<string[]> {
  return readdir(join(dataDirectory, 'spool'));
}
