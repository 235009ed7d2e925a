import { lostRace, untilCommitted } from './lost-race.ts';
import type { Commit, Store } from './store.ts';

/** What an edit makes of a value. */
export type Edited<Value, Answer> = {
  readonly answer: Answer;
  /** What is written in its place; nothing is, where this is left out. */
  readonly next?: Value | undefined;
  /** What is written in the same breath. */
  readonly writes?: Commit['writes'];
};

/**
 * Changes one value by what it is at that moment, whoever else may be changing it. Answers what the edit answered that
 * got through.
 * @param edit may be asked again, each time of what somebody else has left
 */
export async function changeValue<Value, Answer>(
  parts: { readonly store: Store; readonly random: () => number; readonly sleep: (ms: number) => Promise<unknown> },
  key: string,
  edit: (value: Value | undefined) => Edited<Value, Answer>,
): Promise<Answer> {
  return untilCommitted(parts, async () => {
    const stored = await parts.store.read<Value>(key);
    const { answer, next, writes = [] } = edit(stored?.value);
    if (next === undefined) return answer;
    const version = await parts.store.commit({ guard: { key, expected: stored?.version, next }, writes });
    return version === undefined ? lostRace : answer;
  });
}
