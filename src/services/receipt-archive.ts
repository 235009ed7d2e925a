import { appendFileSync, mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from '../storage/private-modes.ts';
import { isErrorCode } from './spool/durable-file.ts';
import type { Receipt } from './receipt.ts';

/** Receipts outlive their jobs by a week, in a file for each day, of which every line is one. */
export type ReceiptArchive = {
  takeIn(job: string, receipt: Receipt | undefined): void;
  /** Drops the days that are older than a week. */
  dropOld(): Promise<void>;
};

const RECEIPTS_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** @param directory made with the first receipt */
export function createReceiptArchive(directory: string, now: () => number): ReceiptArchive {
  return {
    takeIn(job, receipt) {
      if (receipt === undefined) return;
      const path = join(directory, `${dayOf(now())}.jsonl`);
      // On a line of its own, whatever a full disk has left of the one before.
      const line = `\n${JSON.stringify({ id: job, receipt })}`;
      try {
        appendFileSync(path, line, { mode: PRIVATE_FILE_MODE });
      } catch (error) {
        if (!isErrorCode(error, 'ENOENT')) throw error;
        mkdirSync(directory, { recursive: true, mode: PRIVATE_FOLDER_MODE });
        appendFileSync(path, line, { mode: PRIVATE_FILE_MODE });
      }
    },
    async dropOld() {
      const oldestDay = dayOf(now() - RECEIPTS_KEPT_MS);
      const names = await readdir(directory).catch(() => []);
      const old = names.filter((name) => dayIn(name) < oldestDay);
      await Promise.all(old.map(async (name) => rm(join(directory, name), { recursive: true, force: true })));
    },
  };
}

function dayOf(time: number): string {
  return dayIn(new Date(time).toISOString());
}

/** What a text begins with, such as `2026-11-21`; in that order it sorts. */
function dayIn(text: string): string {
  return text.slice(0, 'YYYY-MM-DD'.length);
}
