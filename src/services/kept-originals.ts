import type { Logger } from 'pino';
import type { JobJournal } from './job-journal.ts';
import type { OpenJob } from './open-job.ts';
import type { FinishedImage } from './job-outcome.ts';
import type { Spool } from './spool/spool.ts';

/**
 * Pictures as they came, where Discord took them re-encoded only: for a day they can be asked for. They are a courtesy,
 * so they are the first to go where the disk is needed for something else.
 */
export type KeptOriginals = {
  /** The end of a job whose message stands already. */
  keep(job: OpenJob, originals: readonly FinishedImage[]): Promise<void>;
  /** Undefined where none are kept, or not any more. */
  read(id: string): Promise<readonly FinishedImage[] | undefined>;
  /** Whoever deletes a result deletes its originals, too. */
  drop(id: string): Promise<void>;
  /** Drops the oldest ones until the rest is within its limits, and the disk has room. */
  trim(): Promise<void>;
};

export type OriginalsLimits = { readonly resultsMax: number; readonly bytesMax: number };

type JobWithOriginals = OpenJob & { readonly originals: readonly FinishedImage[] };

const KEPT_MS = 24 * 60 * 60_000;
/** Of each disk. A result is up to four pictures of a few megabytes each. */
const STANDARD_LIMITS: OriginalsLimits = { resultsMax: 200, bytesMax: 2 * 1024 ** 3 };

export function createKeptOriginals(parts: {
  journal: JobJournal;
  spool: Pick<Spool, 'hasRoom'>;
  limits?: OriginalsLimits;
  now: () => number;
  log: Logger;
}): KeptOriginals {
  const { journal, spool, limits = STANDARD_LIMITS, now, log } = parts;

  async function keptJobs(): Promise<JobWithOriginals[]> {
    const kept = await journal.listKept();
    return kept.flatMap(({ originals, ...job }) => (originals ? [{ ...job, originals }] : []));
  }

  /** Another process may be doing the same: whoever comes second finds less to do. */
  async function end(job: OpenJob): Promise<void> {
    await journal.end(job).catch((error: unknown) => {
      log.warn({ job: job.request.id, err: error }, 'originals could not be dropped; the next sweep tries again');
    });
  }

  return {
    async keep(job, originals) {
      await (originals.length > 0 && spool.hasRoom()
        ? journal.keepOriginals(job, originals, now() + KEPT_MS)
        : journal.end(job));
    },
    async read(id) {
      return (await keptJobs()).find(({ request }) => request.id === id)?.originals;
    },
    async drop(id) {
      const job = (await keptJobs()).find(({ request }) => request.id === id);
      if (job) await end(job);
    },
    async trim() {
      const newestFirst = (await keptJobs()).toSorted((one, other) => (other.keptUntil ?? 0) - (one.keptUntil ?? 0));
      let excessCount = newestFirst.length - countWithin(limits, newestFirst);
      for (const job of newestFirst.toReversed()) {
        // Those within the limits go only for as long as the disk has no room.
        if (excessCount <= 0 && spool.hasRoom()) return;
        await end(job);
        excessCount -= 1;
      }
    },
  };
}

/** How many of the jobs, from the first one on, are within the limits together. */
function countWithin({ resultsMax, bytesMax }: OriginalsLimits, jobs: readonly JobWithOriginals[]): number {
  let sizeBytes = 0;
  const firstBeyond = jobs.findIndex(({ originals }, index) => {
    sizeBytes += originals.reduce((sum, image) => sum + image.sizeBytes, 0);
    return index === resultsMax || sizeBytes > bytesMax;
  });
  return firstBeyond === -1 ? jobs.length : firstBeyond;
}
