import type { PriceTable } from '../billing/prices.ts';
import type { PlannedPictures } from './call-planning.ts';
import { checkOptions, chooseModel, planCall } from './call-planning.ts';
import type { CallPlan, JobJournal, OpenJob, Receipt } from './job-journal.ts';
import type { ModelRoster } from './model-roster.ts';
import { requirePlan } from './reservation.ts';

/**
 * What happens to a job whose model turns out to be gone. The next one takes its place where the member left the choice
 * to us, where it can do the same, and where it costs no more than what is held already.
 */
export type ModelSuccession = {
  /** The job with its new plan, or undefined where the receipt has to stand. */
  successor(job: OpenJob, receipt: Receipt): Promise<OpenJob | undefined>;
};

export function createModelSuccession(parts: {
  roster: ModelRoster;
  journal: JobJournal;
  prices: PriceTable;
}): ModelSuccession {
  const { roster, journal, prices } = parts;
  return {
    async successor(job, receipt) {
      if (receipt.outcome !== 'failed' || receipt.kind !== 'model-not-found') return undefined;
      const plan = requirePlan(job);
      roster.retire(plan.model);
      if (job.request.model !== undefined) return undefined;

      const model = chooseModel(job.request, roster.models);
      if ('reason' in model || checkOptions(job.request, model, roster.models)) return undefined;
      const next = planCall(job.request, model, picturesOf(plan), prices);
      if ('reason' in next || next.estimate > plan.estimate) return undefined;
      // What is held stays what was held: it is the ledger's number, and not this model's ceiling.
      const replaced = { replacedModel: plan.replacedModel ?? plan.model, estimate: plan.estimate };
      return journal.writePlan(job, { ...next, ...replaced });
    },
  };
}

/** The pictures of a plan and nothing else of it: its choices were made for the model that is gone. */
function picturesOf({ images, mask, keptFrom, firstFrameOnly }: CallPlan): PlannedPictures {
  return { images, firstFrameOnly, ...(mask ? { mask } : {}), ...(keptFrom === undefined ? {} : { keptFrom }) };
}
