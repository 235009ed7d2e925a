/** A clock that follows real time and can be moved forward, so that a token of fifteen minutes can expire at once. */
export type EmulatedClock = {
  /** Milliseconds since the Unix epoch, real time plus every advance so far. */
  now(): number;
  /** Moves the clock forward by `durationMs`; time never runs backwards. */
  advance(durationMs: number): void;
};

export function createEmulatedClock(realNow: () => number = Date.now): EmulatedClock {
  let offsetMs = 0;
  return {
    now: () => realNow() + offsetMs,
    advance(durationMs) {
      if (!(durationMs >= 0)) throw new RangeError(`The clock cannot be moved by ${durationMs} ms.`);
      offsetMs += durationMs;
    },
  };
}
