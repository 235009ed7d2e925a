import type { Logger } from 'pino';
import type { Refusal } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { NanoUsd } from '../billing/money.ts';
import { endOfDayOfSnowflake, endOfPeriod, periodOfSnowflake } from '../billing/period.ts';
import { StoreFailure } from '../storage/store.ts';
import type { GuildSettings, LimitSource } from './guild-settings.ts';
import { budgetIn, limitsOf } from './guild-settings.ts';
import type { HoldExpiry } from './hold-expiry.ts';
import type { JobRefusal } from './job-outcome.ts';
import { referenceOf } from './job-reference.ts';
import type { OpenJob } from './open-job.ts';
import { detailsOf, refOf, REPLY_LIFETIME_MS, requirePlan } from './open-job.ts';

/** A job's way through the ledger until its call goes out. */
export type Reservations = {
  /** Checks the guild's budget and the member's limits and holds the job's estimate, in one step. */
  reserve(job: OpenJob, settings: GuildSettings): Promise<JobRefusal | undefined>;
  /** The last step before the call: whoever is refused here must not make it. */
  dispatch(job: OpenJob): Promise<JobRefusal | undefined>;
  /** Frees what is held for a call that was never made. Where the store fails, the hold frees itself by expiring. */
  cancel(job: OpenJob, reason: string): Promise<void>;
};

/** The most requests that one member can have in flight in a server: less than a third of all, so that others get in. */
const MEMBER_OPEN_HOLDS_MAX = 10;
/** How long a reservation stands for a request that waits for its turn; a reply cannot be edited for longer. */
const RESERVATION_MS = REPLY_LIFETIME_MS;
/** What a call's hold outlasts the call itself by, for writing down what came of it. */
const DISPATCH_MARGIN_MS = 60_000;

export function createReservations(parts: {
  ledger: Ledger;
  /** Hears of every hold that may be left over. */
  holds: Pick<HoldExpiry, 'watch' | 'freeUncalled'>;
  defaultBudget: NanoUsd;
  /** The longest that a call can take, in milliseconds. */
  callMsMax: number;
  now: () => number;
  log: Logger;
}): Reservations {
  const { ledger, holds, now, log } = parts;

  /**
   * A store that cannot answer denies the request. What it was asked for it may have done, or do a little later.
   * @param free frees what may be held
   */
  async function failClosed(
    job: OpenJob,
    step: () => Promise<JobRefusal | undefined>,
    free: (reason: string) => Promise<void>,
  ): Promise<JobRefusal | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error;
      log.error({ job: job.request.id, err: error }, 'the store failed; the request is denied');
      await free('store-unavailable');
      holds.watch(job.request.guild);
      return { reason: 'store-unavailable' };
    }
  }

  /** Answers how many were ended. Where that fails, whatever the request was refused for stands. */
  async function expireHolds({ request: { id, guild } }: OpenJob): Promise<number> {
    try {
      return await ledger.expireHolds(guild, periodOfSnowflake(id));
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error;
      log.error({ job: id, guild, err: error }, 'holds whose time is over could not be ended');
      return 0;
    }
  }

  async function cancel(job: OpenJob, reason: string): Promise<void> {
    try {
      // Whatever has been written down as gone out is not freed here: it may have, by whomever.
      await ledger.voidUndispatched(refOf(job), reason);
    } catch (error) {
      log.error({ job: job.request.id, err: error }, 'a hold could not be freed; it will expire');
      holds.watch(job.request.guild);
    }
  }

  /** Whoever ended the hold, the call must not go out; and who it was, and why, only the operator can find out. */
  function tellUnexpected(job: OpenJob, refusal: Refusal): JobRefusal {
    const { id, guild } = job.request;
    const reference = referenceOf(id);
    const stands = 'transfer' in refusal ? refusal.transfer : undefined;
    const about = { job: id, reference, guild, refused: refusal.refused, stands: stands?.type, reason: stands?.reason };
    log.error(about, 'the ledger refused a call that it had a hold for: it was not made');
    return { reason: 'bug', reference };
  }

  return {
    cancel,
    async reserve(job, settings) {
      const { id, member, roles } = job.request;
      const amount = requirePlan(job).estimate;
      const { source, ...memberLimits } = limitsOf(settings, member, roles);
      const order = {
        amount,
        limit: budgetIn(settings, parts.defaultBudget),
        memberLimits: { ...memberLimits, openHolds: MEMBER_OPEN_HOLDS_MAX },
        expiresAt: now() + RESERVATION_MS,
        details: detailsOf(job),
      };
      const step = async (): Promise<JobRefusal | undefined> => {
        let reserved = await ledger.reserve(refOf(job), order);
        // Holds that nobody waits for any more must not stand in the way of somebody who does.
        if (reserved.refused !== undefined && (await expireHolds(job)) > 0) {
          reserved = await ledger.reserve(refOf(job), order);
        }
        return reserved.refused === undefined ? undefined : explainRefusal(reserved, amount, source, id);
      };
      // The reservation may be of another process that was asked the same, and was faster.
      return failClosed(job, step, async (reason) => cancel(job, reason));
    },
    async dispatch(job) {
      const step = async (): Promise<JobRefusal | undefined> => {
        const dispatched = await ledger.dispatch(refOf(job), now() + parts.callMsMax + DISPATCH_MARGIN_MS);
        if (dispatched.refused === undefined) return undefined;
        if (!isTooLate(dispatched)) return tellUnexpected(job, dispatched);
        await cancel(job, 'waited-too-long');
        return { reason: 'waited-too-long' };
      };
      // The reservation is of this process, which goes no further.
      return failClosed(job, step, async (reason) => holds.freeUncalled(refOf(job), reason));
    },
  };
}

/** Whether the hold's time was over, and perhaps somebody has ended it for that already. */
function isTooLate(refusal: Refusal): boolean {
  if (refusal.refused === 'out-of-order') return refusal.transfer?.reason === 'expired';
  return refusal.refused === 'expired';
}

function explainRefusal(refusal: Refusal, needed: NanoUsd, source: LimitSource, id: string): JobRefusal {
  const renewsAt = endOfPeriod(periodOfSnowflake(id));
  switch (refusal.refused) {
    case 'over-budget':
      return { reason: 'over-budget', remaining: refusal.remaining, needed, renewsAt };
    case 'over-member-budget':
      return { reason: 'over-member-budget', source, remaining: refusal.remaining, needed, renewsAt };
    case 'too-many-images':
      return { reason: 'too-many-images', source, remaining: refusal.remaining, renewsAt: endOfDayOfSnowflake(id) };
    case 'too-many-open':
      return { reason: 'too-many-open', whose: refusal.whose };
    case 'duplicate':
    case 'expired':
    case 'out-of-order':
      throw new Error(`the ledger refused a new request as ${refusal.refused}`);
  }
}
