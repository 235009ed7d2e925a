import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { AccountHead, Entry, MovementType, TransferState } from '../src/billing/guild-account.ts';
import type { MemberAccount, MemberLimits } from '../src/billing/member-account.ts';
import { IDLE_PREFIX } from '../src/services/spool/idle-folders.ts';
import { createRecordFile } from '../src/services/spool/record-file.ts';

/**
 * The judge of the ledger. It reads the bot's database as it lies on disk, adds the journal up by rules of its own,
 * and holds the result against the provider's bills, which the bot never sees.
 */
export type Books = {
  readonly heads: ReadonlyMap<string, AccountHead>;
  readonly entries: ReadonlyMap<string, readonly Entry[]>;
  readonly transfers: ReadonlyMap<string, TransferState>;
  readonly members: ReadonlyMap<string, MemberAccount>;
};

/** Reads everything that a bot has written under its data directory: by `guild/period`, by transfer, by member. */
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

/** The name of an account in the books; its braces are those of the ledger's keys. */
export function accountName(guild: string, period: string): string {
  return `{${guild}}/${period}`;
}

/** The name of a member's part of an account. */
export function memberName(account: string, member: string): string {
  return `${account}/${member}`;
}

/** What Keyv keeps under a key. The audit compares every field that it looks at, so another shape does not pass. */
type Stored<Value> = { readonly value: Value };

