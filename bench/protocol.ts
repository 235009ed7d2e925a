/** What the bench asks of its emulator, and what it hears back. Both are processes of their own. */

/** Commands that the bots understand. The second kind of edit puts the original back outside of the mask. */
export type BenchCommand = 'imagine' | 'edit' | 'edit-keeping-outside';

/** Which picture the provider makes; the sizes are those that models really send. */
export type PictureSize = 'usual' | 'large';

/** A number of requests, so many of them under way at a time. */
export type Drive = {
  readonly command: BenchCommand;
  readonly count: number;
  readonly inFlight: number;
  readonly picture: PictureSize;
  /** How long the provider thinks before it answers. */
  readonly providerMs: number;
  /** All answers are held back until every request is at the provider; then they land together. */
  readonly landTogether: boolean;
  /** While results land, a small command is sent as often as this, to see how long it waits; 0 for none. */
  readonly probeIntervalMs: number;
};

export type DriveFigures = {
  readonly durationMs: number;
  /** From the command to its acknowledgement. */
  readonly acknowledgementsMs: readonly number[];
  /** From the command to the posted picture, without the time that the provider thought. */
  readonly overheadsMs: readonly number[];
  /** The same as the acknowledgements, for the small commands in between. */
  readonly probesMs: readonly number[];
  /** What the emulator itself took; where it is much, it is the emulator that is measured. */
  readonly emulatorCpuMs: number;
  /** What went wrong, in words. Empty where every picture was posted whole. */
  readonly faults: readonly string[];
};

export type EmulatorOrder =
  | { readonly type: 'drive'; readonly drive: Drive }
  /** In how many servers the next bot finds itself. */
  | { readonly type: 'world'; readonly guilds: number };

export type EmulatorReport =
  | { readonly type: 'listening'; readonly origin: string }
  | { readonly type: 'done' }
  | { readonly type: 'driven'; readonly figures: DriveFigures };

/** What every bot of the bench is told by its environment, besides its port. */
export const BENCH_TOKEN = 'bench.token.for-a-bot-that-is-nowhere';
export const BENCH_API_KEY = 'sk-bench';
export const BENCH_MODEL = 'gpt-image-2';
