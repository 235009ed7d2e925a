/** What can be made to go wrong, and how often. */
import type { RefusalName } from './api-refusal.ts';
import type { ProviderCall } from './call-log.ts';

/** How a successful answer differs from what OpenAI sends, as compatible providers make it differ. */
export type AnswerShape = {
  /**
   * `base64` by default; `data-url` puts `data:image/png;base64,` before it; `url` serves files instead. A whole answer may
   * also have `undecodable` texts where the base64 should be, or `none`. The bill is the same.
   */
  readonly images?: 'base64' | 'data-url' | 'url' | 'undecodable' | 'none';
  /** Origin of the files for `images: 'url'`; the provider's own by default. */
  readonly urlOrigin?: string;
  /** `whole` by default. The bill is the same whatever is told. */
  readonly usage?: 'whole' | 'omitted' | 'false' | 'null' | 'without-output-details' | 'without-input-details';
  readonly layout?: 'compact' | 'pretty';
  /** Where `usage` stands among the fields; last by default. */
  readonly usagePosition?: 'first' | 'last';
  /** Compresses the body where the client accepts it. */
  readonly gzip?: boolean;
  /** Leaves the x-request-id header away. */
  readonly withoutRequestId?: boolean;
  /**
   * `events` by default, as OpenAI frames them; `crlf-events` ends lines with CRLF and puts comments between the events,
   * as proxies do; `ignored` gives a whole answer to whoever asked for a stream, and bills no partial image.
   */
  readonly streaming?: 'events' | 'crlf-events' | 'ignored';
  /** What each of the pictures comes as, in their order; `whole` where nothing is said. The bill is the same. */
  readonly files?: readonly PictureFile[];
};

/** As it was made, a page of HTML in its place, or without its last thousand bytes. */
export type PictureFile = 'whole' | 'html' | 'cut-short';

/** Faults that decide how a call ends. Of those that match a call only the earliest added happens. */
export type EndingFault =
  /** A refusal, never billed. `midStream` says it as an event after the first partial image of a streaming call. */
  | {
      readonly kind: 'refuse';
      readonly refusal: RefusalName;
      readonly retryAfterSeconds?: number;
      readonly tryAgainInSeconds?: number;
      readonly midStream?: boolean;
    }
  /**
   * A 5xx. The work was billed unless `billed` is false. `midStream` says it as an event after the first partial image of
   * a streaming call.
   */
  | {
      readonly kind: 'server-error';
      readonly status: 500 | 502 | 503;
      readonly billed?: boolean;
      readonly midStream?: boolean;
    }
  /** A page of HTML, with status 200 unless told otherwise. The work was billed unless `billed` is false. */
  | { readonly kind: 'html'; readonly status?: number; readonly billed?: boolean }
  /** The connection is reset before anything was done. Not billed. */
  | { readonly kind: 'reset' }
  /** Billed, then the connection is closed without an answer. */
  | { readonly kind: 'bill-then-drop' }
  /** Billed, then no answer ever comes. */
  | { readonly kind: 'bill-then-hang' }
  /**
   * Billed, then the connection breaks after this share of the body (0 to 1, half by default). Of a stream that is a share
   * of its last event, unless it breaks after some number of partial images already.
   */
  | { readonly kind: 'bill-then-cut'; readonly afterShare?: number; readonly afterPartialImages?: number }
  /** Billed, then the stream ends cleanly without its `.completed`. Only streaming calls match. */
  | { readonly kind: 'bill-then-stop-stream' };

/** Faults that change the way there. All that match a call happen, together with its ending. */
type PassingFault =
  /**
   * Waits before the work (`start`), before the headers (the default), in the middle of the body (of a stream, in that of
   * its last event) or after the first partial image of a stream.
   */
  | {
      readonly kind: 'delay';
      readonly delayMs: number;
      readonly at?: 'start' | 'headers' | 'mid-body' | 'after-partial-image';
    }
  /** Sends the body slowly. */
  | { readonly kind: 'drip'; readonly bytesPerSecond: number }
  | { readonly kind: 'shape'; readonly shape: AnswerShape }
  /** Makes, answers and bills only this many of the pictures asked for; 0 gives an empty list. */
  | { readonly kind: 'fewer-images'; readonly imageCount: number }
  /** Streams and bills only this many partial images, as happens where the finished one is there sooner. */
  | { readonly kind: 'fewer-partial-images'; readonly imageCount: number };

