import type { Logger } from 'pino';
import type { Charge } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import { unlessTooLarge } from '../billing/money.ts';
import { timeOfSnowflake } from '../billing/period.ts';
import type { PriceBook } from '../billing/prices.ts';
import { priceCall } from '../billing/prices.ts';
import type { TokenUsage } from '../billing/token-usage.ts';
import { readTokenUsage } from '../billing/token-usage.ts';
import { createCallSettlement } from './call-settlement.ts';
import type { CallPlan } from './call-plan.ts';
import type { OpenJob } from './open-job.ts';
import { requirePlan } from './open-job.ts';
import { writeSize } from './providers/image-sizes.ts';
import type { FailedReceipt, MadeReceipt, Receipt } from './receipt.ts';
import type { FinishedJob, JobOutcome, ResultNote } from './job-outcome.ts';
import { refused } from './job-outcome.ts';
import { referenceOf } from './job-reference.ts';
import type { ResultPictures } from './result-pictures.ts';
import type { ResultRecords } from './result-records.ts';

/**
 * From the receipt to the outcome: books what the call cost, writes down what the result was made of, and makes its
 * pictures ready to be posted. All of it can be done again after a crash, with the same result, because the ledger
 * accepts each step once, and a record is written once.
 */
export type JobCompletion = {
  complete(job: OpenJob, receipt: Receipt): Promise<JobOutcome>;
  /** Books what images cost, and nothing else: for a job that had come to its end. */
  book(job: OpenJob, receipt: MadeReceipt): Promise<void>;
};

export function createJobCompletion(parts: {
  ledger: Ledger;
  prices: PriceBook;
  pictures: ResultPictures;
  records: Pick<ResultRecords, 'write'>;
  now: () => number;
  log: Logger;
}): JobCompletion {
  const { pictures, records, log } = parts;
  const settlement = createCallSettlement(parts);

  async function book(job: OpenJob, receipt: MadeReceipt, charge: Charge | undefined): Promise<void> {
    // The books count pictures that were made, which may be fewer than were asked for.
    if (charge) return settlement.post(job, charge, madeCountOf(receipt));
    const reason = receipt.isCutOff ? 'cut-off' : 'no-usage';
    return settlement.unknown(job, { reason, estimated: true, requestId: receipt.requestId });
  }

  async function completeMade(job: OpenJob, receipt: MadeReceipt): Promise<JobOutcome> {
    const plan = requirePlan(job);
    const priced = priceReceipt(parts, job, receipt);
    // Side by side, because commits that come together go to the disk together. Nobody goes on from what was called off.
    const recording = job.isCancelled ? undefined : records.write(job, receipt.imageCount);
    await Promise.all([book(job, receipt, priced?.charge), recording]);
    const { images, notes } = await pictures.finish(job, receipt);
    const result = describeResult(plan, priced, images, [...notesOf(job, plan, receipt), ...notes]);
    // Where no picture is left, there is none that could be kept for whoever cancelled too late.
    const isKept = job.isCancelled && images.length > 0;
    return { ended: isKept ? 'cancelled' : 'finished', result };
  }

  /**
   * An answer that brought no image, and said what it cost. Undefined where what it said is no price, such as zeros: then
   * nobody knows.
   */
  async function completeWithoutImages(job: OpenJob, receipt: FailedReceipt): Promise<JobOutcome | undefined> {
    const { kind, toldPrice, requestId } = receipt;
    if (!toldPrice) return undefined;
    const priced = priceReceipt(parts, job, { ...toldPrice, imageCount: 0, requestId });
    if (!priced?.usage || priced.charge.cost === 0) return undefined;
    await settlement.post(job, priced.charge, toldPrice.madeCount);
    const plan = requirePlan(job);
    const { id, guild } = job.request;
    const reference = referenceOf(id);
    log.error(
      // What is needed to claim it from the provider.
      { job: id, reference, guild, model: plan.model, requestId, costNanoUsd: priced.charge.cost, why: kind },
      'the provider charged for a call, and no picture of it could be had',
    );
    const note = { note: 'no-image', isElsewhere: kind === 'untrusted-result', reference } as const;
    return { ended: 'finished', result: describeResult(plan, priced, [], [note]) };
  }

  async function completeFailed(job: OpenJob, receipt: FailedReceipt): Promise<JobOutcome> {
    const { kind, charged, requestId } = receipt;
    if (charged === 'no') {
      await settlement.void(job, kind);
      if (kind === 'cancelled' || kind === 'stopping') return refused({ reason: kind });
      const stage = receipt.stage ? { stage: receipt.stage } : {};
      return refused({ reason: 'provider-refused', kind, ...stage });
    }
    const withoutImages = await completeWithoutImages(job, receipt);
    if (withoutImages) return withoutImages;
    await settlement.unknown(job, { reason: kind, requestId });
    return refused({ reason: 'outcome-unknown', kind });
  }

  return {
    book: async (job, receipt) => book(job, receipt, priceReceipt(parts, job, receipt)?.charge),
    complete: async (job, receipt) =>
      receipt.outcome === 'made' ? completeMade(job, receipt) : completeFailed(job, receipt),
  };
}

/** What a call cost, and the tokens by which that was found. */
type Priced = { readonly charge: Charge; readonly usage: TokenUsage | undefined };

function describeResult(
  plan: CallPlan,
  priced: Priced | undefined,
  images: FinishedJob['images'],
  notes: FinishedJob['notes'],
): FinishedJob {
  const charge = priced && { cost: priced.charge.cost, usage: priced.usage };
  const { model, quality, estimate } = plan;
  return { images, model, size: writeSize(plan), quality, charge, estimate, notes };
}

/**
 * Undefined where the provider charges by the token and did not tell of any, or of more than can be counted; where its
 * answer was cut off, because images that never arrived may be on the bill as well; and where the operator has removed
 * the price since the call was planned.
 */
function priceReceipt(
  { prices, log }: { readonly prices: PriceBook; readonly log: Logger },
  job: OpenJob,
  receipt: Omit<MadeReceipt, 'outcome'>,
): Priced | undefined {
  if (receipt.isCutOff) return undefined;
  const { model } = requirePlan(job);
  const about = { job: job.request.id, model, usage: receipt.usage };
  const modelPrice = prices.priceOf(model, timeOfSnowflake(job.request.id));
  if (!modelPrice) {
    log.error(
      about,
      'the price by which a call was planned is gone, so its cost is not known: leave old prices in PRICES_FILE, and ' +
        'book this one by npm run reconcile',
    );
    return undefined;
  }
  const usage = readTokenUsage(receipt.usage);
  // A usage that no sum of money can express must not keep its pictures from whoever asked for them.
  const price = unlessTooLarge(() => priceCall(modelPrice, { imageCount: madeCountOf(receipt), usage }));
  if (price === 'too-large') {
    log.error(about, 'the provider told of a usage that no price can be found for');
    return undefined;
  }
  return price && { usage, charge: { ...price, usage: receipt.usage ?? null, requestId: receipt.requestId } };
}

/** What a provider that charges by the image charges for, also where not all of it arrived here. */
function madeCountOf({ madeCount, imageCount }: Pick<MadeReceipt, 'madeCount' | 'imageCount'>): number {
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
