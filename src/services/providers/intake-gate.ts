/**
 * Lets a few answers at a time come in, while the rest wait in the kernel.
 *
 * A hundred answers that arrive together would otherwise all be in memory at once, each with its buffers, and every
 * turn of the event loop would carry a piece of each of them: that is how long an acknowledgement would then wait. A few
 * at a time are as fast together as a hundred. An answer that pauses gives its place to one that waits for it, so a slow
 * connection, or one that tells of its progress for a minute, holds up nobody.
 */
export type IntakeGate = {
  /** The place of one answer, which it does not have yet. */
  begin(): IntakePlace;
};

export type IntakePlace = {
  /** Resolves when what has arrived may be taken in; undefined where it may be at once, as nearly always. */
  enter(): Promise<void> | undefined;
  /** What was taken in is dealt with, and more of it is awaited: from now on, others may have the place. */
  pause(): void;
  leave(): void;
};

export type IntakeGateLimits = {
  readonly concurrency: number;
  /** How long an answer may let a place wait that others want. */
  readonly pauseMsMax: number;
};

type Waiting = { readonly holder: Holder; readonly begin: () => void };
type Holder = { pausedAt: number | undefined };

export function createIntakeGate({ concurrency, pauseMsMax }: IntakeGateLimits, now: () => number): IntakeGate {
  const holders = new Set<Holder>();
  const line: Waiting[] = [];
  let watch: NodeJS.Timeout | undefined;

  /** A place is handed over rather than freed, so that nobody gets in between. */
  function giveUp(holder: Holder): void {
    if (!holders.delete(holder)) return;
    const next = line.shift();
    if (!next) return;
    holders.add(next.holder);
    next.begin();
  }

  function takeFromThePaused(): void {
    const latest = now() - pauseMsMax;
    for (const holder of holders) {
      if (line.length > 0 && holder.pausedAt !== undefined && holder.pausedAt <= latest) giveUp(holder);
    }
    watch = line.length > 0 ? setTimeout(takeFromThePaused, pauseMsMax) : undefined;
  }

  return {
    begin() {
      const holder: Holder = { pausedAt: undefined };
      return {
        enter() {
          holder.pausedAt = undefined;
          if (holders.has(holder)) return undefined;
          if (holders.size < concurrency) return void holders.add(holder);
          watch ??= setTimeout(takeFromThePaused, pauseMsMax);
          return new Promise<void>((begin) => line.push({ holder, begin }));
        },
        pause() {
          holder.pausedAt = now();
        },
        leave() {
          const index = line.findIndex((waiting) => waiting.holder === holder);
          // Whoever left while it waited finds that out by itself, from what made it leave.
          if (index !== -1) line.splice(index, 1).forEach(({ begin }) => begin());
          giveUp(holder);
        },
      };
    },
  };
}
