import * as z from 'zod';
import type { OpenJob } from './open-job.ts';
import type { Receipt } from './receipt.ts';
import { receiptSchema } from './receipt.ts';
import type { Patience } from './spool/durable-file.ts';
import { impatiently } from './spool/durable-file.ts';
import type { SpoolFolder } from './spool/spool.ts';

/** What came of the calls of jobs, in their folders; and in memory where it could not be written there. */
export type ReceiptRecords = {
  /** Resolves when it is on disk; a full disk is waited for. What cannot be written is remembered. */
  write(job: OpenJob, receipt: Receipt): Promise<void>;
  /** Writes what was remembered before it answers, in one attempt: nothing is booked by what is not on disk. */
  read(job: OpenJob): Promise<Receipt | undefined>;
  /** The job has come to its end. */
  forget(id: string): void;
};

export const RECEIPT_RECORD = 'receipt.json';

export function createReceiptRecords(): ReceiptRecords {
  const unwritten = new Map<string, Receipt>();

  async function write({ request: { id }, folder }: OpenJob, receipt: Receipt, patience?: Patience): Promise<void> {
    unwritten.set(id, receipt);
    await folder.writePaidRecord(RECEIPT_RECORD, { job: id, ...receipt }, patience);
    unwritten.delete(id);
  }

  return {
    write: async (job, receipt) => write(job, receipt),
    async read(job) {
      const pending = unwritten.get(job.request.id);
      // Whoever reads it comes back if need be, and what would make room may come after it.
      if (pending) await write(job, pending, impatiently);
      return pending ?? readReceipt(job.folder, job.request.id);
    },
    forget: (id) => void unwritten.delete(id),
  };
}

/**
 * A receipt says whose it is. After a loss of power a folder that was used before may have the one of the job before,
 * which was cleared, but not yet on the disk.
 */
export function readReceipt(folder: SpoolFolder, id: string): Receipt | undefined {
  const record = folder.readRecord(RECEIPT_RECORD);
  if (record === undefined) return undefined;
  const { job = id } = z.looseObject({ job: z.string().optional() }).parse(record);
  return job === id ? receiptSchema.parse(record) : undefined;
}
