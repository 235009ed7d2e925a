import type { Logger } from 'pino';
import type { JobJournal, OpenJob } from './job-journal.ts';
import type { JobOutcome } from './job-outcome.ts';

/** Brings an outcome to whoever asked. `later`: it could not be done now, and must be tried again. */
export type DeliverOutcome = (job: OpenJob, outcome: JobOutcome) => Promise<'delivered' | 'undeliverable' | 'later'>;

/**
 * The last step of a job: brings its outcome to the member and ends it. What cannot be delivered now is left to
 * recovery; what can be delivered to nobody is kept for a while, because it was paid for.
 */
export type JobConclusion = { conclude(job: OpenJob, outcome: JobOutcome): Promise<void> };

/** How long a result that reached nobody waits to be fetched. */
const KEPT_MS = 24 * 60 * 60_000;

export function createJobConclusion(parts: {
  deliver: DeliverOutcome;
  journal: JobJournal;
  /** Hears of every end, for counting. */
  onEnd: (job: OpenJob, outcome: JobOutcome) => void;
  now: () => number;
  log: Logger;
}): JobConclusion {
  const { deliver, journal, now, log } = parts;
  return {
    async conclude(job, outcome) {
      try {
        const delivery = await deliver(job, outcome);
        log.info({ job: job.request.id, guild: job.request.guild, ...summaryOf(outcome), delivery }, 'job concluded');
        if (delivery === 'later') return;
        parts.onEnd(job, outcome);
        const mustBeKept = delivery === 'undeliverable' && outcome.ended === 'finished';
        await (mustBeKept ? journal.keep(job, now() + KEPT_MS) : journal.end(job));
      } catch (error) {
        log.error({ job: job.request.id, err: error }, 'delivery failed; recovery will go on with it');
      }
    },
  };
}

/** What the log tells about the end of a job: its cost, and nothing of its content. */
function summaryOf(outcome: JobOutcome): Record<string, unknown> {
  if (outcome.ended === 'refused') return { outcome: outcome.refusal.reason };
  const { model, images, charge } = outcome.result;
  return { outcome: 'finished', model, images: images.length, costNanoUsd: charge?.cost };
}
