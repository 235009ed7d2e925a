import type { Logger } from 'pino';
import type { HoldExpiry } from './hold-expiry.ts';
import type { ImageJobs } from './image-jobs.ts';
import type { JobConclusion } from './job-conclusion.ts';
import type { JobJournal, JobOnDisk } from './job-journal.ts';
import type { JobResumption } from './job-resumption.ts';
import type { KeptOriginals } from './kept-originals.ts';
import type { ProcessLease } from './process-lease.ts';

/**
 * Finishes what a dead process, or a store or a Discord that was away, left undone. It runs at the start and every
 * minute, and it never touches the job of a process that is alive.
 */
export type JobRecovery = {
  /** Never rejects: what cannot be done now is left to the next sweep. */
  sweep(): Promise<void>;
  /** Resolves when no sweep is under way. */
  whenIdle(): Promise<void>;
};

export function createJobRecovery(parts: {
  journal: JobJournal;
  holds: HoldExpiry;
  lease: ProcessLease;
  jobs: Pick<ImageJobs, 'isRunning'>;
  conclusion: JobConclusion;
  resumption: JobResumption;
  originals: Pick<KeptOriginals, 'trim'>;
  now: () => number;
  log: Logger;
}): JobRecovery {
  const { journal, holds, lease, jobs, conclusion, resumption, originals, now, log } = parts;
  let sweeping: Promise<void> | undefined;

  async function recoverJobs(): Promise<void> {
    const abandoned = (await journal.list()).filter(({ id, owner }) =>
      owner === lease.owner ? !jobs.isRunning(id) : !lease.isAlive(owner),
    );
    for (const jobOnDisk of abandoned) {
      await recover(jobOnDisk).catch((error: unknown) => {
        log.error({ folder: jobOnDisk.folder, err: error }, 'a job could not be recovered; the next sweep tries again');
      });
    }
  }

  async function recover(jobOnDisk: JobOnDisk): Promise<void> {
    const adopted = await journal.adopt(jobOnDisk);
    if (!adopted) return;
    const job = await journal.open(adopted);
    if (!job) return journal.discard(adopted);
    holds.watch(job.request.guild);
    if (job.keptUntil !== undefined && job.keptUntil <= now()) return journal.end(job);
    if (job.originals !== undefined) return journal.dropAllButOriginals(job);
    if (job.keptUntil !== undefined) return;
    const outcome = await resumption.resume(job);
    if (!outcome) return journal.end(job);
    log.info({ job: job.request.id, ended: outcome.ended }, 'job recovered');
    await conclusion.conclude(job, outcome);
  }

  /** None of these needs the others, and where one cannot be done, the others still can. */
  const steps: readonly (() => Promise<void>)[] = [
    recoverJobs,
    async () => holds.expire(),
    async () => originals.trim(),
    async () => journal.dropOldReceipts(),
    async () => lease.clean(),
  ];

  async function sweepOnce(): Promise<void> {
    for (const step of steps) {
      await step().catch((error: unknown) => {
        log.error({ err: error }, 'recovery was cut short; it comes back soon');
      });
    }
  }

  /** One sweep at a time: a second caller waits for the one that is under way. */
  async function sweep(): Promise<void> {
    sweeping ??= sweepOnce().finally(() => {
      sweeping = undefined;
    });
    return sweeping;
  }

  return {
    sweep,
    async whenIdle() {
      await sweeping;
    },
  };
}
