import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../services/time-limit.ts';

/** Longer than another process takes to acknowledge, and far less than the acknowledgement may take. */
const GIVING_WAY_MS = 500;
/** A disk that takes longer to say what is on it is as good as an empty one: the acknowledgement waits. */
const LOOKING_MS_MAX = 500;

/**
 * Every process is told of every command and every press, and it belongs to the one that acknowledges it first. What only
 * one of them can do, the others leave to that one; if nobody comes, they say that it cannot be done.
 */
export async function giveWay(): Promise<void> {
  await sleep(GIVING_WAY_MS, undefined, { ref: false });
}

/** The same for what a process can do where it has the job or its files. */
export async function giveWayUnless(canDoIt: () => boolean | Promise<boolean>): Promise<void> {
  if (!(await within(LOOKING_MS_MAX, async () => canDoIt()))) await giveWay();
}
