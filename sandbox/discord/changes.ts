/** Tells waiting code that something in the emulated world may have changed. */
export type Changes = {
  announce(): void;
  /** Calls `listener` at every change until the returned function is called. */
  subscribe(listener: () => void): () => void;
};

export function createChanges(): Changes {
  let listeners: readonly (() => void)[] = [];
  return {
    announce() {
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners = [...listeners, listener];
      return () => {
        listeners = listeners.filter((other) => other !== listener);
      };
    },
  };
}

/** A predicate may look at things outside the emulator, such as a ledger, so it is also asked again on a short beat. */
const RECHECK_INTERVAL_MS = 25;

/**
 * Resolves with the first value of `probe` that is neither undefined nor false.
 * Rejects with an Error that names what was awaited, `describe()`, when `timeoutMs` of real time pass before that.
 */
export function waitForChange<T>(
  changes: Changes,
  probe: () => T | undefined | false,
  describe: () => string,
  timeoutMs: number,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      unsubscribe();
      clearInterval(beat);
      clearTimeout(deadline);
      settle();
    };
    const check = (): void => {
      try {
        const found = probe();
        if (found !== undefined && found !== false) finish(() => resolve(found));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const unsubscribe = changes.subscribe(check);
    const beat = setInterval(check, RECHECK_INTERVAL_MS);
    const deadline = setTimeout(
      () => finish(() => reject(new Error(`Waited ${timeoutMs} ms in vain for ${describe()}.`))),
      timeoutMs,
    );
    check();
  });
}
