/**
 * Money is counted in nano-US-dollars, as safe integers: $5 per million tokens is 5,000 nano-dollars a token, so every
 * price that a provider publishes is exact, and a sum never drifts. Rounding happens only where a person reads.
 */
export type NanoUsd = number;

export const NANO_USD_PER_USD = 1_000_000_000;
const NANO_USD_PER_CENT = 10_000_000;
const NANO_USD_DIGITS = 9;
const DECIMAL_PATTERN = /^(\d{1,6})(?:\.(\d{1,9}))?$/;

/**
 * Reads a decimal string such as `"12.50"`, exactly.
 * @throws {RangeError} when the text is not a plain, non-negative decimal of at most six digits before and nine after the point.
 */
export function parseUsd(text: string): NanoUsd {
  const match = DECIMAL_PATTERN.exec(text.trim());
  if (!match) throw new RangeError(`not an amount in US dollars: ${JSON.stringify(text.slice(0, 40))}`);
  const [, whole = '0', fraction = ''] = match;
  return Number(whole) * NANO_USD_PER_USD + Number(fraction.padEnd(NANO_USD_DIGITS, '0'));
}

/** Fails loudly when an amount is no safe integer: a wrong sum must never be stored. */
export function requireNanoUsd(amount: NanoUsd): NanoUsd {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`not a whole, safe number of nano-dollars: ${amount}`);
  return amount;
}

/** Calculates with numbers of somebody else's, and answers `too-large` where an amount is more than can be counted. */
export function unlessTooLarge<Result>(calculate: () => Result): Result | 'too-large' {
  try {
    return calculate();
  } catch (error) {
    if (error instanceof RangeError) return 'too-large';
    throw error;
  }
}

/** Providers that publish how they round, round to six decimals of a dollar. */
const NANO_USD_PER_MICRO_USD = 1_000;

/** Rounds a non-negative amount to the nearest millionth of a dollar, a half upwards. */
export function roundHalfUpToMicroUsd(amount: NanoUsd): NanoUsd {
  const rounded = Math.floor((requireNanoUsd(amount) + NANO_USD_PER_MICRO_USD / 2) / NANO_USD_PER_MICRO_USD);
  return requireNanoUsd(rounded * NANO_USD_PER_MICRO_USD);
}

/** Rounds an amount up to a whole millionth of a dollar: a ceiling must not be lower than what a bill is rounded to. */
export function roundUpToMicroUsd(amount: NanoUsd): NanoUsd {
  return requireNanoUsd(Math.ceil(requireNanoUsd(amount) / NANO_USD_PER_MICRO_USD) * NANO_USD_PER_MICRO_USD);
}

/** Shows an amount rounded half up, for example `$0.0421`; four decimals are what messages show. */
export function formatUsd(amount: NanoUsd, decimals = 4): string {
  const decimal = decimalUsd(amount, decimals);
  return decimal.startsWith('-') ? `-$${decimal.slice(1)}` : `$${decimal}`;
}

/** Shows an amount that somebody decided on, such as a budget: in cents, unless it is finer than that. */
export function formatDecidedUsd(amount: NanoUsd): string {
  return formatUsd(amount, amount % NANO_USD_PER_CENT === 0 ? 2 : 4);
}

/**
 * Shows an amount as a bare decimal rounded half up, and one below nothing half down, for exports; six decimals are what
 * exports show. What is rounded to nothing has no sign.
 */
export function decimalUsd(amount: NanoUsd, decimals: number): string {
  const unit = 10 ** (NANO_USD_DIGITS - decimals);
  const rounded = Math.floor((Math.abs(requireNanoUsd(amount)) + unit / 2) / unit);
  const sign = amount < 0 && rounded > 0 ? '-' : '';
  const digits = String(rounded).padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
