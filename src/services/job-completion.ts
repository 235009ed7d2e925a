import type { Logger } from 'pino';
import type { Applied, Charge, MovementType, Refusal } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import { timeOfSnowflake } from '../billing/period.ts';
import type { PriceBook } from '../billing/prices.ts';
import { priceCall } from '../billing/prices.ts';
import type { TokenUsage } from '../billing/token-usage.ts';
import { readTokenUsage } from '../billing/token-usage.ts';
import type { CallPlan, FailedReceipt, MadeReceipt, OpenJob, Receipt } from './job-journal.ts';
import type { FinishedJob, JobOutcome, ResultNote } from './job-outcome.ts';
import { referenceOf } from './job-reference.ts';
import { detailsOf, refOf, requirePlan } from './reservation.ts';
import type { ResultPictures } from './result-pictures.ts';
import type { ResultRecords } from './result-records.ts';

/**
 * From the receipt to the outcome: books what the call cost, writes down what the result was made of, and makes its
 * pictures ready to be posted. All of it can be done again after a crash, with the same result, because the ledger
 * accepts each step once, and a record is written once.
 */
export type JobCompletion = {
  complete(job: OpenJob, receipt: Receipt): Promise<JobOutcome>;
};

/** How a call is settled. */
type Settling = Extract<MovementType, 'post' | 'void' | 'unknown'>;

/** Where a transfer may stand already, so that nothing is left to do: a person may have ended it by the bill, or given it up. */
const ALREADY_SETTLED: Readonly<Record<Settling, readonly MovementType[]>> = {
  post: ['post'],
  void: ['void', 'release'],
  unknown: ['unknown', 'post', 'release'],
};

export function createJobCompletion(parts: {
  ledger: Ledger;
  prices: PriceBook;
  pictures: ResultPictures;
  records: Pick<ResultRecords, 'write'>;
  log: Logger;
}): JobCompletion {
  const { ledger, prices, pictures, records, log } = parts;

  /** What the ledger does not take is told to the operator, unless somebody has done it before: after a crash, or by hand. */
  function settle(job: OpenJob, type: Settling, outcome: Applied | Refusal): void {
    if (outcome.refused === undefined) return;
    const stands = 'transfer' in outcome ? outcome.transfer?.type : undefined;
    if (stands !== undefined && ALREADY_SETTLED[type].includes(stands)) return;
    const { id, guild } = job.request;
    const about = { job: id, reference: referenceOf(id), guild, movement: type, stands, refused: outcome.refused };
    log.error(about, 'the ledger refused what came of a call: look at the transfer with `npm run reconcile`');
  }

  async function book(job: OpenJob, receipt: MadeReceipt, charge: Charge | undefined): Promise<void> {
    const ref = refOf(job);
    // The books count pictures that were made, which may be fewer than were asked for.
    if (charge) {
      const details = { ...detailsOf(job), count: madeCountOf(receipt) };
      return settle(job, 'post', await ledger.post(ref, charge, details));
    }
    const reason = receipt.isCutOff ? 'cut-off' : 'no-usage';
    const why = { reason, estimated: true, requestId: receipt.requestId };
    return settle(job, 'unknown', await ledger.unknown(ref, why));
  }

  async function completeMade(job: OpenJob, receipt: MadeReceipt): Promise<JobOutcome> {
    const plan = requirePlan(job);
    const priced = priceReceipt(prices, job, receipt);
    // Side by side, because commits that come together go to the disk together. Nobody goes on from what was called off.
    const recording = job.isCancelled ? undefined : records.write(job, receipt.imageCount);
    await Promise.all([book(job, receipt, priced?.charge), recording]);
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
    return { ended: job.isCancelled ? 'cancelled' : 'finished', result };
  }

  async function completeFailed(job: OpenJob, receipt: FailedReceipt): Promise<JobOutcome> {
    const ref = refOf(job);
    const { kind, charged, requestId } = receipt;
    if (charged === 'no') {
      settle(job, 'void', await ledger.void(ref, kind));
      if (kind === 'cancelled') return { ended: 'refused', refusal: { reason: 'cancelled' } };
      const stage = receipt.stage ? { stage: receipt.stage } : {};
      return { ended: 'refused', refusal: { reason: 'provider-refused', kind, ...stage } };
    }
    settle(job, 'unknown', await ledger.unknown(ref, { reason: kind, requestId }));
    return { ended: 'refused', refusal: { reason: 'outcome-unknown', kind } };
  }

  return {
    complete: async (job, receipt) =>
      receipt.outcome === 'made' ? completeMade(job, receipt) : completeFailed(job, receipt),
  };
}

/**
 * Undefined where the provider charges by the token and did not tell of any; and where its answer was cut off, because
 * images that never arrived may be on the bill as well.
 */
function priceReceipt(
  prices: PriceBook,
  job: OpenJob,
  receipt: MadeReceipt,
): { charge: Charge; usage: TokenUsage | undefined } | undefined {
  if (receipt.isCutOff) return undefined;
  const modelPrice = prices.priceOf(requirePlan(job).model, timeOfSnowflake(job.request.id));
  const usage = readTokenUsage(receipt.usage);
  const price = modelPrice && priceCall(modelPrice, { imageCount: madeCountOf(receipt), usage });
  return price && { usage, charge: { ...price, usage: receipt.usage ?? null, requestId: receipt.requestId } };
}

/** What a provider that charges by the image charges for, also where not all of it arrived here. */
function madeCountOf({ madeCount, imageCount }: MadeReceipt): number {
  return madeCount ?? imageCount;
}

function notesOf(job: OpenJob, plan: CallPlan, receipt: MadeReceipt): ResultNote[] {
  const { count } = job.request;
  const { imageCount, isCutOff = false } = receipt;
  const note = isCutOff ? 'cut-off' : 'fewer-images';
  return [
    ...(imageCount < count ? [{ note, asked: count, got: imageCount } as const] : []),
    ...(plan.masked ? [{ note: 'masked', ...plan.masked } as const] : []),
    ...(plan.firstFrameOnly ? [{ note: 'first-frame-only' } as const] : []),
    ...(plan.replacedModel === undefined ? [] : [{ note: 'model-replaced', asked: plan.replacedModel } as const]),
  ];
}
