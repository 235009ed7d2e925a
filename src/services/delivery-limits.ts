import type { Logger } from 'pino';
import type { DeliverOutcome, Delivery } from './job-conclusion.ts';
import { referenceOf } from './job-reference.ts';

/** What nobody expected may pass, like a disk that is full. After so many sweeps, half an hour as a rule, it has not. */
const FAILURES_MAX = 30;
/** Discord may be away for a night. What is put off for longer is held up by something that does not pass. */
const PUT_OFF_MS_MAX = 24 * 60 * 60_000;

/**
 * A delivery that goes wrong in the same way for ever is given up, so that its result can be fetched, and goes one day.
 * What is being fetched is left as it is: it comes only when somebody asks for it, and it has its day.
 */
export function limitDeliveries(
  deliver: DeliverOutcome,
  { now, log }: { readonly now: () => number; readonly log: Logger },
): DeliverOutcome {
  /** How often the delivery of a job has failed, one time after the other. */
  const failureCounts = new Map<string, number>();
  /** Since when the delivery of a job is put off. */
  const putOffSince = new Map<string, number>();

  /** @returns how often it has failed by now, one time after the other */
  function countFailure(id: string): number {
    const count = (failureCounts.get(id) ?? 0) + 1;
    failureCounts.set(id, count);
    return count;
  }

  /** @returns for how long it has been put off by now, in milliseconds */
  function putOff(id: string): number {
    const since = putOffSince.get(id) ?? now();
    putOffSince.set(id, since);
    return now() - since;
  }

  function giveUp(id: string, why: object): Delivery {
    failureCounts.delete(id);
    putOffSince.delete(id);
    log.error({ job: id, reference: referenceOf(id), ...why }, 'delivery given up');
    return { state: 'undeliverable' };
  }

  return async (job, outcome, lateNews) => {
    if (job.keptUntil !== undefined) return deliver(job, outcome, lateNews);
    const { id } = job.request;
    try {
      const delivery = await deliver(job, outcome, lateNews);
      failureCounts.delete(id);
      if (delivery.state === 'later') {
        const putOffForMs = putOff(id);
        return putOffForMs < PUT_OFF_MS_MAX ? delivery : giveUp(id, { putOffForMs });
      }
      putOffSince.delete(id);
      return delivery;
    } catch (error) {
      if (countFailure(id) < FAILURES_MAX) throw error;
      return giveUp(id, { err: error });
    }
  };
}