type FaultScope = {
  /** How many calls it happens to; without it to every one. */
  readonly times?: number;
  /** Which calls it happens to, among those of `endpoints`. */
  readonly when?: (call: ProviderCall) => boolean;
  /** `['generations', 'edits']` by default. For `models` only refusals, errors, HTML, resets and delays make sense. */
  readonly endpoints?: readonly ProviderCall['endpoint'][];
};

export type Fault = FaultScope & (EndingFault | PassingFault);

/** A fault that was added. */
export type FaultHandle = {
  /** How many calls it has happened to. */
  readonly timesUsed: number;
  remove(): void;
};

/** Everything that is to happen to one call. */
export type FaultPlan = {
  readonly startDelayMs: number;
  readonly headersDelayMs: number;
  readonly midBodyDelayMs: number;
  readonly afterPartialDelayMs: number;
  readonly dripBytesPerSecond: number | undefined;
  readonly shape: AnswerShape;
  readonly imageCountMax: number;
  readonly partialImagesMax: number;
  readonly ending: EndingFault | undefined;
};

type Entry = { readonly fault: Fault; timesUsed: number };

const passingKinds: ReadonlySet<string> = new Set<PassingFault['kind']>([
  'delay',
  'drip',
  'shape',
  'fewer-images',
  'fewer-partial-images',
]);

function isPassing(fault: Fault): fault is FaultScope & PassingFault {
  return passingKinds.has(fault.kind);
}

function isMatch({ fault, timesUsed }: Entry, call: ProviderCall): boolean {
  const endpoints = fault.endpoints ?? ['generations', 'edits'];
  const isLeft = timesUsed < (fault.times ?? Infinity);
  const isOfKind = fault.kind !== 'bill-then-stop-stream' || call.parameters['stream'] === true;
  return isLeft && isOfKind && endpoints.includes(call.endpoint) && (fault.when?.(call) ?? true);
}

function withPassing(plan: FaultPlan, fault: PassingFault): FaultPlan {
  switch (fault.kind) {
    case 'delay': {
      const field = {
        start: 'startDelayMs',
        headers: 'headersDelayMs',
        'mid-body': 'midBodyDelayMs',
        'after-partial-image': 'afterPartialDelayMs',
      } as const;
      const name = field[fault.at ?? 'headers'];
      return { ...plan, [name]: plan[name] + fault.delayMs };
    }
    case 'drip':
      return { ...plan, dripBytesPerSecond: fault.bytesPerSecond };
    case 'shape':
      return { ...plan, shape: { ...plan.shape, ...fault.shape } };
    case 'fewer-images':
      return { ...plan, imageCountMax: fault.imageCount };
    case 'fewer-partial-images':
      return { ...plan, partialImagesMax: fault.imageCount };
  }
}

export type FaultBook = {
  add(fault: Fault): FaultHandle;
  clear(): void;
  /** Decides what happens to a call, and counts the faults that it uses up. */
  planFor(call: ProviderCall): FaultPlan;
};

/** @param defaultShape the shape of answers that no fault touches */
export function createFaultBook(defaultShape: AnswerShape): FaultBook {
  let entries: readonly Entry[] = [];
  return {
    add(fault) {
      const entry: Entry = { fault, timesUsed: 0 };
      entries = [...entries, entry];
      return {
        get timesUsed() {
          return entry.timesUsed;
        },
        remove() {
          entries = entries.filter((other) => other !== entry);
        },
      };
    },
    clear() {
      entries = [];
    },
    planFor(call) {
      let ending: EndingFault | undefined;
      let plan: FaultPlan = {
        startDelayMs: 0,
        headersDelayMs: 0,
        midBodyDelayMs: 0,
        afterPartialDelayMs: 0,
        dripBytesPerSecond: undefined,
        shape: defaultShape,
        imageCountMax: Infinity,
        partialImagesMax: Infinity,
        ending,
      };
      for (const entry of entries) {
        if (!isMatch(entry, call)) continue;
        if (isPassing(entry.fault)) plan = withPassing(plan, entry.fault);
        else if (ending === undefined) ending = entry.fault;
        else continue;
        entry.timesUsed += 1;
      }
      return { ...plan, ending };
    },
  };
}
