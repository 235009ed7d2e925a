/** Repeatable randomness: the same words give the same picture, on every machine. */
import { createHash } from 'node:crypto';

export type RandomSource = {
  /** A number from `low` up to, and not including, `high`. */
  between(low: number, high: number): number;
  /** One of the values, which must not be empty. */
  pick<Value>(values: readonly [Value, ...Value[]]): Value;
};

/** A sequence (mulberry32) that begins at a hash of the words given. */
export function createRandomSource(...words: readonly (string | number)[]): RandomSource {
  let state = createHash('sha256').update(words.join('\0')).digest().readUInt32LE(0);
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    between: (low, high) => low + (high - low) * next(),
    pick: (values) => values[Math.floor(next() * values.length)] ?? values[0],
  };
}
