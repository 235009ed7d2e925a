import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

/**
 * The ledger as it lies on disk, read and added up by rules of the sandbox's own: the page must not have the bot report
 * on itself. It looks only at what it needs, so what else an entry carries may change.
 */

const nanoUsd = z.number().int();
const common = { seq: z.number().int(), transfer: z.string(), prevHash: z.string(), held: nanoUsd };
const entrySchema = z.discriminatedUnion('type', [
  z.looseObject({ ...common, type: z.literal('reserve'), amount: nanoUsd }),
  z.looseObject({ ...common, type: z.literal('dispatch') }),
  z.looseObject({
    ...common,
    type: z.literal('post'),
    charge: z.looseObject({ cost: nanoUsd, requestId: z.string().optional() }),
  }),
  z.looseObject({ ...common, type: z.literal('void') }),
  z.looseObject({ ...common, type: z.literal('unknown') }),
  z.looseObject({ ...common, type: z.literal('release') }),
  z.looseObject({ ...common, type: z.literal('adjust'), amount: nanoUsd }),
]);
type Entry = z.infer<typeof entrySchema>;
const headSchema = z.looseObject({ settled: nanoUsd, held: nanoUsd, exposure: nanoUsd, lastHash: z.string() });
type Head = z.infer<typeof headSchema>;

/** What one server's month adds up to, in nano-US-dollars. */
export type Account = {
  readonly settledNanoUsd: number;
  readonly heldNanoUsd: number;
  readonly unknownNanoUsd: number;
  /** What was booked for each of the provider's requests, with what corrected it. */
  readonly costByRequestId: ReadonlyMap<string, number>;
  /** What is wrong with the journal; undefined where it is whole. */
  readonly fault: string | undefined;
};

/** Accounts by `guild/YYYYMM`. */
export type Accounts = ReadonlyMap<string, Account>;

export function accountKey(guildId: string, period: string): string {
  return `${guildId}/${period}`;
}

const DATABASE_NAME = 'easel.sqlite';
const NO_HASH = '0'.repeat(64);

/**
 * Adds up every journal under a bot's data directory; nothing where no bot has written there yet.
 * @throws {Error} when the database cannot be read right now, as in the moment in which a bot creates it.
 */
export function readAccounts(dataDirectory: string): Accounts {
  const path = join(dataDirectory, DATABASE_NAME);
  if (!existsSync(path)) return new Map();
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = database
      .prepare(
        "SELECT key, value FROM keyv WHERE namespace = 'ledger' AND (key LIKE 'head:%' OR key LIKE 'entry:%') ORDER BY key",
      )
      .all();
    return addUp(rows.map((row) => [String(row['key']), String(row['value'])]));
  } finally {
    database.close();
  }
}

/** Adds up the ledger's rows, each a key and the text that is stored under it, in the order of their keys. */
function addUp(rows: readonly (readonly [key: string, text: string])[]): Accounts {
  const heads = new Map<string, Head>();
  const journals = new Map<string, JournalSum>();
  for (const [key, text] of rows) {
    // Such as `entry:{guild}:YYYYMM:00000042`.
    const [kind, guild = '', period = ''] = key.split(':');
    const account = accountKey(guild.replaceAll(/[{}]/g, ''), period);
    const stored = z.looseObject({ value: z.unknown() }).parse(JSON.parse(text)).value;
    if (kind === 'head') heads.set(account, headSchema.parse(stored));
    else journals.set(account, addEntry(journals.get(account) ?? emptySum(), stored));
  }
  return new Map([...journals].map(([account, sum]) => [account, closeAccount(sum, heads.get(account))]));
}

type JournalSum = {
  settled: number;
  held: number;
  unknown: number;
  lastSeq: number;
  lastHash: string;
  fault: string | undefined;
  readonly costByRequestId: Map<string, number>;
  /** By the transfer that was booked, because a correction names no other. */
  readonly requestIdByTransfer: Map<string, string>;
  /** Where each request stands: held, or unknown, with the amount. */
  readonly open: Map<string, { readonly state: 'held' | 'unknown'; readonly amount: number }>;
};

function emptySum(): JournalSum {
  return {
    settled: 0,
    held: 0,
    unknown: 0,
    lastSeq: 0,
    lastHash: NO_HASH,
    fault: undefined,
    costByRequestId: new Map(),
    requestIdByTransfer: new Map(),
    open: new Map(),
  };
}

function addEntry(sum: JournalSum, stored: unknown): JournalSum {
  const entry = entrySchema.parse(stored);
  if (entry.seq !== sum.lastSeq + 1) sum.fault ??= `entry ${sum.lastSeq + 1} is missing`;
  if (entry.prevHash !== sum.lastHash) sum.fault ??= `the chain is broken at entry ${entry.seq}`;
  sum.lastSeq = entry.seq;
  // The hash is that of the text as it is stored, and not of what the schema has made of it.
  sum.lastHash = createHash('sha256').update(JSON.stringify(stored)).digest('hex');
  settle(sum, entry);
  return sum;
}

function settle(sum: JournalSum, entry: Entry): void {
  if (entry.type === 'dispatch') return;
  if (entry.type === 'adjust') return charge(sum, sum.requestIdByTransfer.get(entry.transfer), entry.amount);
  const open = sum.open.get(entry.transfer);
  if (open?.state === 'held') sum.held -= open.amount;
  if (open?.state === 'unknown') sum.unknown -= open.amount;
  sum.open.delete(entry.transfer);
  switch (entry.type) {
    case 'reserve':
      sum.held += entry.amount;
      sum.open.set(entry.transfer, { state: 'held', amount: entry.amount });
      break;
    case 'unknown':
      sum.unknown += entry.held;
      sum.open.set(entry.transfer, { state: 'unknown', amount: entry.held });
      break;
    case 'post': {
      const { cost, requestId } = entry.charge;
      if (requestId !== undefined) sum.requestIdByTransfer.set(entry.transfer, requestId);
      charge(sum, requestId, cost);
      break;
    }
    case 'void':
    case 'release':
      break;
  }
}

function charge(sum: JournalSum, requestId: string | undefined, amount: number): void {
  sum.settled += amount;
  if (requestId === undefined) return;
  sum.costByRequestId.set(requestId, (sum.costByRequestId.get(requestId) ?? 0) + amount);
}

/** Holds the sum of a journal against the head, which is what the bot itself goes by. */
function closeAccount(sum: JournalSum, head: Head | undefined): Account {
  const isHead =
    head?.settled === sum.settled &&
    head.held === sum.held &&
    head.exposure === sum.unknown &&
    head.lastHash === sum.lastHash;
  return {
    settledNanoUsd: sum.settled,
    heldNanoUsd: sum.held,
    unknownNanoUsd: sum.unknown,
    costByRequestId: sum.costByRequestId,
    fault: sum.fault ?? (isHead ? undefined : 'the journal does not add up to its own totals'),
  };
}
