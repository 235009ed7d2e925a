import { join } from 'node:path';
import type { AccountHead } from '../billing/guild-account.ts';
import { entryKey, headKey, memberKey, transferKey } from '../billing/ledger-keys.ts';
import type { Period } from '../billing/period.ts';
import { formatPeriod, periodOf, previousPeriod } from '../billing/period.ts';
import { resultKey } from '../services/result-records.ts';
import type { Account } from './accounts.ts';
import { listAccounts } from './accounts.ts';
import { readManifest, verifyArchive, writeArchive } from './archive.ts';
import type { ToolParts } from './command-line.ts';
import { ToolRefusal } from './command-line.ts';
import { folderOf, JSONL_FILE, readJournalFile } from './journal-files.ts';
import { verifyAccount } from './verification.ts';

/**
 * Moves a month that is over out of the ledger and into an archive.
 *
 * Each step can be repeated, and each is durable before the next begins: the archive is written and read back, the
 * head is marked with its hash, and only then are entries removed. Whatever a crash leaves, the same command finishes.
 */

/** How an account stands before it is pruned. */
export type PrunableAccount = Account & {
  readonly state: 'whole' | 'marked' | 'pruned';
  readonly entries: number;
  /** Why it cannot be pruned, each in one sentence. */
  readonly obstacles: readonly string[];
};

/**
 * A month can be pruned when nothing of it can come any more: the current one and the one before may still have
 * requests on the way.
 * @throws {ToolRefusal}
 */
export function requireClosedMonth(period: Period, now: number): void {
  const current = periodOf(now);
  if (period < previousPeriod(current)) return;
  throw new ToolRefusal(
    `${formatPeriod(period)} is not over for long enough; only months before the last can be pruned`,
  );
}

/** Looks at every account of a month, and changes nothing. */
export async function inspectMonth(
  { store, ledger, now }: ToolParts,
  period: Period,
): Promise<readonly PrunableAccount[]> {
  const accounts: PrunableAccount[] = [];
  for await (const account of listAccounts(ledger, { period }, now())) {
    const head = await ledger.head(account.guild, period);
    if (head.seq === 0) continue;
    if (!head.pruned) {
      const obstacles = await findObstacles(store, account, now());
      accounts.push({ ...account, state: 'whole', entries: head.seq, obstacles });
    } else {
      // The last entry is the last to be removed.
      const [last] = await store.readMany([entryKey(account.guild, period, head.seq)]);
      const state = last === undefined ? 'pruned' : 'marked';
      accounts.push({ ...account, state, entries: head.seq, obstacles: [] });
    }
  }
  return accounts;
}

async function findObstacles(store: ToolParts['store'], account: Account, now: number): Promise<readonly string[]> {
  const { journal, findings } = await verifyAccount(store, account);
  const open = Object.entries(journal.head.open).map(
    ([transfer, { expiresAt }]) =>
      `transfer ${transfer} is still open${expiresAt > now ? '' : '; its time is over, and with --yes it ends first'}`,
  );
  const unknown = [...journal.transfers]
    .filter(([, { type }]) => type === 'unknown')
    .map(([transfer]) => `transfer ${transfer} is unknown; release or post it first`);
  return [...findings, ...open, ...unknown];
}

/**
 * Prunes one account, or finishes what was begun.
 * @throws {ToolRefusal} when the archive is not what it must be; nothing was removed then.
 */
export async function pruneAccount(parts: ToolParts, directory: string, account: PrunableAccount): Promise<void> {
  if (account.state === 'pruned') return;
  if (account.state === 'whole') await archiveAndMark(parts, directory, account);
  await removeArchived(parts, directory, account);
}

async function archiveAndMark({ store, ledger, now }: ToolParts, directory: string, account: Account): Promise<void> {
  const key = headKey(account.guild, account.period);
  const stored = await store.read<AccountHead>(key);
  if (!stored) throw new ToolRefusal(`guild ${account.guild} has no account any more`);
  const existing = await readManifest(directory, account);
  if (existing?.manifest && existing.manifest.lastHash !== stored.value.lastHash) {
    throw new ToolRefusal(`${folderOf(directory, account)} holds an archive of something else; name another directory`);
  }
  const manifest = await writeArchive(ledger, directory, account, stored.value);
  const { findings } = await verifyArchive(directory, account, stored.value);
  requireNoFindings(account, findings);
  const pruned = { manifestSha256: manifest.sha256, at: now() };
  const next: AccountHead = { ...stored.value, pruned };
  const isMarked = await store.commit({ guard: { key, expected: stored.version, next }, writes: [] });
  if (!isMarked) throw new ToolRefusal(`guild ${account.guild} has had a new entry meanwhile; run it once more`);
}

/** Removes what the archive holds, the last entry last: as long as it is there, something is left to do. */
async function removeArchived({ store, ledger }: ToolParts, directory: string, account: Account): Promise<void> {
  const { guild, period } = account;
  const head = await ledger.head(guild, period);
  const { journal, findings } = await verifyArchive(directory, account, head);
  requireNoFindings(account, findings);
  await store.remove([...(journal?.members.keys() ?? [])].map((member) => memberKey(guild, period, member)));
  let first = 1;
  for await (const page of readJournalFile(join(folderOf(directory, account), JSONL_FILE))) {
    const transfers = new Set(page.map((line) => (typeof line === 'string' ? '' : line.transfer)));
    await store.remove([
      ...[...transfers].map((transfer) => transferKey(guild, transfer)),
      // What a result was made of goes with its transfer. No archive has it: with its month, its prompt is gone for good.
      ...[...transfers].map((transfer) => resultKey(guild, transfer)),
      ...page.map((_line, offset) => entryKey(guild, period, first + offset)),
    ]);
    first += page.length;
  }
}

function requireNoFindings({ guild, period }: Account, findings: readonly string[]): void {
  if (findings.length === 0) return;
  throw new ToolRefusal(`guild ${guild} ${formatPeriod(period)} was not pruned: ${findings.join('; ')}`);
}
