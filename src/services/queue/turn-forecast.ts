/** When a turn may begin, going by how long the recent ones took. */
export type TurnForecast = {
  /** A turn has ended. */
  learn(durationMs: number): void;
  /**
   * How long each of those in line waits for one of the places at the provider, the first in line first. Undefined for
   * those of whom nobody can tell: no turn has ended yet.
   * @param elapsedMs for how long each turn under way has lasted
   */
  waitsMs(elapsedMs: readonly number[]): (ahead: number) => number | undefined;
};

/** The share of the latest turn in the mean: ten turns tell more than one, and a hundred tell of another hour. */
const LATEST_SHARE = 0.1;

export function createTurnForecast(concurrency: number): TurnForecast {
  let meanMs: number | undefined;
  return {
    learn(durationMs) {
      meanMs = meanMs === undefined ? durationMs : meanMs + (durationMs - meanMs) * LATEST_SHARE;
    },
    waitsMs(elapsedMs) {
      const freeCount = concurrency - elapsedMs.length;
      if (meanMs === undefined) return (ahead) => (ahead < freeCount ? 0 : undefined);
      const turnMs = meanMs;
      // A free place is taken by the next in line at once, and comes back when that turn has ended.
      const endsMs = [
        ...elapsedMs.map((elapsed) => Math.max(0, turnMs - elapsed)),
        ...Array.from({ length: freeCount }, () => turnMs),
      ].toSorted((one, other) => one - other);
      return (ahead) => {
        if (ahead < freeCount) return 0;
        const place = ahead - freeCount;
        return (endsMs[place % concurrency] ?? 0) + Math.floor(place / concurrency) * turnMs;
      };
    },
  };
}
