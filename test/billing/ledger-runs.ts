import * as fc from 'fast-check';
import type { Refusal } from '../../src/billing/guild-account.ts';
import { movementTypes } from './account-fixture.ts';
import { judge } from './ledger-judge.ts';
import { scenarios } from './ledger-scenario.ts';
import { play } from './ledger-world.ts';
import type { CommitPoint } from './memory-store.ts';

/**
 * A process that plays random scenarios. They create promises by the hundred thousand, and out here no test runner
 * follows each of them, which makes ten times as many runs possible.
 */
export type RunOrder = {
  readonly runs: number;
  readonly seed: number;
  /** Whether a failing run is made as small as it can be, which takes a while. */
  readonly shrinks: boolean;
  readonly atomic: boolean;
  readonly crashPoints: readonly CommitPoint[];
};

export type RunReport = {
  /** What went wrong, and how to see it again; undefined where nothing did. */
  readonly fault: string | undefined;
  /** How often each kind of movement was acknowledged, each limit was met, and a call went out. */
  readonly reached: Readonly<Record<string, number>>;
};

const { runs, seed, shrinks, atomic, crashPoints }: RunOrder = JSON.parse(process.argv[2] ?? '');
const limits: readonly Refusal['refused'][] = ['over-budget', 'over-member-budget', 'too-many-images'];
const reached: Record<string, number> = Object.fromEntries(
  [...movementTypes, ...limits, 'calls'].map((name) => [name, 0]),
);

const result = await fc.check(
  fc.asyncProperty(scenarios(crashPoints), async (scenario) => {
    const aftermath = await play(scenario, { atomic });
    reached['calls'] = (reached['calls'] ?? 0) + aftermath.calls.length;
    const movements = aftermath.acknowledged.map(({ entry }) => entry.type);
    for (const name of [...movements, ...aftermath.refusals]) reached[name] = (reached[name] ?? 0) + 1;
    judge(aftermath);
  }),
  { numRuns: runs, seed, endOnFailure: !shrinks },
);
const report: RunReport = { fault: result.failed ? describeFault(result) : undefined, reached };
process.send?.(report);

function describeFault({ errorInstance, counterexamplePath, numRuns }: typeof result): string {
  const [scenario] = result.counterexample ?? [];
  const reason = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  const { errands, crashes, holdSteps } = scenario ?? {};
  return [
    `run ${numRuns} with seed ${seed}, path ${counterexamplePath}: ${reason}`,
    fc.stringify({ errands, crashes, holdSteps }),
    ...(scenario?.scheduler.report().map(({ label }) => label) ?? []),
  ].join('\n');
}
