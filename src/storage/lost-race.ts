import { StoreFailure } from './store.ts';

/** What an attempt answers when somebody else changed the guarded value first. */
export const lostRace = Symbol('lost race');

/** Each loser means that a winner got through, so only a flood of writers on one value could ever reach this. */
const ATTEMPTS_MAX = 64;
const PAUSE_MS_MAX = 8;

/** Reads, decides and commits again, after a random pause, until the commit is the one that got through. */
export async function untilCommitted<Result>(
  parts: { readonly random: () => number; readonly sleep: (ms: number) => Promise<unknown> },
  attempt: () => Promise<Result | typeof lostRace>,
): Promise<Result> {
  for (let count = 1; count <= ATTEMPTS_MAX; count += 1) {
    const outcome = await attempt();
    if (outcome !== lostRace) return outcome;
    await parts.sleep(parts.random() * PAUSE_MS_MAX);
  }
  throw new StoreFailure('too many writers contend for one value');
}
