import type { MemberAllowance } from '../billing/member-account.ts';
import { formatUsd } from '../billing/money.ts';
import type { EffectiveLimits, LimitSource } from '../services/guild-settings.ts';

/** Whose limit it is, as the beginning of a sentence. */
export function nameLimit(source: LimitSource): string {
  switch (source) {
    case 'member':
      return 'Your own limit';
    case 'role':
      return "Your role's limit";
    case 'everyone':
      return 'The limit that every member has here';
  }
}

/** A member's limits and what is left of them; undefined where there are none. */
export function describeAllowance(limits: EffectiveLimits, left: MemberAllowance): string | undefined {
  const { source, nanoUsdPerMonth, imagesPerDay } = limits;
  const parts = [
    ...(nanoUsdPerMonth === undefined
      ? []
      : [`${formatUsd(nanoUsdPerMonth, 2)} a month, of which ${formatUsd(Math.max(0, left.nanoUsd))} is left`]),
    ...(imagesPerDay === undefined
      ? []
      : [`${imagesPerDay} images a day, of which ${Math.max(0, left.images)} are left`]),
  ];
  return parts.length > 0 ? `${nameLimit(source)} is ${parts.join(', and ')}.` : undefined;
}
