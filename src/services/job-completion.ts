import type { Charge } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { PriceTable } from '../billing/prices.ts';
import { findRates, priceUsage } from '../billing/prices.ts';
import type { TokenUsage } from '../billing/token-usage.ts';
import { readTokenUsage } from '../billing/token-usage.ts';
import type { CallPlan, FailedReceipt, MadeReceipt, OpenJob, Receipt } from './job-journal.ts';
import type { FinishedJob, JobOutcome, ResultNote } from './job-outcome.ts';
import { detailsOf, refOf, requirePlan } from './reservation.ts';
import type { ResultPictures } from './result-pictures.ts';

/**
 * From the receipt to the outcome: books what the call cost and makes its pictures ready to be posted. All of it can
 * be done again after a crash, with the same result, because the ledger accepts each step once.
 */
export type JobCompletion = {
  complete(job: OpenJob, receipt: Receipt): Promise<JobOutcome>;
};

export function createJobCompletion(parts: {
  ledger: Ledger;
  prices: PriceTable;
  pictures: ResultPictures;
}): JobCompletion {
  const { ledger, prices, pictures } = parts;

  async function completeMade(job: OpenJob, receipt: MadeReceipt): Promise<JobOutcome> {
    const plan = requirePlan(job);
    const priced = priceReceipt(prices, plan, receipt);
    const ref = refOf(job);
    // The books count pictures that were made, which may be fewer than were asked for.
    if (priced) await ledger.post(ref, priced.charge, { ...detailsOf(job), count: receipt.imageCount });
    else await ledger.unknown(ref, { reason: 'no-usage', estimated: true, requestId: receipt.requestId });
    const { images, notes } = await pictures.finish(job, receipt.imageCount);
    const result: FinishedJob = {
      images,
      model: plan.model,
      size: `${plan.width}x${plan.height}`,
      quality: plan.quality,
      charge: priced && { cost: priced.charge.cost, usage: priced.usage },
      estimate: plan.estimate,
      notes: [...notesOf(job, plan, receipt), ...notes],
    };
    return { ended: 'finished', result };
  }

  async function completeFailed(job: OpenJob, receipt: FailedReceipt): Promise<JobOutcome> {
    const ref = refOf(job);
    const { kind, charged, requestId } = receipt;
    if (charged === 'no') {
      await ledger.void(ref, kind);
      const stage = receipt.stage ? { stage: receipt.stage } : {};
      return { ended: 'refused', refusal: { reason: 'provider-refused', kind, ...stage } };
    }
    await ledger.unknown(ref, { reason: kind, requestId });
    return { ended: 'refused', refusal: { reason: 'outcome-unknown', kind } };
  }

  return {
    complete: async (job, receipt) =>
      receipt.outcome === 'made' ? completeMade(job, receipt) : completeFailed(job, receipt),
  };
}

function priceReceipt(
  prices: PriceTable,
  plan: CallPlan,
  receipt: MadeReceipt,
): { charge: Charge; usage: TokenUsage } | undefined {
  const usage = readTokenUsage(receipt.usage);
  const rates = findRates(prices, plan.model);
  if (!usage || !rates) return undefined;
  const price = priceUsage(prices, rates, usage);
  return { usage, charge: { ...price, usage: receipt.usage, requestId: receipt.requestId } };
}

function notesOf(job: OpenJob, plan: CallPlan, receipt: MadeReceipt): ResultNote[] {
  const { count } = job.request;
  return [
    ...(receipt.imageCount < count ? [{ note: 'fewer-images', asked: count, got: receipt.imageCount } as const] : []),
    ...(plan.firstFrameOnly ? [{ note: 'first-frame-only' } as const] : []),
    ...(plan.replacedModel === undefined ? [] : [{ note: 'model-replaced', asked: plan.replacedModel } as const]),
  ];
}