/** Sorts the ledger's rows, each a key and the text that is stored under it, in the order of their keys. */
export function sortBooks(rows: Iterable<readonly [key: string, text: string]>): Books {
  const heads = new Map<string, AccountHead>();
  const entries = new Map<string, Entry[]>();
  const transfers = new Map<string, TransferState>();
  const members = new Map<string, MemberAccount>();
  for (const [key, text] of rows) {
    const [kind, guild = '', third = '', fourth = ''] = key.split(':');
    const account = `${guild}/${third}`;
    if (kind === 'head') {
      const head: Stored<AccountHead> = JSON.parse(text);
      heads.set(account, head.value);
    } else if (kind === 'tx') {
      const transfer: Stored<TransferState> = JSON.parse(text);
      transfers.set(third, transfer.value);
    } else if (kind === 'member') {
      const member: Stored<MemberAccount> = JSON.parse(text);
      members.set(memberName(account, fourth), member.value);
    } else if (kind === 'entry') {
      const entry: Stored<Entry> = JSON.parse(text);
      const journal = entries.get(account) ?? [];
      journal.push(entry.value);
      entries.set(account, journal);
    }
  }
  return { heads, entries, transfers, members };
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

/** What the audit has to know of a call that the provider billed. */
export type AuditedBill = {
  readonly requestId: string;
  readonly costNanoUsd: number;
  /** As the answer told it. */
  readonly usage: unknown;
  /** Which one it was, where the provider of a test knows what no real one does. */
  readonly transfer?: string;
};

/**
 * Checks that the journal gives the head, every member's part and the state of every transfer, that the chain is whole,
 * that the cap and the limits held at every commit, and that what was posted is what the provider billed, to the
 * nano-dollar, with its usage unchanged.
 * @param limit the budget of every guild, in nano-dollars
 * @param memberLimits those of every member
 */
export function auditBooks(
  books: Books,
  bills: readonly AuditedBill[],
  limit: number,
  memberLimits: MemberLimits = {},
): AuditTotals {
  const totals = { settled: 0, held: 0, exposure: 0, posted: 0, unknown: 0, voided: 0 };
  const unpaired = [...bills];
  const uncertain: UncertainCall[] = [];
  const transfers = new Set<string>();
  const members = new Set<string>();
  for (const account of new Set([...books.heads.keys(), ...books.entries.keys()])) {
    const entries = books.entries.get(account) ?? [];
    const sum = replayJournal(entries, limit, memberLimits);
    assertHead(books.heads.get(account), sum, entries, account);
    for (const [id, part] of sum.members) {
      const name = memberName(account, id);
      members.add(name);
      assert.deepEqual(
        books.members.get(name),
        { v: 1, ...part },
        `the journal does not add up to the part of ${name}`,
      );
    }
    totals.settled += sum.settled;
    totals.held += sum.held;
    totals.exposure += sum.exposure;
    for (const [transfer, { reserved, requestId, ending, lastSeq, lastType }] of sum.transfers) {
      transfers.add(transfer);
      const { seq, type } = books.transfers.get(transfer) ?? {};
      assert.deepEqual(
        { seq, type },
        { seq: lastSeq, type: lastType },
        `transfer ${transfer} is not where its entries end`,
      );
      if (ending.type === 'post') {
        totals.posted += 1;
        takeBill(unpaired, ending);
      } else if (ending.type === 'unknown') {
        totals.unknown += 1;
      } else if (ending.type === 'void') {
        totals.voided += 1;
      }
      if (ending.type === 'unknown' || ending.type === 'release')
        uncertain.push({ transfer, requestId, held: reserved });
    }
  }
  const strangers = [...books.transfers.keys()].filter((transfer) => !transfers.has(transfer));
  assert.deepEqual(strangers, [], 'transfers without an entry');
  const strangeMembers = [...books.members.keys()].filter((name) => !members.has(name));
  assert.deepEqual(strangeMembers, [], 'members without an entry');
  assertNothingLost(unpaired, uncertain);
  return totals;
}

/** A call of which the books say that nobody knows what it cost, be it given up or not. */
type UncertainCall = {
  readonly transfer: string;
  /** What the provider's answer told, where one came. */
  readonly requestId: string | undefined;
  readonly held: number;
};

/**
 * Demands that each bill without an entry of its own is that of an uncertain call, no two of them that of the same: of
 * its own where that is known, of the one that knows the bill's request, or else of one that knows none and held enough.
 * Nothing that was paid for is lost.
 */
function assertNothingLost(unpaired: readonly AuditedBill[], uncertain: readonly UncertainCall[]): void {
  const calls = [...uncertain];
  const takeCall = (isOfBill: (call: UncertainCall) => boolean): boolean => {
    const at = calls.findIndex(isOfBill);
    return at !== -1 && calls.splice(at, 1).length > 0;
  };
  const strangers = unpaired.filter(
    (bill) =>
      !takeCall(({ transfer, requestId }) =>
        bill.transfer === undefined ? requestId === bill.requestId : transfer === bill.transfer,
      ),
  );
  // A call that knows its request stands for no other.
  const holds = calls.filter(({ requestId }) => requestId === undefined).map(({ held }) => held);
  holds.sort((one, other) => other - one);
  strangers.sort((one, other) => other.costNanoUsd - one.costNanoUsd);
  // Where the dearest bill goes to the greatest hold, and so on, all of them find one if they can at all.
  const lost = strangers.filter(
    ({ transfer, costNanoUsd }, index) => transfer !== undefined || costNanoUsd > (holds[index] ?? -1),
  );
  assert.deepEqual(lost, [], 'bills without an entry, and without an unknown call that they could be of');
}

/** What a guild and each of its members have alike. */
type Totals = { settled: number; held: number; exposure: number };

type MemberSum = Totals & {
  /** By UTC day, as `YYYYMMDD`. */
  readonly imagesByDay: Record<string, number>;
};

/** What a journal adds up to. */
export type JournalSum = Totals & {
  readonly counts: Record<MovementType, number>;
  readonly transfers: Map<string, TransferSum>;
  readonly members: Map<string, MemberSum>;
  /** The SHA-256 of the last entry, in hex. */
  lastHash: string;
};

type TransferSum = {
  readonly reserved: number;
  readonly member: string;
  readonly images: number;
  isHeld: boolean;
  /** That of a call whose outcome was unknown, where the provider told it. */
  requestId: string | undefined;
  /** The entry that says how it ended; corrections of a bill are not an end of their own. */
  ending: Entry;
  lastSeq: number;
  lastType: MovementType;
};

/** After which movements of the same transfer each movement makes sense. */
const predecessors: Readonly<Record<Exclude<MovementType, 'reserve'>, readonly MovementType[]>> = {
  dispatch: ['reserve'],
  post: ['dispatch', 'unknown', 'release'],
  void: ['reserve', 'dispatch', 'unknown'],
  unknown: ['dispatch'],
  release: ['unknown'],
  adjust: ['post'],
};

/** Adds a journal up from nothing, and checks every line of it on the way. */
export function replayJournal(entries: readonly Entry[], limit: number, memberLimits: MemberLimits = {}): JournalSum {
  const sum: JournalSum = {
    settled: 0,
    held: 0,
    exposure: 0,
    counts: { reserve: 0, dispatch: 0, post: 0, void: 0, unknown: 0, release: 0, adjust: 0 },
    transfers: new Map(),
    members: new Map(),
    lastHash: '0'.repeat(64),
  };
  entries.forEach((entry, index) => {
    assert.equal(entry.seq, index + 1, 'the journal has a hole');
    assert.equal(entry.prevHash, sum.lastHash, `the chain is broken at entry ${entry.seq}`);
    sum.lastHash = createHash('sha256').update(JSON.stringify(entry)).digest('hex');
    sum.counts[entry.type] += 1;
    if (entry.type === 'reserve') addReservation(sum, entry, limit, memberLimits);
    else addMovement(sum, entry);
  });
  return sum;
}

function addReservation(
  sum: JournalSum,
  entry: Extract<Entry, { type: 'reserve' }>,
  limit: number,
  { nanoUsdPerMonth = Infinity, imagesPerDay = Infinity, openHolds = Infinity }: MemberLimits,
): void {
  const { transfer, seq, type, amount: reserved } = entry;
  const { member, count: images } = entry.details;
  assert.ok(!sum.transfers.has(transfer), `transfer ${transfer} was reserved twice`);
  const ending = { ending: entry, lastSeq: seq, lastType: type };
  sum.transfers.set(transfer, { reserved, member, images, isHeld: true, requestId: undefined, ...ending });
  const part = sum.members.get(member) ?? { settled: 0, held: 0, exposure: 0, imagesByDay: {} };
  sum.members.set(member, part);
  for (const totals of [sum, part]) totals.held += reserved;
  const imagesOfDay = addImages(part, transfer, images);
  assert.ok(usedOf(sum) <= limit, `the cap was passed at entry ${seq}`);
  assert.ok(usedOf(part) <= nanoUsdPerMonth, `the limit of member ${member} was passed at entry ${seq}`);
  assert.ok(imagesOfDay <= imagesPerDay, `member ${member} got more images than one day has at entry ${seq}`);
  const holds = [...sum.transfers.values()].filter((other) => other.isHeld && other.member === member);
  assert.ok(holds.length <= openHolds, `member ${member} had ${holds.length} holds at entry ${seq}`);
}

function usedOf({ settled, held, exposure }: Totals): number {
  return settled + held + exposure;
}

const DISCORD_EPOCH_MS = Date.UTC(2015, 0, 1);

/** Adds images to the day in which the id of their request was made, and answers how many that day has. */
function addImages({ imagesByDay }: MemberSum, transfer: string, images: number): number {
  const madeAt = new Date(Number(BigInt(transfer) >> 22n) + DISCORD_EPOCH_MS);
  const day = madeAt.toISOString().slice(0, 'YYYY-MM-DD'.length).replaceAll('-', '');
  imagesByDay[day] = (imagesByDay[day] ?? 0) + images;
  return imagesByDay[day];
}

function addMovement(sum: JournalSum, entry: Exclude<Entry, { type: 'reserve' }>): void {
  const { type, transfer: id } = entry;
  const transfer = sum.transfers.get(id);
  assert.ok(transfer, `entry ${entry.seq} moves a transfer that was never reserved`);
  const before = transfer.lastType;
  assert.ok(predecessors[type].includes(before), `transfer ${id} went from ${before} to ${type} at entry ${entry.seq}`);
  const part = sum.members.get(transfer.member);
  assert.ok(part, `transfer ${id} was reserved by nobody`);
  for (const totals of [sum, part]) addAmounts(totals, transfer, entry);
  if (type === 'void' || type === 'release') addImages(part, id, -transfer.images);
  if (type === 'post' && before === 'release') addImages(part, id, transfer.images);
  if (type === 'unknown') transfer.requestId = entry.requestId;
  if (type !== 'adjust') {
    if (type !== 'dispatch') transfer.isHeld = false;
    transfer.ending = entry;
    transfer.lastType = type;
  }
  transfer.lastSeq = entry.seq;
}

function addAmounts(totals: Totals, transfer: TransferSum, entry: Exclude<Entry, { type: 'reserve' }>): void {
  const { type } = entry;
  if (type === 'adjust') {
    totals.settled += entry.amount;
  } else if (type !== 'dispatch') {
    if (transfer.isHeld) totals.held -= transfer.reserved;
    if (transfer.lastType === 'unknown') totals.exposure -= transfer.reserved;
    if (type === 'unknown') totals.exposure += transfer.reserved;
    if (type === 'post') totals.settled += entry.charge.cost;
  }
}

function assertHead(head: AccountHead | undefined, sum: JournalSum, entries: readonly Entry[], account: string): void {
  const held = [...sum.transfers].filter(([, { isHeld }]) => isHeld);
  const { settled, exposure, counts, lastHash } = sum;
  const expected = { settled, held: sum.held, exposure, counts, lastHash, seq: entries.length };
  const open = Object.fromEntries(held.map(([transfer, { reserved }]) => [transfer, reserved]));
  assert.ok(head, `${account} has entries and no head`);
  const { open: holds, v, ...told } = head;
  assert.equal(v, 1);
  assert.deepEqual(told, expected, `the journal of ${account} does not add up to its head`);
  const openTold = Object.fromEntries(Object.entries(holds).map(([transfer, { amount }]) => [transfer, amount]));
  assert.deepEqual(openTold, open, `the open holds of ${account} are not those of its journal`);
}

function takeBill(unpaired: AuditedBill[], entry: Extract<Entry, { type: 'post' }>): void {
  const at = unpaired.findIndex(({ requestId }) => requestId === entry.charge.requestId);
  const [bill] = at === -1 ? [] : unpaired.splice(at, 1);
  assert.ok(bill, `transfer ${entry.transfer} was posted, and the provider billed no such call`);
  assert.equal(entry.charge.cost, bill.costNanoUsd, `transfer ${entry.transfer} was posted at a wrong price`);
  // Where images are charged by the piece, an answer without a usage can be posted all the same.
  if (entry.charge.usage === null && entry.charge.rule === 'per-image') return;
  assert.deepEqual(entry.charge.usage, bill.usage, `transfer ${entry.transfer} does not keep the usage as it was sent`);
}

/** The jobs that have not ended, by the names of their folders. */
export async function openJobs(dataDirectory: string): Promise<string[]> {
  const spool = join(dataDirectory, 'spool');
  return (await readdir(spool)).filter((folder) => isOpenJob(join(spool, folder)));
}

/** Whether a folder of the spool is that of a job that has not ended. */
export function isOpenJob(folder: string): boolean {
  return !basename(folder).startsWith(IDLE_PREFIX) && !keepsOriginalsOnly(folder);
}

/** Whether a job has ended, and its folder has nothing any more but pictures that can be fetched as they came. */
function keepsOriginalsOnly(folder: string): boolean {
  try {
    const record = createRecordFile(join(folder, 'job.json'), false).read();
    const { originals } = z
      .looseObject({ originals: z.array(z.object({ file: z.string() })).optional() })
      .parse(record);
    const kept = originals && ['job.json', ...originals.map(({ file }) => file)];
    return kept !== undefined && readdirSync(folder).every((file) => kept.includes(file));
  } catch {
    // It is being cleared away, or has no record yet.
    return false;
  }
}
