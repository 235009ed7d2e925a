import { createProviderPace } from './provider-pace.ts';
import { createTurnForecast } from './turn-forecast.ts';
import { createTurnOrder } from './turn-order.ts';

/** A request that waits for its turn at the provider. */
export type Ticket = {
  readonly guild: string;
  readonly member: string;
  /** How many images it asks for: they, and not calls, are what providers limit by the minute. */
  readonly images: number;
};

export type QueueRefusal = { readonly refused: 'queue-full' | 'waited-too-long' | 'cancelled' | 'stopping' };

/** Where a request stands in line. */
export type PlaceInLine = {
  /** How many turns come before it, if nobody else comes. */
  readonly ahead: number;
  /** How long its turn may take to come; undefined where nobody can tell. */
  readonly expectedMs: number | undefined;
};

/** What whoever waits has to do with the line in the meantime. */
export type Waiter = {
  /** Aborted when they do not want their turn any more. */
  readonly signal?: AbortSignal;
  /** Hears where they stand, soon after they came and whenever that changes. */
  readonly onPlace?: (place: PlaceInLine) => void;
};

/**
 * The line in front of the provider: in rounds by guild, and within a guild by member, so that nobody waits for
 * somebody else's flood. Bounded in length and in waiting time.
 */
export type FairQueue = {
  /** Runs the task when its turn has come, unless there is no room, the turn comes too late, or nobody wants it. */
  run<Result>(ticket: Ticket, task: () => Promise<Result>, waiter?: Waiter): Promise<Result | QueueRefusal>;
  /** The provider asked for a pause: no further turn before it is over. */
  pause(durationMs: number): void;
  /** No further turn at all: whoever waits is refused, and so is whoever comes. What has begun goes on. */
  close(): void;
  readonly waiting: number;
  readonly running: number;
  /** Whether whoever came now would be turned away. */
  readonly isFull: boolean;
};

export type FairQueueLimits = {
  readonly concurrency: number;
  readonly lengthMax: number;
  readonly waitMsMax: number;
  /** Undefined where the provider has no such limit. */
  readonly imagesPerMinute: number | undefined;
};

/** A turn under way, and when it began. */
type Turn = { readonly since: number };

type Waiting = {
  readonly ticket: Ticket;
  readonly begin: () => void;
  readonly leave: (refused: QueueRefusal['refused']) => void;
  readonly onPlace: Waiter['onPlace'];
  /** Where it was last told to stand, and when its turn was to come. */
  told: { readonly ahead: number; readonly expectedAt: number | undefined } | undefined;
};

/** Places are worked out for the whole line at once, so not for every step that it makes. */
const NEWS_INTERVAL_MS = 500;
/** A turn that moves by less is no news. */
const NOTEWORTHY_MS = 5_000;

