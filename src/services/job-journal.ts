import { basename } from 'node:path';
import * as z from 'zod';
import type { CallPlan } from './call-plan.ts';
import { callPlanSchema } from './call-plan.ts';
import type { ImageRequest } from './image-request.ts';
import { imageRequestSchema } from './image-request.ts';
import type { FinishedImage } from './job-outcome.ts';
import type { OpenJob, ReplyAddress } from './open-job.ts';
import type { Receipt } from './receipt.ts';
import { createReceiptArchive } from './receipt-archive.ts';
import { createReceiptRecords, readReceipt, RECEIPT_RECORD } from './receipt-record.ts';
import type { Spool, SpoolFolder } from './spool/spool.ts';

/**
 * What is known of each job that has not ended, on disk, so that a crash is only a pause.
 *
 *   job.json        who asked for what, where the answer goes, and once admitted the exact call
 *   input-N, mask   the prepared pictures
 *   image-N         what the provider made
 *   receipt.json    what came of the call; if it was pictures, they are whole and paid for from here on
 *
 * Together with the state of the transfer in the ledger this says what is left to do.
 */
export type JobJournal = {
  begin(request: ImageRequest, address: ReplyAddress): Promise<OpenJob>;
  /** Writes down the exact call, before any money is held for it. */
  writePlan(job: OpenJob, plan: CallPlan): Promise<OpenJob>;
  /** Whoever asked called it off, before its call went out or after. */
  writeCancelled(job: OpenJob): Promise<OpenJob>;
  /** The outcome could not be brought to anybody: keeps it until somebody comes for it, or the time is over. */
  keep(job: OpenJob, until: number): Promise<void>;
  /** The outcome stands where it belongs, and not as it came: keeps these pictures for a while, and nothing else. */
  keepOriginals(job: OpenJob, originals: readonly FinishedImage[], until: number): Promise<void>;
  /** Finishes that for a process that died over it. */
  dropAllButOriginals(job: OpenJob): Promise<void>;
  writeReceipt(job: OpenJob, receipt: Receipt): Promise<void>;
  readReceipt(job: OpenJob): Promise<Receipt | undefined>;
  /** The jobs on this disk, of this process and of others. */
  list(): Promise<readonly JobOnDisk[]>;
  /** Those whose outcome, or whose originals, wait to be fetched; the process that runs them does not matter. */
  listKept(): Promise<readonly OpenJob[]>;
  /** Takes over the job of a process that is gone; undefined where somebody else was faster. */
  adopt(jobOnDisk: JobOnDisk): Promise<JobOnDisk | undefined>;
  /**
   * Reads a job back; undefined where its record never made it to disk.
   * @throws where there is a record that cannot be understood
   */
  open(jobOnDisk: JobOnDisk): Promise<OpenJob | undefined>;
  /** The job has ended: drops its pictures and keeps its receipt for a week. */
  end(job: OpenJob): Promise<void>;
  /** Drops a folder that has no record, either not yet or not any more. */
  discard(jobOnDisk: JobOnDisk): Promise<void>;
  /** Drops receipts that are older than a week. */
  dropOldReceipts(): Promise<void>;
};

export type JobOnDisk = { readonly id: string; readonly folder: string; readonly owner: string };

const recordSchema = z.object({
  v: z.literal(1),
  request: imageRequestSchema,
  address: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  beganAt: z.number(),
  plan: callPlanSchema.optional(),
  isCancelled: z.boolean().default(false),
  keptUntil: z.number().optional(),
  originals: z
    .array(z.object({ file: z.string(), name: z.string(), contentType: z.string(), sizeBytes: z.number() }))
    .optional(),
});

const nothingYet = { plan: undefined, isCancelled: false, keptUntil: undefined, originals: undefined } as const;

const JOB_RECORD = 'job.json';
/** Between the id of a job and the name of the process that runs it, in the name of its folder. */
const OWNER_SEPARATOR = '.';

