import type { Logger } from 'pino';
import { limitDeliveries } from './delivery-limits.ts';
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

/** Only a disk that fails leaves any behind: these are more than a bot has under way. */
const BROUGHT_MAX = 1_000;
/** How long a result that reached nobody waits to be fetched. */
const KEPT_MS = 24 * 60 * 60_000;

export function createJobConclusion(parts: {
  deliver: DeliverOutcome;
  journal: JobJournal;
  originals: Pick<KeptOriginals, 'keep'>;
  /** Hears of every end, for counting and telling. */
  onEnd: (end: JobEnd) => void;
  now: () => number;
  log: Logger;
}): JobConclusion {
  const { journal, originals, now, log } = parts;
  const deliver = limitDeliveries(parts.deliver, { now, log });

  /** What is left of a job once its outcome is on its way no more. */
  async function putAway(job: OpenJob, outcome: JobOutcome, delivery: Delivery): Promise<void> {
    if (outcome.ended === 'refused') return journal.end(job);
    const isBrought = delivery.state === 'delivered' && outcome.ended !== 'cancelled';
    if (isBrought) return originals.keep(job, delivery.originals);
    // What could not be fetched waits on as it was: its day began when it was first kept.
    return job.keptUntil === undefined ? journal.keep(job, now() + KEPT_MS) : undefined;
  }

  /**
   * What became of outcomes whose jobs could not be put away yet. They are not brought again: a message that says something
   * in private cannot be found again, and one that was deleted meanwhile must not come back.
   */
  const brought = new Map<string, Delivery>();

  /** Brings the outcome of a job, and tells of its end. What is fetched later has ended once already. */
  async function bring(job: OpenJob, outcome: JobOutcome, lateNews?: LateNews): Promise<Delivery> {
    const { id, guild } = job.request;
    const delivery = await deliver(job, outcome, lateNews);
    const about = { job: id, reference: referenceOf(id), guild, ...summaryOf(outcome) };
    log.info({ ...about, delivery: delivery.state }, 'job concluded');
    if (delivery.state === 'later' || job.keptUntil !== undefined) return delivery;
    brought.set(id, delivery);
    // Of a job that was put away by halves nobody asks again.
    const [oldest] = brought.keys();
    if (brought.size > BROUGHT_MAX && oldest !== undefined) brought.delete(oldest);
    const place = delivery.state === 'undeliverable' ? undefined : delivery.place;
    parts.onEnd({ job, outcome, place });
    return delivery;
  }

  return {
    async conclude(job, outcome, lateNews) {
      const { id } = job.request;
      let delivery = job.keptUntil === undefined ? brought.get(id) : undefined;
      try {
        delivery ??= await bring(job, outcome, lateNews);
        if (delivery.state !== 'later') await putAway(job, outcome, delivery);
        brought.delete(id);
      } catch (error) {
        log.error({ job: id, err: error }, 'delivery failed; recovery will go on with it');
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
