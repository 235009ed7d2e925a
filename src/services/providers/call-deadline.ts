/** Why a call must stop: its caller no longer wants it, or its time is up. */
export type StopReason = 'cancelled' | 'timeout';

export type CallDeadline = {
  /** Aborted as soon as there is a reason to stop. */
  readonly signal: AbortSignal;
  stopReason(): StopReason | undefined;
  /** Frees the timer and lets go of the caller's signal. */
  dispose(): void;
};

/**
 * Joins a caller's signal, where it has one, and a time limit for the whole of a call, from connecting to the last byte.
 * @param timeoutMs in milliseconds
 */
export function startCallDeadline(caller: AbortSignal | undefined, timeoutMs: number): CallDeadline {
  const controller = new AbortController();
  let reason: StopReason | undefined;
  const stop = (because: StopReason): void => {
    reason ??= because;
    controller.abort();
  };
  const cancel = (): void => stop('cancelled');
  const timer = setTimeout(() => stop('timeout'), timeoutMs);
  if (caller?.aborted === true) {
    cancel();
  } else {
    caller?.addEventListener('abort', cancel, { once: true });
  }
  return {
    signal: controller.signal,
    stopReason: () => reason,
    dispose() {
      clearTimeout(timer);
      caller?.removeEventListener('abort', cancel);
    },
  };
}
