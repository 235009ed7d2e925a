import type { Logger } from 'pino';
import type { JobJournal } from './job-journal.ts';
import type { OpenJob } from './open-job.ts';
import type { FinishedImage, JobOutcome } from './job-outcome.ts';
import type { LateNews } from './job-progress.ts';
import { referenceOf } from './job-reference.ts';
import type { KeptOriginals } from './kept-originals.ts';

/** Where a message stands. */
export type MessagePlace = { readonly channelId: string; readonly messageId: string };

/** What became of an outcome on its way to whoever asked. */
export type Delivery =
  | {
      readonly state: 'delivered';
      /** Undefined where Discord did not say. */
      readonly place: MessagePlace | undefined;
      /** The pictures that are shown re-encoded, as they came. */
      readonly originals: readonly FinishedImage[];
    }
  /** The message stands, without pictures that Discord takes in no form that could be made of them. */
  | { readonly state: 'incomplete'; readonly place: MessagePlace | undefined }
  | { readonly state: 'undeliverable' }
  /** It could not be done now, and must be tried again. */
  | { readonly state: 'later' };

/** @param lateNews what may still cover the outcome where it is brought to */
export type DeliverOutcome = (job: OpenJob, outcome: JobOutcome, lateNews?: LateNews) => Promise<Delivery>;

/** The end of a job, for those who only hear of it. */
export type JobEnd = {
  readonly job: OpenJob;
  readonly outcome: JobOutcome;
  /** Where the outcome is shown, if it is. */
  readonly place: MessagePlace | undefined;
};

/**
 * The last step of a job: brings its outcome to the member and ends it. What cannot be delivered now is left to
 * recovery; what can be delivered to nobody, or was called off too late, is kept for a while, because it was paid for.
 */
export type JobConclusion = {
  /** Answers what became of the outcome; `failed` where its delivery went wrong in a way that nobody expected. */
  conclude(job: OpenJob, outcome: JobOutcome, lateNews?: LateNews): Promise<Delivery['state'] | 'failed'>;
};

/** How long a result that reached nobody waits to be fetched. */
const KEPT_MS = 24 * 60 * 60_000;
/** What nobody expected may pass, like a disk that is full; by then, half an hour of sweeps, it has not. */
const FAILURES_MAX = 30;

export function createJobConclusion(parts: {
  deliver: DeliverOutcome;
  journal: JobJournal;
  originals: Pick<KeptOriginals, 'keep'>;
  /** Hears of every end, for counting and telling. */
  onEnd: (end: JobEnd) => void;
  now: () => number;
  log: Logger;
}): JobConclusion {
  const { deliver, journal, originals, now, log } = parts;

  /** What is left of a job once its outcome is on its way no more. */
  async function putAway(job: OpenJob, outcome: JobOutcome, delivery: Delivery): Promise<void> {
    if (outcome.ended === 'refused') return journal.end(job);
    if (outcome.ended === 'cancelled' || delivery.state !== 'delivered') return journal.keep(job, now() + KEPT_MS);
    return originals.keep(job, delivery.originals);
  }

  /** How often the delivery of a job has failed in a way that nobody expected. */
  const failureCounts = new Map<string, number>();

  /** A delivery that fails in the same way for ever is given up, so that its result can be fetched, and goes one day. */
  async function deliverOrGiveUp(job: OpenJob, outcome: JobOutcome, lateNews?: LateNews): Promise<Delivery> {
    const { id } = job.request;
    try {
      const delivery = await deliver(job, outcome, lateNews);
      failureCounts.delete(id);
      return delivery;
    } catch (error) {
      const count = (failureCounts.get(id) ?? 0) + 1;
      failureCounts.set(id, count);
      if (count < FAILURES_MAX) throw error;
      failureCounts.delete(id);
      log.error({ job: id, reference: referenceOf(id), err: error }, 'delivery given up');
      return { state: 'undeliverable' };
    }
  }

  /** Tells of the end of a job, where this is one, and puts away what is left of it. */
  async function finish(job: OpenJob, outcome: JobOutcome, delivery: Delivery): Promise<void> {
    const { id, guild } = job.request;
    const about = { job: id, reference: referenceOf(id), guild, ...summaryOf(outcome) };
    log.info({ ...about, delivery: delivery.state }, 'job concluded');
    if (delivery.state === 'later') return;
    const place = delivery.state === 'undeliverable' ? undefined : delivery.place;
    // What is fetched later has ended once already.
    if (job.keptUntil === undefined) parts.onEnd({ job, outcome, place });
    await putAway(job, outcome, delivery);
  }

  return {
    async conclude(job, outcome, lateNews) {
      let delivery: Delivery | undefined;
      try {
        delivery = await deliverOrGiveUp(job, outcome, lateNews);
        await finish(job, outcome, delivery);
      } catch (error) {
        log.error({ job: job.request.id, err: error }, 'delivery failed; recovery will go on with it');
      }
      return delivery?.state ?? 'failed';
    },
  };
}

/** What the log tells about the end of a job: its cost, and nothing of its content. */
function summaryOf(outcome: JobOutcome): Record<string, unknown> {
  if (outcome.ended === 'refused') return { outcome: outcome.refusal.reason };
  const { model, images, charge } = outcome.result;
  return { outcome: outcome.ended, model, images: images.length, costNanoUsd: charge?.cost };
}
