import type { NanoUsd } from './money.ts';
import { requireNanoUsd } from './money.ts';

/** The three totals, which a guild and each of its members have alike. */
export type Totals = { readonly settled: NanoUsd; readonly held: NanoUsd; readonly exposure: NanoUsd };

/** What counts against a limit: certain or not, and spent already or about to be. */
export function spentOrHeld({ settled, held, exposure }: Totals): NanoUsd {
  return settled + held + exposure;
}

/** One member's part of a guild's account. It changes with the head, in the same commit or not at all. */
export type MemberAccount = Totals & {
  readonly v: 1;
  /** How many images were asked for and not freed again, by the UTC day of the request as `YYYYMMDD`. */
  readonly imagesByDay: Readonly<Record<string, number>>;
};

/** What a member may spend and make, and have in flight at once; what is left out is not limited. */
export type MemberLimits = {
  readonly nanoUsdPerMonth?: NanoUsd;
  readonly imagesPerDay?: number;
  readonly openHolds?: number;
};

export function emptyMember(): MemberAccount {
  return { v: 1, settled: 0, held: 0, exposure: 0, imagesByDay: {} };
}

/** What a member may still spend this month and make on a day; Infinity where that is not limited. */
export type MemberAllowance = { readonly nanoUsd: number; readonly images: number };

/** What is left of a member's limits. Negative after a call that cost more than its estimate, and after a limit was lowered. */
export function remainingAllowance(member: MemberAccount, limits: MemberLimits, day: string): MemberAllowance {
  const { nanoUsdPerMonth, imagesPerDay = Infinity } = limits;
  return {
    nanoUsd: (nanoUsdPerMonth === undefined ? Infinity : requireNanoUsd(nanoUsdPerMonth)) - spentOrHeld(member),
    images: imagesPerDay - (member.imagesByDay[day] ?? 0),
  };
}
