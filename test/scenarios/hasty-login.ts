/** Preloaded into a bot, lets it give up soon on a gateway that does not let it in. */

/** With one shard; with several it is longer. */
const LOGIN_WAIT_MS_MIN = 30_000;
const HASTY_WAIT_MS = 400;

const { setTimeout: setPatientTimeout } = globalThis;

Object.assign(globalThis, {
  setTimeout: Object.assign(
    (task: (...values: unknown[]) => void, delayMs?: number, ...values: unknown[]) =>
      setPatientTimeout(task, (delayMs ?? 0) >= LOGIN_WAIT_MS_MIN ? HASTY_WAIT_MS : delayMs, ...values),
    // Carries the form that answers a promise, which others look for on it.
    setPatientTimeout,
  ),
});
