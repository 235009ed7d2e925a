import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than another process takes to acknowledge, and far less than the acknowledgement may take. */
const GIVING_WAY_MS = 500;

/**
 * Every process is told of every press, and it belongs to the one that acknowledges it first. What only one of them can
 * do, because it has the job or its files, the others leave to that one; if nobody comes, they say that it is not there.
 */
export async function giveWayUnless(canDoIt: boolean): Promise<void> {
  if (!canDoIt) await sleep(GIVING_WAY_MS, undefined, { ref: false });
}
