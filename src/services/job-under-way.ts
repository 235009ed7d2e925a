import type { Logger } from 'pino';
import type { JobJournal } from './job-journal.ts';
import type { OpenJob } from './open-job.ts';
import type { JobProgress } from './job-progress.ts';

/** What came of a wish to cancel a job. */
export type Cancelling =
  /** Nothing was out, and nothing will be: nothing is paid. */
  | 'cancelled'
  /** The call is out and may be charged: it is let come to its end, and booked. */
  | 'running'
  /** The outcome is known and on its way. */
  | 'too-late';

/** What whoever calls the provider has to know of cancelling. */
export type Cancellation = {
  /** Aborted when whoever asked has cancelled. Nothing may go out from then on; what is out stays out. */
  readonly signal: AbortSignal;
  /** Does what cannot be called off: who cancels meanwhile is told that it may be paid. */
  whileOut<Result>(work: () => Promise<Result>): Promise<Result>;
};

/** A job that this process is at work on, from its preparation until its outcome is known. */
export type JobUnderWay = Cancellation & {
  /** As it was last written down. */
  readonly job: OpenJob;
  /** Falls silent when the job is cancelled. */
  readonly progress: JobProgress;
  /**
   * Changes what is written down of the job: one change at a time, each of what the last one left.
   * @param change answers nothing where it has changed nothing
   */
  write(change: (job: OpenJob) => Promise<OpenJob | undefined>): Promise<OpenJob | undefined>;
  /** Dispatches the call and settles it: from here on only what comes of `work` can tell that nothing was charged. */
  dispatching<Result>(work: () => Promise<Result>): Promise<Result>;
  /** The outcome is about to be known: nobody can cancel any more. Resolves when nothing is left to be written. */
  close(): Promise<void>;
  /** Resolves when it is on disk, so that a crash cannot contradict what the member was told. */
  cancel(): Promise<Cancelling>;
};

export function createJobUnderWay(parts: {
  job: OpenJob;
  progress: JobProgress;
  journal: Pick<JobJournal, 'writeCancelled'>;
  log: Logger;
}): JobUnderWay {
  const { progress, journal, log } = parts;
  const cancellation = new AbortController();
  let { job } = parts;
  let stage: 'open' | 'dispatching' | 'out' | 'closed' = 'open';
  let writing: Promise<unknown> = Promise.resolve();
  let settled: Promise<unknown> = Promise.resolve();
  let cancelling: Promise<Cancelling> | undefined;

  const write: JobUnderWay['write'] = async (change) => {
    const written = writing.then(async () => {
      const changed = await change(job);
      job = changed ?? job;
      return changed;
    });
    writing = written.catch(() => undefined);
    return written;
  };

  async function note(): Promise<void> {
    await write(async (current) =>
      journal.writeCancelled(current).catch((error: unknown) => {
        // Only a crash would forget it, and then the job ends as one that was interrupted.
        log.warn({ job: current.request.id, err: error }, 'a cancelled job could not be noted down as such');
        return { ...current, isCancelled: true };
      }),
    );
  }

  async function cancelNow(): Promise<Cancelling> {
    const cancelledAt = stage;
    // Queued before anybody hears of it: whoever ends the job waits for what is still to be written.
    const onDisk = cancelledAt === 'dispatching' ? settled : note();
    cancellation.abort();
    await onDisk;
    return cancelledAt === 'out' ? 'running' : 'cancelled';
  }

  return {
    get job() {
      return job;
    },
    signal: cancellation.signal,
    progress: {
      report(state) {
        if (!cancellation.signal.aborted) progress.report(state);
      },
      close: async () => progress.close(),
    },
    write,
    async whileOut(work) {
      stage = 'out';
      try {
        return await work();
      } finally {
        stage = 'dispatching';
      }
    },
    async dispatching(work) {
      stage = 'dispatching';
      const working = work();
      settled = working.catch(() => undefined);
      return working;
    },
    async close() {
      stage = 'closed';
      await writing;
    },
    async cancel() {
      if (stage === 'closed' && !cancelling) return 'too-late';
      cancelling ??= cancelNow();
      return cancelling;
    },
  };
}
