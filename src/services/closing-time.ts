/** From when on a process that stops begins no call any more, because it might not be there when the call ends. */
export type ClosingTime = {
  /** Aborted from that moment on. */
  readonly signal: AbortSignal;
  /** @param endsAt when the process ends, whatever is under way then */
  announce(endsAt: number): void;
};

/** @param callMsMax the longest that a single call can take */
export function createClosingTime({ callMsMax, now }: { callMsMax: number; now: () => number }): ClosingTime {
  const closing = new AbortController();
  return {
    signal: closing.signal,
    announce(endsAt) {
      const leftMs = endsAt - callMsMax - now();
      if (leftMs <= 0) closing.abort();
      else setTimeout(() => closing.abort(), leftMs).unref();
    },
  };
}
