import type { Logger } from 'pino';
import type { PriceTable } from '../billing/prices.ts';
import type { Admission } from './admission.ts';
import { planCall } from './call-planning.ts';
import type { FairQueue } from './fair-queue.ts';
import type { ImagePreparation } from './image-preparation.ts';
import type { ImageRequest, RequestAttachments } from './image-request.ts';
import type { JobCompletion } from './job-completion.ts';
import type { JobJournal, OpenJob, ReplyAddress } from './job-journal.ts';
import type { JobOutcome, JobRefusal } from './job-outcome.ts';
import type { JobProgress } from './job-progress.ts';
import { takeInPictures } from './picture-intake.ts';
import type { ProviderCaller } from './provider-call.ts';
import type { Reservations } from './reservation.ts';

/**
 * Every image is a job, and a job is admitted, reserved, called, settled and delivered. Each step leaves one durable
 * fact behind, so a crash at any point is only a pause: recovery reads the facts and goes on from there.
 */
export type ImageJobs = {
  /** Leaves the first trace of a job. Short, because it runs while the member waits to be acknowledged. */
  begin(request: ImageRequest, address: ReplyAddress): Promise<OpenJob>;
  /** Nobody is waiting for this job: forget it. */
  abandon(job: OpenJob): Promise<void>;
  /** Takes the job to its end, which is always exactly one final message, now or after recovery. */
  run(job: OpenJob, attachments: RequestAttachments, progress: JobProgress): Promise<void>;
  /** Brings a known outcome to the member and ends the job, or leaves it to recovery. */
  conclude(job: OpenJob, outcome: JobOutcome): Promise<void>;
  /** Whether this process is at work on the job in this folder. */
  isRunning(folder: string): boolean;
};

/** Brings an outcome to whoever asked. `later`: it could not be done now, and must be tried again. */
export type DeliverOutcome = (job: OpenJob, outcome: JobOutcome) => Promise<'delivered' | 'undeliverable' | 'later'>;

export function createImageJobs(parts: {
  admission: Admission;
  preparation: ImagePreparation;
  journal: JobJournal;
  prices: PriceTable;
  reservations: Reservations;
  queue: FairQueue;
  caller: ProviderCaller;
  completion: JobCompletion;
  deliver: DeliverOutcome;
  log: Logger;
}): ImageJobs {
  const { admission, preparation, journal, prices, reservations, queue, caller, completion, log } = parts;
  const running = new Set<string>();

  /** Checks the request, takes in its pictures, and holds its money. Nothing has gone out when this ends. */
  async function prepare(job: OpenJob, attachments: RequestAttachments): Promise<OpenJob | JobRefusal> {
    const admitted = await admission.admit(job.request);
    if ('reason' in admitted) return admitted;
    const pictures = await takeInPictures(preparation, job, attachments);
    if ('reason' in pictures) return pictures;
    const plan = planCall(job.request, admitted.model, pictures, prices);
    if ('reason' in plan) return plan;
    const planned = await journal.writePlan(job, plan);
    return (await reservations.reserve(planned)) ?? planned;
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
    const receipt = await caller.call(job, progress);
    try {
      await journal.writeReceipt(job, receipt);
      return await completion.complete(job, receipt);
    } catch (error) {
      log.error({ job: job.request.id, err: error }, 'settlement failed; recovery will go on with it');
      return undefined;
    }
  }

  async function conclude(job: OpenJob, outcome: JobOutcome): Promise<void> {
    try {
      const delivery = await parts.deliver(job, outcome);
      log.info({ job: job.request.id, guild: job.request.guild, ...summaryOf(outcome), delivery }, 'job concluded');
      if (delivery !== 'later') await journal.end(job);
    } catch (error) {
      log.error({ job: job.request.id, err: error }, 'delivery failed; recovery will go on with it');
    }
  }

  /** What nobody expected, before anything went out: the hold is freed, and the error goes to whoever can tell of it. */
  async function giveUp(job: OpenJob, error: unknown): Promise<never> {
    await reservations.cancel(job, 'failed-before-dispatch');
    await journal.end(job);
    throw error;
  }

  return {
    async begin(request, address) {
      const job = await journal.begin(request, address);
      running.add(job.folder.name);
      return job;
    },
    async abandon(job) {
      running.delete(job.folder.name);
      await journal.end(job);
    },
    async run(job, attachments, progress) {
      try {
        const prepared = await prepare(job, attachments).catch(async (error: unknown) => giveUp(job, error));
        const outcome = 'reason' in prepared ? refused(prepared) : await make(prepared, progress);
        await progress.close();
        if (outcome) await conclude('reason' in prepared ? job : prepared, outcome);
      } finally {
        running.delete(job.folder.name);
      }
    },
    conclude,
    isRunning: (folder) => running.has(folder),
  };
}

function refused(refusal: JobRefusal): JobOutcome {
  return { ended: 'refused', refusal };
}

/** What the log tells about the end of a job: its cost, and nothing of its content. */
function summaryOf(outcome: JobOutcome): Record<string, unknown> {
  if (outcome.ended === 'refused') return { outcome: outcome.refusal.reason };
  const { model, images, charge } = outcome.result;
  return { outcome: 'finished', model, images: images.length, costNanoUsd: charge?.cost };
}
