/** The first millisecond of 2015: the epoch of every Discord id. */
const DISCORD_EPOCH_MS = 1_420_070_400_000;

/** Bits below the timestamp: worker, process and sequence number. */
const TIMESTAMP_SHIFT = 22n;

/** Makes the next id; each is larger than the one before. */
export type SnowflakeSource = () => string;

/**
 * Ids carry the emulator's time, because programs read the month or the age of an interaction from its id.
 * More than 2^22 ids in one millisecond would run ahead of the clock; no test makes that many.
 */
export function createSnowflakeSource(now: () => number): SnowflakeSource {
  let last = 0n;
  return () => {
    const earliest = BigInt(Math.floor(now()) - DISCORD_EPOCH_MS) << TIMESTAMP_SHIFT;
    last = earliest > last ? earliest : last + 1n;
    return last.toString();
  };
}

/** The moment inside an id, in milliseconds since the Unix epoch. */
export function snowflakeTimestampMs(id: string): number {
  return Number(BigInt(id) >> TIMESTAMP_SHIFT) + DISCORD_EPOCH_MS;
}