export function createFairQueue(limits: FairQueueLimits, now: () => number): FairQueue {
  const pace = createProviderPace(limits.imagesPerMinute, now);
  const forecast = createTurnForecast(limits.concurrency);
  let line = createTurnOrder<Waiting>(limits.lengthMax);
  const running = new Set<Turn>();
  let isClosed = false;
  let wakeUp: NodeJS.Timeout | undefined;
  let news: NodeJS.Timeout | undefined;

  /** Gives as many turns as there may be now, and comes back when the next one may be. */
  function giveTurns(): void {
    clearTimeout(wakeUp);
    while (running.size < limits.concurrency) {
      const next = line.peek();
      if (!next || isClosed) break;
      const waitMs = pace.waitMs(next.ticket.images, 0);
      if (waitMs > 0) {
        wakeUp = setTimeout(giveTurns, waitMs);
        break;
      }
      line.take();
      pace.take(next.ticket.images);
      next.begin();
    }
    // Rounds that are past are forgotten when nobody is left: who comes next has nothing to do with them.
    if (line.size === 0 && running.size === 0) line = createTurnOrder(limits.lengthMax);
    if (line.size > 0) news ??= setTimeout(tellPlaces, NEWS_INTERVAL_MS);
  }

  function tellPlaces(): void {
    news = undefined;
    const at = now();
    const slotWaitMs = forecast.waitsMs([...running].map(({ since }) => at - since));
    tellAll(line.list(), at, (ahead, images, before) => later(slotWaitMs(ahead), pace.waitMs(images, before)));
  }

  /** Resolves when the turn has come, or with why it does not. */
  async function turn(ticket: Ticket, { signal, onPlace }: Waiter): Promise<Turn | QueueRefusal> {
    if (signal?.aborted === true) return { refused: 'cancelled' };
    const { promise, resolve } = Promise.withResolvers<Turn | QueueRefusal>();
    const begin = (): void => {
      const begun: Turn = { since: now() };
      running.add(begun);
      resolve(begun);
    };
    const leave = (refused: QueueRefusal['refused']): void => {
      line.remove(ticket, waiting);
      resolve({ refused });
      giveTurns();
    };
    const waiting: Waiting = { ticket, begin, leave, onPlace, told: undefined };
    const stopWaiting = boundWait(leave, limits.waitMsMax, signal);
    line.add(ticket, waiting);
    giveTurns();
    return promise.finally(stopWaiting);
  }

  return {
    async run(ticket, task, waiter = {}) {
      if (isClosed) return { refused: 'stopping' };
      if (line.size >= limits.lengthMax) return { refused: 'queue-full' };
      const begun = await turn(ticket, waiter);
      if ('refused' in begun) return begun;
      try {
        return await task();
      } finally {
        running.delete(begun);
        forecast.learn(now() - begun.since);
        giveTurns();
      }
    },
    pause(durationMs) {
      pace.pause(durationMs);
      giveTurns();
    },
    close() {
      isClosed = true;
      for (let next = line.peek(); next; next = line.peek()) next.leave('stopping');
    },
    get isFull() {
      return line.size >= limits.lengthMax;
    },
    get waiting() {
      return line.size;
    },
    get running() {
      return running.size;
    },
  };
}

/**
 * Has whoever waits leave when that takes too long, or when they do not want their turn any more.
 * @returns what ends that
 */
function boundWait(leave: Waiting['leave'], waitMsMax: number, signal: AbortSignal | undefined): () => void {
  const cancel = (): void => leave('cancelled');
  const timer = setTimeout(() => leave('waited-too-long'), waitMsMax);
  signal?.addEventListener('abort', cancel);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  };
}

/** The later of two times of which the first may not be known. */
function later(one: number | undefined, other: number): number | undefined {
  return one === undefined ? undefined : Math.max(one, other);
}

/** @param expectedMs how long it may take until it is the turn of so many images, with so many requests and images before */
function tellAll(
  line: Iterable<Waiting>,
  at: number,
  expectedMs: (ahead: number, images: number, imagesBefore: number) => number | undefined,
): void {
  let imagesBefore = 0;
  for (const [ahead, waiting] of [...line].entries()) {
    const { images } = waiting.ticket;
    tell(waiting, { ahead, expectedMs: expectedMs(ahead, images, imagesBefore) }, at);
    imagesBefore += images;
  }
}

/** Tells whoever waits where they stand, if that is news to them. */
function tell(waiting: Waiting, place: PlaceInLine, at: number): void {
  const { told } = waiting;
  const expectedAt = place.expectedMs === undefined ? undefined : at + place.expectedMs;
  const isExpectedAsTold =
    told?.expectedAt === expectedAt ||
    (told?.expectedAt !== undefined &&
      expectedAt !== undefined &&
      Math.abs(told.expectedAt - expectedAt) < NOTEWORTHY_MS);
  if (told?.ahead === place.ahead && isExpectedAsTold) return;
  waiting.told = { ahead: place.ahead, expectedAt };
  waiting.onPlace?.(place);
}
