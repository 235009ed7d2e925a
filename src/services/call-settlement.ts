import type { Logger } from 'pino';
import type { Applied, Charge, MovementType, Refusal } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { OpenJob } from './open-job.ts';
import { detailsOf, refOf, requirePlan } from './open-job.ts';
import { referenceOf } from './job-reference.ts';
import { createAlarmPace } from './operator-alarm.ts';

/**
 * What came of a call, in the books. Each step is accepted once, so all of it can be done again after a crash. What
 * should never be is told to the operator, and stands in nobody's way.
 */
export type CallSettlement = {
  /** @param imageCount how many images the provider made */
  post(job: OpenJob, charge: Charge, imageCount: number): Promise<void>;
  void(job: OpenJob, reason: string): Promise<void>;
  unknown(job: OpenJob, why: Parameters<Ledger['unknown']>[1]): Promise<void>;
};

type Settling = Extract<MovementType, 'post' | 'void' | 'unknown'>;

/** Where a transfer may stand already, so that nothing is left to do: a person may have ended it by the bill, or given it up. */
const ALREADY_SETTLED: Readonly<Record<Settling, readonly MovementType[]>> = {
  post: ['post'],
  void: ['void', 'release'],
  unknown: ['unknown', 'post', 'release'],
};

export function createCallSettlement(parts: {
  ledger: Pick<Ledger, 'post' | 'void' | 'unknown'>;
  now: () => number;
  log: Logger;
}): CallSettlement {
  const { ledger, now, log } = parts;
  const claimAlarm = createAlarmPace(now);

  function tellRefusal(job: OpenJob, type: Settling, refusal: Refusal): void {
    const stands = 'transfer' in refusal ? refusal.transfer?.type : undefined;
    if (stands !== undefined && ALREADY_SETTLED[type].includes(stands)) return;
    const { id, guild } = job.request;
    const about = { job: id, reference: referenceOf(id), guild, movement: type, stands, refused: refusal.refused };
    log.error(about, 'the ledger refused what came of a call');
  }

  /** The budget was kept by a ceiling that was none. Every call of the model may go the same way until that is mended. */
  function tellOverrun(job: OpenJob, { cost, priceVersion }: Charge): void {
    const { model, size, quality } = detailsOf(job);
    const heldNanoUsd = requirePlan(job).estimate;
    if (cost <= heldNanoUsd || !claimAlarm(model)) return;
    const { id, guild } = job.request;
    const about = { job: id, reference: referenceOf(id), guild, model, size, quality, priceVersion };
    log.error(
      { ...about, costNanoUsd: cost, heldNanoUsd },
      'a call cost more than its ceiling: budgets can be overrun; compare the price of the model with its bill',
    );
  }

  async function settle(job: OpenJob, type: Settling, movement: Promise<Applied | Refusal>): Promise<boolean> {
    const outcome = await movement;
    if (outcome.refused !== undefined) tellRefusal(job, type, outcome);
    return outcome.refused === undefined;
  }

  return {
    async post(job, charge, imageCount) {
      const details = { ...detailsOf(job), count: imageCount };
      if (await settle(job, 'post', ledger.post(refOf(job), charge, details))) tellOverrun(job, charge);
    },
    async void(job, reason) {
      await settle(job, 'void', ledger.void(refOf(job), reason));
    },
    async unknown(job, why) {
      await settle(job, 'unknown', ledger.unknown(refOf(job), why));
    },
  };
}
