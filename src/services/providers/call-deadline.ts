/** The time limit for the whole of a call, from connecting to the last byte. */
export type CallDeadline = {
  /** Aborted when the time is up. */
  readonly signal: AbortSignal;
  /** Frees the timer. */
  dispose(): void;
};

/** @param timeoutMs in milliseconds */
export function startCallDeadline(timeoutMs: number): CallDeadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  return { signal: controller.signal, dispose: () => clearTimeout(timer) };
}
