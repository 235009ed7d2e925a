import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JournalLine } from '../billing/journal-replay.ts';
import type { Ledger } from '../billing/ledger.ts';
import { formatPeriod } from '../billing/period.ts';
import { isEntry } from '../billing/stored-entry.ts';
import { CSV_HEADER, exportLines } from '../services/usage/ledger-export.ts';
import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from '../storage/private-modes.ts';
import type { Account } from './accounts.ts';

/** A file that was written to its end. */
export type WrittenFile = { readonly name: string; readonly sha256: string; readonly sizeBytes: number };

/** The entries as they are, one JSON object a line. */
export const JSONL_FILE = 'entries.jsonl';
const CSV_FILE = 'entries.csv';

const CHUNK_LENGTH_MAX = 256 * 1024;
const LINES_PER_PAGE = 500;

/** Where the files of an account lie under a directory. */
export function folderOf(directory: string, { guild, period }: Account): string {
  return join(directory, formatPeriod(period), guild);
}

/** Writes an account's entries as a table and as JSON, line by line, and answers what was written. */
export async function writeJournalFiles(
  ledger: Ledger,
  folder: string,
  { guild, period }: Account,
): Promise<readonly WrittenFile[]> {
  const jsonl = await openWriter(folder, JSONL_FILE);
  const csv = await openWriter(folder, CSV_FILE);
  try {
    await csv.write(CSV_HEADER);
    for await (const line of exportLines(ledger, guild, period)) {
      await jsonl.write(line.jsonl);
      await csv.write(line.csv);
    }
    return [await jsonl.finish(), await csv.finish()];
  } finally {
    await Promise.all([jsonl.close(), csv.close()]);
  }
}

/** Writes one whole file. */
export async function writeTextFile(folder: string, name: string, text: string): Promise<WrittenFile> {
  const writer = await openWriter(folder, name);
  try {
    await writer.write(text);
    return await writer.finish();
  } finally {
    await writer.close();
  }
}

/** Reads exported entries back, with a note where a line is none. */
export async function* readJournalFile(path: string): AsyncGenerator<readonly JournalLine[]> {
  let page: JournalLine[] = [];
  for await (const line of readLines(path)) {
    page.push(toLine(line));
    if (page.length < LINES_PER_PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** `readline` would end lines at U+2028 and U+2029 as well, which JSON leaves as they are within its texts. */
async function* readLines(path: string): AsyncGenerator<string> {
  let begun = '';
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (begun + chunk).split('\n');
    begun = lines.pop() ?? '';
    yield* lines;
  }
  if (begun !== '') yield begun;
}

/** The SHA-256 of a file in hex, and its length. */
export async function measureFile(path: string): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

function toLine(text: string): JournalLine {
  try {
    const value: unknown = JSON.parse(text);
    return isEntry(value) ? value : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

type Writer = {
  write(text: string): Promise<void>;
  /** Gives the file its name: until then, nobody finds half of one under it. */
  finish(): Promise<WrittenFile>;
  close(): Promise<void>;
};

async function openWriter(folder: string, name: string): Promise<Writer> {
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  const partialPath = join(folder, `${name}.partial`);
  const file = await open(partialPath, 'w', PRIVATE_FILE_MODE);
  const hash = createHash('sha256');
  let waiting = '';
  let sizeBytes = 0;
  let isOpen = true;

  async function flush(): Promise<void> {
    const bytes = Buffer.from(waiting);
    waiting = '';
    hash.update(bytes);
    sizeBytes += bytes.length;
    await writeAll(file, bytes);
  }

  async function close(): Promise<void> {
    if (isOpen) await file.close();
    isOpen = false;
  }

  return {
    close,
    async write(text) {
      waiting += text;
      if (waiting.length >= CHUNK_LENGTH_MAX) await flush();
    },
    async finish() {
      await flush();
      await file.sync();
      await close();
      const path = join(folder, name);
      await rename(partialPath, path);
      await syncFolders(folder);
      return { name, sha256: hash.digest('hex'), sizeBytes };
    },
  };
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) offset += (await file.write(bytes, offset)).bytesWritten;
}

/** A name is durable only when the folders that hold it are: the guild's, the month's and the archive itself. */
async function syncFolders(folder: string): Promise<void> {
  const month = dirname(folder);
  for (const path of [folder, month, dirname(month)]) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
