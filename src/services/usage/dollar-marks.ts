import type { NanoUsd } from '../../billing/money.ts';
import { NANO_USD_PER_USD } from '../../billing/money.ts';

/** The marks of an axis that shows money, from one amount to another. */
export type DollarMarks = { readonly min: NanoUsd; readonly max: NanoUsd; readonly step: NanoUsd };

/** What an axis without amounts goes up to. */
const MAX_OF_NOTHING = NANO_USD_PER_USD;

/** Round marks that include zero, about `count` of them on the longer side. */
export function roundMarks(amounts: readonly NanoUsd[], count: number): DollarMarks {
  const top = Math.max(0, ...amounts);
  const bottom = Math.min(0, ...amounts);
  const step = roundUp((Math.max(top, -bottom) || MAX_OF_NOTHING) / count);
  return { min: Math.floor(bottom / step) * step, max: Math.max(1, Math.ceil(top / step)) * step, step };
}

/** The next of 1, 2 and 5 with any number of zeros behind. */
function roundUp(amount: NanoUsd): NanoUsd {
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, amount)));
  return unit * ([1, 2, 5].find((times) => times * unit >= amount) ?? 10);
}

/** Whole dollars, cents, or for steps of less than a cent as many decimals as tell them apart. */
export function decimalsFor(step: NanoUsd): number {
  const decimals = Math.ceil(-Math.log10(step / NANO_USD_PER_USD));
  return decimals <= 0 ? 0 : Math.max(2, decimals);
}

/** An amount as charts show it, with a comma between thousands. */
export function formatDollars(amount: NanoUsd, decimals: number): string {
  return (amount / NANO_USD_PER_USD).toLocaleString('en-US', {
    style: 'currency',
    currency: 'USD',
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}
