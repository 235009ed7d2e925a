const NANO_USD_PER_USD = 1_000_000_000n;
const DECIMALS = 9;

/** Every digit of an amount, in groups of three: $0.013 170 000. */
export function describeNanoUsd(nanoUsd: number): string {
  const amount = BigInt(nanoUsd);
  const absolute = amount < 0n ? -amount : amount;
  const decimals = String(absolute % NANO_USD_PER_USD).padStart(DECIMALS, '0');
  const groups = decimals.match(/.{3}/g) ?? [];
  return `${amount < 0n ? '−' : ''}$${absolute / NANO_USD_PER_USD}.${groups.join('\u202F')}`;
}