export function createJobJournal(parts: {
  spool: Spool;
  receiptsDirectory: string;
  owner: string;
  now: () => number;
}): JobJournal {
  const { spool, receiptsDirectory, owner, now } = parts;
  /**
   * The jobs that this process has begun and not ended, with what came of their calls: none of them is kept, and their
   * records need not be read.
   */
  const underWay = new Map<string, Receipt | undefined>();
  const receipts = createReceiptRecords();
  const archive = createReceiptArchive(receiptsDirectory, now);

  async function dropAllButOriginals({ request, folder, originals = [] }: OpenJob): Promise<void> {
    archive.takeIn(request.id, readReceipt(folder, request.id));
    await folder.removeOthers([JOB_RECORD, ...originals.map(({ path }) => basename(path))]);
  }

  async function clearAway(folder: SpoolFolder, id: string): Promise<void> {
    try {
      archive.takeIn(id, underWay.get(id) ?? readReceipt(folder, id));
    } catch (error) {
      // A receipt that finds no room waits for some; the pictures shall not take it away from others.
      await folder.removeOthers([RECEIPT_RECORD]);
      throw error;
    }
    underWay.delete(id);
    receipts.forget(id);
    await folder.remove();
  }

  async function list(): Promise<readonly JobOnDisk[]> {
    return (await spool.list()).map(readFolderName);
  }

  async function open(jobOnDisk: JobOnDisk): Promise<OpenJob | undefined> {
    return readJob(spool.folder(jobOnDisk.folder));
  }

  return {
    async begin(request, address) {
      const folder = await spool.create(folderName(request.id, owner));
      underWay.set(request.id, undefined);
      const job: OpenJob = { ...nothingYet, request, address, beganAt: now(), folder };
      await folder.writeRecordQuickly(JOB_RECORD, recordOf(job));
      return job;
    },
    writePlan: async (job, plan) => rewrite(job, { plan }),
    writeCancelled: async (job) => rewrite(job, { isCancelled: true }),
    async keep(job, until) {
      await rewrite(job, { keptUntil: until });
      underWay.delete(job.request.id);
      await job.folder.removeLeftovers();
    },
    async keepOriginals(job, originals, until) {
      // First the word that the outcome is delivered, so that nobody looks for what is dropped after it.
      const kept = await rewrite(job, { keptUntil: until, originals });
      underWay.delete(job.request.id);
      await dropAllButOriginals(kept);
    },
    dropAllButOriginals,
    async writeReceipt(job, receipt) {
      await receipts.write(job, receipt);
      if (underWay.has(job.request.id)) underWay.set(job.request.id, receipt);
    },
    readReceipt: async (job) => receipts.read(job),
    list,
    async listKept() {
      // Recovery tells of a record that cannot be understood; it must not stand before all others here.
      const candidates = (await list()).filter(({ id }) => !underWay.has(id));
      const jobs = await Promise.all(candidates.map(async (onDisk) => open(onDisk).catch(() => undefined)));
      return jobs.filter((job) => job !== undefined).filter(({ keptUntil = 0 }) => keptUntil > now());
    },
    async adopt(jobOnDisk) {
      if (jobOnDisk.owner === owner) return jobOnDisk;
      const folder = folderName(jobOnDisk.id, owner);
      return (await spool.rename(jobOnDisk.folder, folder)) ? { ...jobOnDisk, folder, owner } : undefined;
    },
    open,
    async end(job) {
      // Without its record a folder is no job any more. It goes first, because a job that is only half cleared away
      // would be taken up again, and an outcome that has been delivered replaced by a poorer one.
      job.folder.clearRecord(JOB_RECORD);
      await clearAway(job.folder, job.request.id);
    },
    discard: async ({ folder, id }) => clearAway(spool.folder(folder), id),
    dropOldReceipts: async () => archive.dropOld(),
  };
}

async function rewrite(job: OpenJob, change: Partial<OpenJob>): Promise<OpenJob> {
  const changed: OpenJob = { ...job, ...change };
  await job.folder.writeRecord(JOB_RECORD, recordOf(changed));
  return changed;
}

function readJob(folder: SpoolFolder): OpenJob | undefined {
  const record = folder.readRecord(JOB_RECORD);
  if (record === undefined) return undefined;
  // A record that is there and cannot be understood may be of a paid job: it is never taken for none.
  const { v: _v, plan, keptUntil, originals, ...known } = recordSchema.parse(record);
  const pictures = originals?.map(({ file, ...picture }) => ({ ...picture, path: folder.path(file) }));
  return { ...known, plan, keptUntil, originals: pictures, folder };
}

function folderName(id: string, owner: string): string {
  return `${id}${OWNER_SEPARATOR}${owner}`;
}

function readFolderName(folder: string): JobOnDisk {
  const [id = '', owner = ''] = folder.split(OWNER_SEPARATOR);
  return { id, folder, owner };
}

/** A picture is recorded by its file: the folder has another name when another process has taken it over. */
function recordOf({ folder: _folder, originals, ...job }: OpenJob): z.infer<typeof recordSchema> {
  return { v: 1, ...job, originals: originals?.map(({ path, ...picture }) => ({ ...picture, file: basename(path) })) };
}
