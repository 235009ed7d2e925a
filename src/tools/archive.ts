import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { AccountHead } from '../billing/guild-account.ts';
import type { ReplayedJournal } from '../billing/journal-replay.ts';
import { replayJournal } from '../billing/journal-replay.ts';
import type { Ledger } from '../billing/ledger.ts';
import { formatPeriod } from '../billing/period.ts';
import { isErrorCode } from '../services/spool/durable-file.ts';
import type { Account } from './accounts.ts';
import type { WrittenFile } from './journal-files.ts';
import {
  folderOf,
  JSONL_FILE,
  measureFile,
  readJournalFile,
  writeJournalFiles,
  writeTextFile,
} from './journal-files.ts';

/**
 * What an archive says of itself. Its own SHA-256 stays in the ledger, so that nobody can exchange the archive of a
 * month for another one.
 */
export type Manifest = z.infer<typeof manifestSchema>;

const MANIFEST_FILE = 'manifest.json';

const manifestSchema = z.object({
  v: z.literal(1),
  guild: z.string(),
  /** Such as `2026-08`. */
  month: z.string(),
  entries: z.int(),
  settledNanoUsd: z.int(),
  heldNanoUsd: z.int(),
  exposureNanoUsd: z.int(),
  /** The SHA-256 of the last entry, in hex. */
  lastHash: z.string(),
  files: z.array(z.object({ name: z.string(), sha256: z.string(), sizeBytes: z.int() })),
});

/** An archive that was read back from disk. */
export type ArchiveVerdict = {
  readonly manifestSha256: string | undefined;
  readonly journal: ReplayedJournal | undefined;
  /** Everything that is not as it should be, each in one sentence. */
  readonly findings: readonly string[];
};

/** Writes an account's archive: both files of its entries, and last the manifest that vouches for them. */
export async function writeArchive(
  ledger: Ledger,
  directory: string,
  account: Account,
  head: AccountHead,
): Promise<WrittenFile> {
  const folder = folderOf(directory, account);
  const files = await writeJournalFiles(ledger, folder, account);
  const manifest: Manifest = { ...summaryOf(account, head), files: [...files] };
  return writeTextFile(folder, MANIFEST_FILE, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Reads a manifest, or answers undefined where there is none. */
export async function readManifest(
  directory: string,
  account: Account,
): Promise<{ readonly manifest: Manifest | undefined; readonly sha256: string } | undefined> {
  const path = join(folderOf(directory, account), MANIFEST_FILE);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const manifest = manifestSchema.safeParse(parseJson(text));
  return { manifest: manifest.data, sha256: createHash('sha256').update(text).digest('hex') };
}

/** Replays an archive from disk, and holds it against its manifest and against the head that stayed in the ledger. */
export async function verifyArchive(directory: string, account: Account, head: AccountHead): Promise<ArchiveVerdict> {
  const found = await readManifest(directory, account);
  if (!found) return { ...nothingRead, findings: [`there is no archive in ${folderOf(directory, account)}`] };
  const { manifest, sha256 } = found;
  if (head.pruned && head.pruned.manifestSha256 !== sha256) {
    return { ...nothingRead, findings: ['the manifest is not the one by which the month was pruned'] };
  }
  if (!manifest) return { ...nothingRead, findings: ['the manifest cannot be read'] };
  const findings = await checkFiles(directory, account, manifest.files);
  const { files: _files, ...summary } = manifest;
  if (JSON.stringify(summary) !== JSON.stringify(summaryOf(account, head))) {
    findings.push('the manifest does not agree with the head');
  }
  if (findings.length > 0) return { ...nothingRead, findings };
  const journal = await replayJournal(readJournalFile(join(folderOf(directory, account), JSONL_FILE)), account.period);
  findings.push(...journal.faults.map(({ seq, problem }) => `entry ${seq} of the archive ${problem}`));
  if (JSON.stringify(summaryOf(account, journal.head)) !== JSON.stringify(summary)) {
    findings.push('the entries of the archive do not add up to its manifest');
  }
  return { manifestSha256: sha256, journal, findings };
}

const nothingRead = { manifestSha256: undefined, journal: undefined };

async function checkFiles(directory: string, account: Account, files: readonly WrittenFile[]): Promise<string[]> {
  const findings: string[] = [];
  if (!files.some(({ name }) => name === JSONL_FILE)) findings.push(`the manifest does not name ${JSONL_FILE}`);
  for (const { name, sha256, sizeBytes } of files) {
    const measured = await measureFile(join(folderOf(directory, account), name)).catch((error: unknown) => {
      if (isErrorCode(error, 'ENOENT')) return undefined;
      throw error;
    });
    if (!measured) findings.push(`${name} is missing`);
    else if (measured.sha256 !== sha256 || measured.sizeBytes !== sizeBytes) findings.push(`${name} was changed`);
  }
  return findings;
}

function summaryOf({ guild, period }: Account, head: AccountHead): Omit<Manifest, 'files'> {
  return {
    v: 1,
    guild,
    month: formatPeriod(period),
    entries: head.seq,
    settledNanoUsd: head.settled,
    heldNanoUsd: head.held,
    exposureNanoUsd: head.exposure,
    lastHash: head.lastHash,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
