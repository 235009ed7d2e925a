import PQueue from 'p-queue';
import type { Logger } from 'pino';
import type { HoldExpiry } from './hold-expiry.ts';
import type { ImageJobs } from './image-jobs.ts';
import type { JobConclusion } from './job-conclusion.ts';
import type { JobJournal, JobOnDisk } from './job-journal.ts';
import type { OpenJob } from './open-job.ts';
import { REPLY_LIFETIME_MS } from './open-job.ts';
import type { JobOutcome } from './job-outcome.ts';
import type { JobResumption } from './job-resumption.ts';
import type { KeptOriginals } from './kept-originals.ts';
import type { ProcessLease } from './process-lease.ts';
import { oneByOne } from './one-by-one.ts';
import type { RecentIds } from './recent-ids.ts';

/**
 * Finishes what a dead process, or a store or a Discord that was away, left undone. It runs at the start and then in
 * sweeps, a minute apart unless it is set otherwise, and it never touches the job of a process that is alive.
 */
export type JobRecovery = {
  /**
   * Never rejects: what cannot be done now is left to the next sweep. Resolves when nothing is under way any more, and
   * the next sweep need not wait for that.
   */
  sweep(): Promise<void>;
  /** Begins nothing more, and resolves when what is under way has come to its end. */
  stop(): Promise<void>;
};

/** An upload may hang for minutes, and behind it waits somebody else's. */
const DELIVERIES_MAX = 4;
/** It is their pictures that take long, and the workshop has room for no more. */
const BOOKINGS_MAX = 2;

/** What is fetched in the last moment may be on its way for as long as a reply can be edited, from whichever process. */
const FETCH_MS_MAX = REPLY_LIFETIME_MS;

export function createJobRecovery(parts: {
  journal: JobJournal;
  holds: HoldExpiry;
  lease: ProcessLease;
  jobs: Pick<ImageJobs, 'isRunning'>;
  /** The jobs whose members this process has lately told how they ended. */
  ended: Pick<RecentIds, 'has'>;
  conclusion: JobConclusion;
  resumption: JobResumption;
  originals: Pick<KeptOriginals, 'trim'>;
  now: () => number;
  log: Logger;
}): JobRecovery {
  const { journal, holds, lease, jobs, ended, conclusion, resumption, originals, now, log } = parts;
  const stopping = new AbortController();
  const deliveries = createDeliveries({ conclusion, onFailure: tellFailure, stopping: stopping.signal });
  let sweeping: Promise<void> | undefined;

  /**
   * The jobs that nobody is at work on, each once. Of a request that came to two processes there are two, and they are
   * one to whoever asked: what the other one has left is looked at when ours has come to its end.
   */
  async function listAbandoned(): Promise<readonly JobOnDisk[]> {
    const all = await journal.list();
    const [ours, others] = [all.filter(isOurs), all.filter((job) => !isOurs(job) && !lease.isAlive(job.owner))];
    const byId = new Map([...others, ...ours].map((job) => [job.id, job]));
    return [...byId.values()].filter(({ id }) => !jobs.isRunning(id) && !deliveries.has(id));
  }

  function isOurs({ owner }: JobOnDisk): boolean {
    return owner === lease.owner;
  }

  function tellFailure({ folder }: JobOnDisk, error: unknown): void {
    log.error({ folder, err: error }, 'a job could not be recovered; the next sweep tries again');
  }

  /**
   * Brings all jobs as far as the books, and waits for none to be delivered.
   * @throws {StoreFailure} where the store is away
   */
  async function recoverJobs(): Promise<void> {
    // All take from the same list, and each of them gives up by itself.
    const waiting = (await listAbandoned()).values();
    const bookings = Array.from({ length: BOOKINGS_MAX }, async () =>
      oneByOne(waiting, book, tellFailure, stopping.signal),
    );
    await Promise.allSettled(bookings);
    await Promise.all(bookings);
  }

  async function book(jobOnDisk: JobOnDisk): Promise<void> {
    const adopted = await journal.adopt(jobOnDisk);
    if (!adopted) return;
    const job = await journal.open(adopted);
    if (!job) return journal.discard(adopted);
    holds.watch(job.request.guild);
    // Nothing came of it but a trace, and its member has been told by another one how the request ended.
    if (!job.plan && ended.has(job.request.id)) return journal.end(job);
    if (job.keptUntil !== undefined && job.keptUntil + FETCH_MS_MAX <= now()) return journal.end(job);
    if (job.originals !== undefined) return journal.dropAllButOriginals(job);
    if (job.keptUntil !== undefined) return;
    const outcome = await resumption.resume(job);
    if (!outcome) return journal.end(job);
    log.info({ job: job.request.id, ended: outcome.ended }, 'job recovered');
    deliveries.add(adopted, job, outcome);
  }

  /**
   * Where one of these cannot be done, the others still can. What is known of calls comes before what is over: a call of
   * which it is on this disk that nothing was made must not be taken for one of which nobody knows.
   */
  const steps: readonly (() => Promise<void>)[] = [
    recoverJobs,
    async () => holds.expire(stopping.signal),
    async () => originals.trim(),
    async () => journal.dropOldReceipts(),
    async () => lease.clean(),
  ];

  async function sweepOnce(): Promise<void> {
    for (const step of steps) {
      if (stopping.signal.aborted) return;
      await step().catch((error: unknown) => {
        log.error({ err: error }, 'recovery was cut short; it comes back soon');
      });
    }
  }

  return {
    async sweep() {
      if (stopping.signal.aborted) return;
      // One at a time: a second caller waits for the one that is under way.
      sweeping ??= sweepOnce().finally(() => {
        sweeping = undefined;
      });
      await sweeping;
      await deliveries.onIdle();
    },
    async stop() {
      stopping.abort();
      await sweeping;
      await deliveries.onIdle();
    },
  };
}

/** Brings outcomes to their members, some at a time, while sweeps come and go. */
function createDeliveries({
  conclusion,
  onFailure,
  stopping,
}: {
  readonly conclusion: JobConclusion;
  readonly onFailure: (jobOnDisk: JobOnDisk, error: unknown) => void;
  /** Once it is aborted, none is begun any more. */
  readonly stopping: AbortSignal;
}) {
  const line = new PQueue({ concurrency: DELIVERIES_MAX });
  const ids = new Set<string>();
  return {
    /** Whether the outcome of a job is on its way, or waits to be. */
    has: (id: string): boolean => ids.has(id),
    add(jobOnDisk: JobOnDisk, job: OpenJob, outcome: JobOutcome): void {
      ids.add(jobOnDisk.id);
      void line.add(async () => {
        if (!stopping.aborted) {
          await conclusion.conclude(job, outcome).catch((error: unknown) => onFailure(jobOnDisk, error));
        }
        ids.delete(jobOnDisk.id);
      });
    },
    onIdle: async (): Promise<void> => line.onIdle(),
  };
}
