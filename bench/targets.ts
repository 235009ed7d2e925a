import type { BotName } from './child-processes.ts';
import type { Figures, ScenarioName } from './scenarios.ts';
import { median } from './statistics.ts';

/** Everything that one round measured. */
export type Round = Partial<Record<ScenarioName, Partial<Record<BotName, Figures>>>>;

export type Verdict = { readonly text: string; readonly value: number; readonly isMet: boolean };

type Target = {
  readonly text: string;
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  /** Undefined where the round did not measure what it takes. */
  readonly valueOf: (round: Round) => number | undefined;
};

/** Easel's figure over another bot's in the same round, so that a machine that slows down slows both. */
function ratio(scenario: ScenarioName, figure: keyof Figures, other: BotName): Target['valueOf'] {
  return (round) => {
    const [mine, theirs] = [round[scenario]?.easel?.[figure], round[scenario]?.[other]?.[figure]];
    return mine === undefined || theirs === undefined ? undefined : mine / theirs;
  };
}

function own(scenario: ScenarioName, figure: keyof Figures): Target['valueOf'] {
  return (round) => round[scenario]?.easel?.[figure];
}

function atMost(limit: number, text: string, valueOf: Target['valueOf']): Target {
  return { text, bound: 'at most', limit, valueOf };
}

function atLeast(limit: number, text: string, valueOf: Target['valueOf']): Target {
  return { text, bound: 'at least', limit, valueOf };
}

/** What Easel holds itself to. */
const TARGETS: readonly Target[] = [
  atMost(1.25, 'CPU an image, one after another / durable relay', ratio('sequence', 'cpuMsPerImage', 'durable-relay')),
  atMost(0.4, 'CPU an image, one after another / ordinary bot', ratio('sequence', 'cpuMsPerImage', 'ordinary')),
  atMost(1.25, 'CPU an image, 100 in flight / durable relay', ratio('flood', 'cpuMsPerImage', 'durable-relay')),
  atMost(0.4, 'CPU an image, 100 in flight / ordinary bot', ratio('flood', 'cpuMsPerImage', 'ordinary')),
  atMost(1, 'overhead p50, one after another / ordinary bot', ratio('sequence', 'overheadMs', 'ordinary')),
  atMost(0.5, 'overhead p50, 20 at once / ordinary bot', ratio('burst', 'overheadMs', 'ordinary')),
  atLeast(0.7, 'images a second, 100 in flight / durable relay', ratio('flood', 'imagesPerSecond', 'durable-relay')),
  atLeast(2, 'images a second, 100 in flight / ordinary bot', ratio('flood', 'imagesPerSecond', 'ordinary')),
  atMost(0.25, 'memory peak, 100 in flight / ordinary bot', ratio('flood', 'peakMb', 'ordinary')),
  atMost(90, 'memory peak, 100 in flight, above idle, MB', (round) => {
    const flood = round.flood?.easel;
    return flood?.peakMb === undefined ? undefined : flood.peakMb - flood.idleMb;
  }),
  atMost(0.25, 'memory peak, 50 results of 3 MB / ordinary bot', ratio('landing', 'peakMb', 'ordinary')),
  atMost(60, 'acknowledgement p99, 100 in flight, ms', own('flood', 'acknowledgedP99Ms')),
  atMost(50, 'acknowledgement p99, 50 results of 3 MB, ms', own('landing', 'acknowledgedP99Ms')),
  atMost(
    0.08,
    'acknowledgement p99, 50 results of 3 MB / ordinary bot',
    ratio('landing', 'acknowledgedP99Ms', 'ordinary'),
  ),
  atMost(1.3, 'CPU of an edit with a mask / durable relay', ratio('edit', 'cpuMsPerImage', 'durable-relay')),
  atMost(1.25, 'ready with 1 server / ordinary bot', ratio('start', 'readyMs', 'ordinary')),
  atMost(140, 'memory when idle, MB', own('start', 'idleMb')),
  atMost(1.5, 'ready with 10,000 servers / with 1', (round) => {
    const [many, one] = [round['start-many']?.easel, round.start?.easel];
    return many && one ? many.readyMs / one.readyMs : undefined;
  }),
  atMost(55, 'memory when idle with 10,000 servers, above 1, MB', (round) => {
    const [many, one] = [round['start-many']?.easel, round.start?.easel];
    return many && one ? many.idleMb - one.idleMb : undefined;
  }),
];

/** Judges by the median of the rounds; targets of which nothing was measured are left out. */
export function judge(rounds: readonly Round[]): readonly Verdict[] {
  return TARGETS.flatMap(({ text, bound, limit, valueOf }) => {
    const values = rounds.map(valueOf).filter((value) => value !== undefined);
    if (values.length === 0) return [];
    const value = median(values);
    const isMet = bound === 'at most' ? value <= limit : value >= limit;
    return [{ text: `${text}: ${bound} ${limit}`, value, isMet }];
  });
}
