import type { Logger } from 'pino';
import type { PriceBook } from '../billing/prices.ts';
import type { Admission } from './admission.ts';
import { planCall } from './call-planning.ts';
import type { FairQueue } from './fair-queue.ts';
import type { ImageRequest, RequestAttachments } from './image-request.ts';
import type { JobCompletion } from './job-completion.ts';
import type { JobConclusion } from './job-conclusion.ts';
import type { JobJournal, OpenJob, ReplyAddress } from './job-journal.ts';
import type { JobOutcome, JobRefusal } from './job-outcome.ts';
import type { JobProgress } from './job-progress.ts';
import type { ModelSuccession } from './model-succession.ts';
import type { PictureIntake } from './picture-intake.ts';
import type { ProviderCaller } from './provider-call.ts';
import type { Reservations } from './reservation.ts';
import { isDiskFull } from './spool.ts';

/**
 * Every image is a job, and a job is admitted, reserved, called, settled and delivered. Each step leaves one durable
 * fact behind, so a crash at any point is only a pause: recovery reads the facts and goes on from there.
 */
export type ImageJobs = {
  /** Leaves the first trace of a job. Short, because it runs while the member waits to be acknowledged. */
  begin(request: ImageRequest, address: ReplyAddress): Promise<OpenJob | JobRefusal>;
  /** Nobody is waiting for this job: forget it. */
  abandon(job: OpenJob): Promise<void>;
  /** Takes the job to its end, which is always exactly one final message, now or after recovery. */
  run(job: OpenJob, attachments: RequestAttachments, progress: JobProgress): Promise<void>;
  /** Whether this process is at work on the job. */
  isRunning(id: string): boolean;
};

export function createImageJobs(parts: {
  admission: Admission;
  intake: PictureIntake;
  journal: JobJournal;
  prices: PriceBook;
  reservations: Reservations;
  queue: FairQueue;
  caller: ProviderCaller;
  succession: ModelSuccession;
  completion: JobCompletion;
  conclusion: JobConclusion;
  log: Logger;
}): ImageJobs {
  const { admission, intake, journal, prices, reservations, queue, caller, succession } = parts;
  const { completion, conclusion, log } = parts;
  const running = new Set<string>();

  /** Checks the request, takes in its pictures, and holds its money. Nothing has gone out when this ends. */
  async function prepare(job: OpenJob, attachments: RequestAttachments): Promise<OpenJob | JobRefusal> {
    const admitted = await admission.admit(job.request);
    if ('reason' in admitted) return admitted;
    const pictures = await intake.takeIn(job, attachments);
    if ('reason' in pictures) return pictures;
    const plan = planCall(admitted.request, admitted.model, pictures, prices);
    if ('reason' in plan) return plan;
    const planned = await journal.writePlan(job, plan);
    return (await reservations.reserve(planned, admitted.settings)) ?? planned;
  }

  /** Waits for its turn, calls, and settles. Undefined when the call went out and recovery has to do the rest. */
  async function make(job: OpenJob, progress: JobProgress): Promise<JobOutcome | undefined> {
    const { guild, member, count } = job.request;
    progress.report({ phase: 'waiting' });
    const turn = await queue.run({ guild, member, images: count }, async () => {
      const refusal = await reservations.dispatch(job);
      return refusal ? refused(refusal) : callAndSettle(job, progress);
    });
    if (turn === undefined || 'ended' in turn) return turn;
    await reservations.cancel(job, turn.refused);
    return refused({ reason: turn.refused });
  }

  /** The call may have been charged, so whatever goes wrong from here on is never thrown away. */
  async function callAndSettle(job: OpenJob, progress: JobProgress): Promise<JobOutcome | undefined> {
    let current = job;
    let receipt = await caller.call(current, progress);
    try {
      for (;;) {
        const successor = await succession.successor(current, receipt);
        if (!successor) break;
        current = successor;
        receipt = await caller.call(current, progress);
      }
      await journal.writeReceipt(current, receipt);
      return await completion.complete(current, receipt);
    } catch (error) {
      log.error({ job: job.request.id, err: error }, 'settlement failed; recovery will go on with it');
      return undefined;
    }
  }

  /**
   * What nobody expected, before anything went out: the error goes to whoever can tell of it. Nothing of ours is held,
   * because holding the money is the last step of preparing; what is held may be somebody else's, who was asked as well.
   */
  async function giveUp(job: OpenJob, error: unknown): Promise<never> {
    await journal.end(job);
    throw error;
  }

  return {
    async begin(request, address) {
      // Before the folder is there: recovery must never mistake a job that is just beginning for one that was left.
      running.add(request.id);
      return journal.begin(request, address).catch((error: unknown) => {
        running.delete(request.id);
        if (!isDiskFull(error)) throw error;
        log.error({ job: request.id, err: error }, 'the disk is full: requests are refused until there is room');
        return { reason: 'disk-full' };
      });
    },
    async abandon(job) {
      await journal.end(job);
      running.delete(job.request.id);
    },
    async run(job, attachments, progress) {
      try {
        const prepared = await prepare(job, attachments).catch(async (error: unknown) => giveUp(job, error));
        const outcome = 'reason' in prepared ? refused(prepared) : await make(prepared, progress);
        await progress.close();
        if (outcome) await conclusion.conclude('reason' in prepared ? job : prepared, outcome);
      } finally {
        running.delete(job.request.id);
      }
    },
    isRunning: (id) => running.has(id),
  };
}

function refused(refusal: JobRefusal): JobOutcome {
  return { ended: 'refused', refusal };
}
