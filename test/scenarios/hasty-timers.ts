/**
 * Loaded before a bot, this makes the two long waits of its own short, so that a test need not sit through them: the
 * minute between two sweeps of recovery, and the half minute in which the gateway has to let it in.
 */

const SWEEP_INTERVAL_MS = 60_000;
const LOGIN_WAIT_MS = 30_000;
const HASTY_MS = 400;

const { setInterval: setPatientInterval, setTimeout: setPatientTimeout } = globalThis;

Object.assign(globalThis, {
  setInterval: Object.assign(
    (task: () => void, delayMs?: number, ...rest: []) =>
      setPatientInterval(task, delayMs === SWEEP_INTERVAL_MS ? HASTY_MS : delayMs, ...rest),
    setPatientInterval,
  ),
  setTimeout: Object.assign(
    (task: () => void, delayMs?: number, ...rest: []) =>
      setPatientTimeout(task, delayMs === LOGIN_WAIT_MS ? HASTY_MS : delayMs, ...rest),
    setPatientTimeout,
  ),
});
