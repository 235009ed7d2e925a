import * as fc from 'fast-check';
import type { CommitPoint } from './memory-store.ts';

/** What one actor sets out to do. Processes and transfers are told apart by small numbers. */
export type Errand = {
  readonly process: number;
  readonly transfer: number;
  /** In steps of the scheduler. */
  readonly startsAfter: number;
  readonly aim:
    | {
        readonly kind: 'request';
        readonly member: string;
        readonly images: number;
        readonly estimate: number;
        readonly cost: number;
        readonly ending: CallEnding;
      }
    /** An administrator settles what is not known: by the provider's own log, or by giving it up. */
    | { readonly kind: 'reconcile'; readonly isGivenUp: boolean }
    | { readonly kind: 'adjust'; readonly amount: number }
    | { readonly kind: 'sweep'; readonly times: number; readonly everySteps: number };
};

/** What the provider does with a call, and how much of it the caller hears. */
export type CallEnding =
  | 'made'
  /** The pictures arrive, their price does not. */
  | 'made-without-usage'
  | 'refused'
  /** Refused for now, and made when it is asked again. */
  | 'busy-then-made'
  | 'lost-after-it-was-made'
  | 'lost-before-it-was-made';

/** A process dies at this point of its n-th commit, counted from 1. */
export type Crash = { readonly process: number; readonly commit: number; readonly point: CommitPoint };

/** One run: who does what, when processes die, in which order everything arrives, and how late. */
export type Scenario = {
  readonly errands: readonly Errand[];
  readonly crashes: readonly Crash[];
  readonly scheduler: fc.Scheduler;
  /** In steps of the scheduler. */
  readonly delays: fc.Stream<number>;
  /** How long holds stand, in steps of the scheduler: short ones are swept while their calls are still under way. */
  readonly holdSteps: number;
};

export const PROCESSES = 3;
const TRANSFERS = 6;
const MEMBERS = ['mira', 'ada'];
const IMAGES_MAX = 4;
const ESTIMATE_MAX = 60;
const COST_ABOVE_ESTIMATE_MAX = 10;
const COMMITS_BEFORE_CRASH_MAX = 14;
const ERRANDS_MAX = 12;
const SWEEPS_MAX = 8;

/** Most things happen at once. Without those that are late by far, some races are never run. */
const delay = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 4, arbitrary: fc.integer({ min: 10, max: 40 }) },
);

/** Short enough to end while a commit is on its way, or longer than most runs take. */
const holdSteps = fc.oneof(fc.integer({ min: 50, max: 300 }), fc.integer({ min: 300, max: 2_000 }));

const request = fc.record({
  kind: fc.constant('request' as const),
  member: fc.constantFrom(...MEMBERS),
  images: fc.integer({ min: 1, max: IMAGES_MAX }),
  estimate: fc.integer({ min: 1, max: ESTIMATE_MAX }),
  cost: fc.integer({ min: 0, max: ESTIMATE_MAX + COST_ABOVE_ESTIMATE_MAX }),
  ending: fc.constantFrom<CallEnding>(
    'made',
    'made-without-usage',
    'refused',
    'busy-then-made',
    'lost-after-it-was-made',
    'lost-before-it-was-made',
  ),
});
const reconcile = fc.record({ kind: fc.constant('reconcile' as const), isGivenUp: fc.boolean() });
const adjust = fc.record({ kind: fc.constant('adjust' as const), amount: fc.integer({ min: -5, max: 5 }) });
const sweep = fc.record({
  kind: fc.constant('sweep' as const),
  times: fc.integer({ min: 1, max: SWEEPS_MAX }),
  everySteps: fc.integer({ min: 1, max: 15 }),
});

/** Those who look after the books come at any time, most of them when there is something to look after. */
const anyTime = fc.integer({ min: 0, max: 250 });

function errands(aim: fc.Arbitrary<Errand['aim']>, startsAfter: fc.Arbitrary<number>): fc.Arbitrary<Errand> {
  const process = fc.nat({ max: PROCESSES - 1 });
  const transfer = fc.nat({ max: TRANSFERS - 1 });
  return fc.record({ process, transfer, startsAfter, aim });
}

const errand = fc.oneof(
  { weight: 12, arbitrary: errands(request, delay) },
  { weight: 2, arbitrary: errands(reconcile, anyTime) },
  { weight: 2, arbitrary: errands(adjust, anyTime) },
  { weight: 3, arbitrary: errands(sweep, anyTime) },
);

/** Scenarios on a store whose commits can be cut short at these points. */
export function scenarios(crashPoints: readonly CommitPoint[]): fc.Arbitrary<Scenario> {
  const crash: fc.Arbitrary<Crash> = fc.record({
    process: fc.nat({ max: PROCESSES - 1 }),
    commit: fc.integer({ min: 1, max: COMMITS_BEFORE_CRASH_MAX }),
    point: fc.constantFrom(...crashPoints),
  });
  return fc.record({
    errands: fc.array(errand, { minLength: 2, maxLength: ERRANDS_MAX }),
    crashes: fc.array(crash, { maxLength: 2 }),
    scheduler: fc.scheduler(),
    delays: fc.infiniteStream(delay),
    holdSteps,
  });
}
