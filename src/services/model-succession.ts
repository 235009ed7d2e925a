import type { PriceBook } from '../billing/prices.ts';
import { StoreFailure } from '../storage/store.ts';
import type { Allowed } from './access.ts';
import { applyRules } from './access.ts';
import type { PlannedPictures } from './call-planning.ts';
import { planCall } from './call-planning.ts';
import type { GuildSettingsStore } from './guild-settings-store.ts';
import type { ImageRequest } from './image-request.ts';
import type { CallPlan } from './call-plan.ts';
import type { JobJournal } from './job-journal.ts';
import type { OpenJob } from './open-job.ts';
import { requirePlan } from './open-job.ts';
import type { Receipt } from './receipt.ts';
import type { ModelRoster } from './model-roster.ts';

/**
 * What happens to a job whose model turns out to be gone. The next one takes its place where the member left the choice
 * to us, where it can do the same, where they may use it, and where it costs no more than what is held already.
 */
export type ModelSuccession = {
  /**
   * The job with its new plan, or undefined where the receipt has to stand.
   * @param lastStartAt after this moment it is too late for another call on what is held
   */
  successor(job: OpenJob, receipt: Receipt, lastStartAt: number): Promise<OpenJob | undefined>;
};

export function createModelSuccession(parts: {
  roster: ModelRoster;
  journal: Pick<JobJournal, 'writePlan'>;
  prices: PriceBook;
  settings: Pick<GuildSettingsStore, 'read'>;
  now: () => number;
}): ModelSuccession {
  const { roster, journal, prices } = parts;

  /** The request as it would be admitted by what is offered now, or undefined where it would not be. */
  async function admitAgain(request: ImageRequest): Promise<Allowed | undefined> {
    const allowed = applyRules(request, await parts.settings.read(request.guild), roster.models);
    return 'reason' in allowed ? undefined : allowed;
  }

  return {
    async successor(job, receipt, lastStartAt) {
      if (receipt.outcome !== 'failed' || receipt.kind !== 'model-not-found') return undefined;
      const plan = requirePlan(job);
      roster.retire(plan.model);
      if (job.request.model !== undefined || parts.now() > lastStartAt) return undefined;

      const admitted = await admitAgain(job.request).catch(noneWhereTheStoreFails);
      if (!admitted) return undefined;
      const previews = plan.partialImages !== undefined;
      const next = planCall(admitted.request, admitted.model, picturesOf(plan), prices, { previews });
      if ('reason' in next || next.estimate > plan.estimate) return undefined;
      // What is held stays what was held: it is the ledger's number, and not this model's ceiling.
      const replaced = { replacedModel: plan.replacedModel ?? plan.model, estimate: plan.estimate };
      return journal.writePlan(job, { ...next, ...replaced });
    },
  };
}

/** What came of the call is known and has to be written down, whether or not there could have been another one. */
function noneWhereTheStoreFails(error: unknown): undefined {
  if (!(error instanceof StoreFailure)) throw error;
}

/** The pictures of a plan and nothing else of it: its choices were made for the model that is gone. */
function picturesOf({ images, mask, masked, keptFrom, firstFrameOnly }: CallPlan): PlannedPictures {
  return {
    images,
    firstFrameOnly,
    ...(mask ? { mask } : {}),
    ...(masked ? { masked } : {}),
    ...(keptFrom === undefined ? {} : { keptFrom }),
  };
}
