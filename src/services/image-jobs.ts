import type { Logger } from 'pino';
import type { PriceBook } from '../billing/prices.ts';
import type { Admission } from './admission.ts';
import { planCall } from './call-planning.ts';
import { isDiskFull } from './spool/durable-file.ts';
import type { FairQueue } from './queue/fair-queue.ts';
import type { Attached, ImageRequest, RequestAttachments } from './image-request.ts';
import type { JobCompletion } from './job-completion.ts';
import type { JobConclusion } from './job-conclusion.ts';
import type { JobJournal } from './job-journal.ts';
import type { OpenJob, ReplyAddress } from './open-job.ts';
import type { Receipt } from './receipt.ts';
import type { JobOutcome, JobRefusal } from './job-outcome.ts';
import { refused } from './job-outcome.ts';
import type { JobProgress } from './job-progress.ts';
import type { Cancelling, JobUnderWay } from './job-under-way.ts';
import { createJobUnderWay } from './job-under-way.ts';
import { referenceOf } from './job-reference.ts';
import type { ModelSuccession } from './model-succession.ts';
import type { PictureIntake } from './picture-intake.ts';
import type { ProviderCaller } from './provider-call.ts';
import { lastStartOf } from './provider-call.ts';
import type { Reservations } from './reservation.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * Every image is a job, and a job is admitted, reserved, called, settled and delivered. Each step leaves one durable
 * fact behind, so a crash at any point is only a pause: recovery reads the facts and goes on from there.
 */
export type ImageJobs = {
  /** Leaves the first trace of a job. Short, because it runs while the member waits to be acknowledged. */
  begin(request: ImageRequest, address: ReplyAddress): Promise<OpenJob | JobRefusal>;
  /** Nobody is waiting for this job: forget it. */
  abandon(job: OpenJob): Promise<void>;
  /** Why a request is refused before its pictures are looked at. Whoever is not refused is counted as having asked. */
  check(request: ImageRequest): Promise<JobRefusal | undefined>;
  /** Why a request that was counted would be refused right now, where it need not be a little later. */
  obstacleTo(request: ImageRequest): Promise<JobRefusal | undefined>;
  /**
   * Takes the job to its end, which is always exactly one final message, now or after recovery.
   * @param isCounted whether its request was checked before
   */
  run(job: OpenJob, attachments: RequestAttachments, progress: JobProgress, isCounted?: boolean): Promise<void>;
  /** Calls a job off for whoever asked for it. What is out already is not called back: it may be charged. */
  cancel(id: string, member: string): Promise<Cancelling | 'not-yours' | 'unknown'>;
  /** Whether this process is at work on the job. */
  isRunning(id: string): boolean;
};

type JobParts = {
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
  now: () => number;
  log: Logger;
};

/** What comes along with a request, and whether it was counted already. */
type AskedFor = { readonly attachments: RequestAttachments; readonly isCounted: boolean };

/** These end by themselves; whoever waits a little can ask for the very same. */
const ENDS_BY_WAITING: ReadonlySet<JobRefusal['reason']> = new Set([
  'rate-limited',
  'queue-full',
  'store-unavailable',
  'stopping',
]);

