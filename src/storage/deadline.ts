import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for an attempt only so long. The attempt itself is not undone by that: what it was about to do may still be
 * done later.
 */
export async function withinDeadline<Result>(
  waitMsMax: number,
  attempt: () => Promise<Result>,
  onLate: () => void = () => undefined,
): Promise<Result> {
  const timer = new AbortController();
  const late = sleep(waitMsMax, undefined, { signal: timer.signal }).then(() => {
    onLate();
    throw new Error(`no answer within ${waitMsMax} ms`);
  });
  try {
    return await Promise.race([attempt(), late]);
  } finally {
    // A timer that is called off rejects, with nobody left who waits for it.
    late.catch(() => undefined);
    timer.abort();
  }
}
