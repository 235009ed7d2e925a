import { createReadStream, createWriteStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Ledger } from '../../billing/ledger.ts';
import { createMutex } from '../../billing/mutex.ts';
import type { Period } from '../../billing/period.ts';
import { formatPeriod } from '../../billing/period.ts';
import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from '../../storage/private-modes.ts';
import { CSV_HEADER, exportLines } from './ledger-export.ts';

/** A file with a part of the ledger, to be sent to somebody. */
export type ExportFile = {
  readonly path: string;
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
};

/** What to export; with a member, only the entries of that member's requests. */
export type ExportOrder = {
  readonly guild: string;
  readonly period: Period;
  readonly member: string | undefined;
  /** Files that are larger are compressed. */
  readonly sizeBytesMax: number;
};

export type ExportFiles = {
  /**
   * Writes a month as a table and as JSON, one export after another, and with no more than a few hundred entries in
   * memory. The files are gone when `use` has ended.
   */
  withFiles<Result>(order: ExportOrder, use: (files: readonly ExportFile[]) => Promise<Result>): Promise<Result>;
};

/** Nobody waits for an export that long: a reply can be edited for fifteen minutes. */
const LEFTOVER_MS_MIN = 60 * 60_000;
const CHUNK_LENGTH_MAX = 256 * 1024;

/** @param parts.directory for exports alone; it is made when there is one */
export function createExportFiles(parts: { ledger: Ledger; directory: string; now: () => number }): ExportFiles {
  const { ledger, directory, now } = parts;
  const turns = createMutex();

  /** Removes what a process left behind that was killed; what is younger may still be on its way to somebody. */
  async function removeLeftovers(): Promise<void> {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      // Others may be at the same.
      const left = await stat(path).catch(() => undefined);
      if (left && now() - left.mtimeMs > LEFTOVER_MS_MIN) await rm(path, { recursive: true, force: true });
    }
  }

  async function write(folder: string, order: ExportOrder): Promise<readonly ExportFile[]> {
    const { guild, period, member, sizeBytesMax } = order;
    const name = join(folder, `easel-${formatPeriod(period)}${member === undefined ? '' : `-${member}`}`);
    const csvPath = `${name}.csv`;
    const jsonlPath = `${name}.jsonl`;
    const csv = createTextFile(await open(csvPath, 'wx', PRIVATE_FILE_MODE));
    const jsonl = createTextFile(await open(jsonlPath, 'wx', PRIVATE_FILE_MODE));
    try {
      await csv.append(CSV_HEADER);
      for await (const line of exportLines(ledger, guild, period, member)) {
        await csv.append(line.csv);
        await jsonl.append(line.jsonl);
      }
    } finally {
      await Promise.all([csv.close(), jsonl.close()]);
    }
    return [
      await toExportFile(csvPath, 'text/csv', sizeBytesMax),
      await toExportFile(jsonlPath, 'application/x-ndjson', sizeBytesMax),
    ];
  }

  return {
    async withFiles(order, use) {
      await mkdir(directory, { recursive: true, mode: PRIVATE_FOLDER_MODE });
      await removeLeftovers();
      const folder = await mkdtemp(join(directory, 'export-'));
      try {
        return await use(await turns.run('', async () => write(folder, order)));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** A file that grows in pieces of a size that is worth a visit to the disk. */
function createTextFile(file: FileHandle) {
  let waiting = '';

  async function flush(): Promise<void> {
    await file.appendFile(waiting);
    waiting = '';
  }

  return {
    async append(text: string): Promise<void> {
      waiting += text;
      if (waiting.length >= CHUNK_LENGTH_MAX) await flush();
    },
    async close(): Promise<void> {
      try {
        await flush();
      } finally {
        await file.close();
      }
    },
  };
}

async function toExportFile(path: string, contentType: string, sizeBytesMax: number): Promise<ExportFile> {
  const { size } = await stat(path);
  if (size <= sizeBytesMax) return { path, name: basename(path), contentType, sizeBytes: size };
  const smallerPath = `${path}.gz`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(smallerPath, { mode: PRIVATE_FILE_MODE }));
  const { size: sizeBytes } = await stat(smallerPath);
  return { path: smallerPath, name: basename(smallerPath), contentType: 'application/gzip', sizeBytes };
}
