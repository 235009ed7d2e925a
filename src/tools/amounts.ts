import type { NanoUsd } from '../billing/money.ts';
import { formatUsd } from '../billing/money.ts';

const DECIMALS = 6;
const EXACT_DECIMALS = 9;
const NANO_USD_PER_SHOWN_UNIT = 1_000;

/** An amount for operators, in millionths of a dollar, as providers tell them. */
export function usd(amount: NanoUsd): string {
  return formatUsd(amount, DECIMALS);
}

/** The same to the nano-dollar where millionths would not tell all of it: who compares amounts must see what differs. */
export function exactUsd(amount: NanoUsd): string {
  return formatUsd(amount, amount % NANO_USD_PER_SHOWN_UNIT === 0 ? DECIMALS : EXACT_DECIMALS);
}