/** Takes a job that has begun to its outcome; to none where recovery has to go on with it. */
function createJobWork(parts: JobParts) {
  const { admission, intake, journal, prices, reservations, queue, caller, succession, completion, log } = parts;

  /** Checks the request, takes in its pictures, and holds its money. Nothing has gone out when this ends. */
  async function prepare(current: JobUnderWay, asked: AskedFor): Promise<JobRefusal | undefined> {
    const { attachments, isCounted } = asked;
    const admitted = await admission.admit(current.job.request, isCounted);
    if ('reason' in admitted) return admitted;
    const pictures = await intake.takeIn(current.job, untilCancelled(attachments, current.signal), {
      signal: current.signal,
      onPlace: ({ ahead }) => current.progress.report({ phase: 'waiting-with-pictures', ahead }),
    });
    if ('reason' in pictures) return pictures;
    const plan = planCall(admitted.request, admitted.model, pictures, prices, admitted.settings);
    if ('reason' in plan) return plan;
    await current.write(async (job) => journal.writePlan(job, plan));
    // Pictures may have taken minutes to come in, and what was decided meanwhile is in force.
    const settings = pictures.images.length > 0 ? await admission.confirm(admitted) : admitted.settings;
    return 'reason' in settings ? settings : reservations.reserve(current.job, settings);
  }

  /** Waits for its turn, calls, and settles. Undefined when the call went out and recovery has to do the rest. */
  async function make(current: JobUnderWay): Promise<JobOutcome | undefined> {
    const { progress, signal } = current;
    const { guild, member, count } = current.job.request;
    const turn = await queue.run(
      { guild, member, images: count },
      async () =>
        current.dispatching(async () => {
          const refusal = await reservations.dispatch(current.job);
          return refusal ? refused(refusal) : callAndSettle(current);
        }),
      { signal, onPlace: (place) => progress.report({ phase: 'waiting', ...place }) },
    );
    if (turn === undefined || 'ended' in turn) return turn;
    await current.close();
    await reservations.cancel(current.job, turn.refused);
    return refused({ reason: turn.refused });
  }

  /** The call may have been charged, so whatever goes wrong from here on is never thrown away. */
  async function callAndSettle(current: JobUnderWay): Promise<JobOutcome | undefined> {
    // One end for all of its calls: what is held for the job does not wait longer because its model was replaced.
    const lastStartAt = lastStartOf(parts.now());
    const call = async (): Promise<Receipt> => caller.call(current.job, current.progress, current, lastStartAt);
    let receipt = await call();
    try {
      const succeed = async (job: OpenJob): Promise<OpenJob | undefined> =>
        succession.successor(job, receipt, lastStartAt).catch((error: unknown) => {
          log.error({ job: job.request.id, err: error }, 'a job could not be handed to another model');
          return undefined;
        });
      while (await current.write(succeed)) receipt = await call();
      await current.close();
      await journal.writeReceipt(current.job, receipt);
      return await completion.complete(current.job, receipt);
    } catch (error) {
      log.error({ job: current.job.request.id, err: error }, 'settlement failed; recovery will go on with it');
      return undefined;
    }
  }

  /**
   * A disk that is full is told of as such. What nobody expected, before anything went out, goes to whoever can tell of
   * it. Nothing of ours is held, because holding the money is the last step of preparing; what is held may be somebody
   * else's, who was asked as well.
   */
  async function giveUp(current: JobUnderWay, error: unknown): Promise<JobRefusal> {
    if (isDiskFull(error)) return refuseForRoom(current.job.request.id, error, log);
    await current.close();
    await journal.end(current.job).catch((failure: unknown) => {
      log.error(
        { job: current.job.request.id, err: failure },
        'a job that failed could not be ended; recovery will do so',
      );
    });
    throw error;
  }

  return async (current: JobUnderWay, asked: AskedFor): Promise<JobOutcome | undefined> => {
    const refusal = await prepare(current, asked).catch(async (error: unknown) => giveUp(current, error));
    if (!refusal) return make(current);
    // Whoever has cancelled does not want to hear what else there was.
    return refused(current.signal.aborted ? { reason: 'cancelled' } : refusal);
  };
}

export function createImageJobs(parts: JobParts): ImageJobs {
  const { admission, intake, journal, queue, conclusion, log } = parts;
  const work = createJobWork(parts);
  const running = new Set<string>();
  const underWay = new Map<string, JobUnderWay>();

  return {
    async begin(request, address) {
      // Before the folder is there: recovery must never mistake a job that is just beginning for one that was left.
      running.add(request.id);
      return journal.begin(request, address).catch((error: unknown) => {
        running.delete(request.id);
        if (!isDiskFull(error)) throw error;
        return refuseForRoom(request.id, error, log);
      });
    },
    async abandon(job) {
      try {
        await journal.end(job);
      } finally {
        // What could not be ended is left to recovery, which leaves alone what is running.
        running.delete(job.request.id);
      }
    },
    async check(request) {
      const admitted = await admission.admit(request);
      return 'reason' in admitted ? admitted : undefined;
    },
    async obstacleTo(request) {
      if (queue.isFull || intake.isFull) return { reason: 'queue-full' };
      const admitted = await admission.admit(request, true);
      return 'reason' in admitted && ENDS_BY_WAITING.has(admitted.reason) ? admitted : undefined;
    },
    async run(job, attachments, progress, isCounted = false) {
      const current = createJobUnderWay({ job, progress, journal, log });
      underWay.set(job.request.id, current);
      try {
        const outcome = await work(current, { attachments, isCounted });
        const [lateNews] = await Promise.all([progress.close(), current.close()]);
        if (outcome) await conclusion.conclude(current.job, outcome, lateNews);
      } finally {
        job.folder.letGo();
        underWay.delete(job.request.id);
        running.delete(job.request.id);
      }
    },
    async cancel(id, member) {
      const current = underWay.get(id);
      if (!current) return 'unknown';
      return current.job.request.member === member ? current.cancel() : 'not-yours';
    },
    isRunning: (id) => running.has(id),
  };
}

/** The same attachments, of which none is waited for any more once the job is cancelled. */
function untilCancelled({ images, mask }: RequestAttachments, signal: AbortSignal): RequestAttachments {
  const cutOff = ({ load, ...attached }: Attached): Attached => ({
    ...attached,
    load: async () => (await untilAborted(signal, load)) ?? { refused: 'gone' },
  });
  return { images: images.map(cutOff), mask: mask && cutOff(mask) };
}

function refuseForRoom(job: string, error: unknown, log: Logger): JobRefusal {
  log.error(
    { job, reference: referenceOf(job), err: error },
    'the disk is full: requests are refused until there is room',
  );
  return { reason: 'disk-full' };
}
