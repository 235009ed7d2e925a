import type { Busy } from './image-workshop.ts';

const PAUSE_MS = 250;
/** About two minutes of asking again. */
const ATTEMPTS_MAX = 480;

/**
 * Asks a full workshop again until it takes the work. For pictures that are paid for: they are never given up for want
 * of a free place.
 */
export async function untilNotBusy<Outcome extends { readonly kind: string }>(
  sleep: (ms: number) => Promise<unknown>,
  work: () => Promise<Outcome | Busy>,
): Promise<Exclude<Outcome, Busy>> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const outcome = await work();
    if (isDone(outcome)) return outcome;
    await sleep(PAUSE_MS);
  }
  throw new Error('the image workshop stayed busy');
}

function isDone<Outcome extends { readonly kind: string }>(outcome: Outcome | Busy): outcome is Exclude<Outcome, Busy> {
  return outcome.kind !== 'busy';
}
