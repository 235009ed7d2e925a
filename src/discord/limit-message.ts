import type { MemberAllowance } from '../billing/member-account.ts';
import { formatDecidedUsd, formatUsd } from '../billing/money.ts';
import type { EffectiveLimits } from '../services/guild-settings.ts';
import type { Words } from './words.ts';

/** A member's limits and what is left of them; undefined where there are none. */
export function describeAllowance(limits: EffectiveLimits, left: MemberAllowance, { say }: Words): string | undefined {
  const { source, nanoUsdPerMonth, imagesPerDay } = limits;
  const money = nanoUsdPerMonth !== undefined && {
    perMonth: formatDecidedUsd(nanoUsdPerMonth),
    amountLeft: formatUsd(Math.max(0, left.nanoUsd)),
  };
  const images = imagesPerDay !== undefined && { perDay: imagesPerDay, imagesLeft: Math.max(0, left.images) };
  if (money && images) return say('limit.both', { source, ...money, ...images });
  if (money) return say('limit.month', { source, ...money });
  return images ? say('limit.day', { source, ...images }) : undefined;
}
