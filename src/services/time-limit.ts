import { untilAborted } from './until-aborted.ts';

/**
 * Waits for something for so long, and answers undefined where it has not come by then.
 * @param begin may give up what it does when its signal is aborted
 */
export async function within<Result>(
  waitMs: number,
  begin: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), waitMs);
  try {
    return await untilAborted(limit.signal, async () => begin(limit.signal));
  } finally {
    clearTimeout(timer);
  }
}
