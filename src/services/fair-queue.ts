/** A request that waits for its turn at the provider. */
export type Ticket = {
  readonly guild: string;
  readonly member: string;
  /** How many images it asks for: they, and not calls, are what providers limit by the minute. */
  readonly images: number;
};

export type QueueRefusal = { readonly refused: 'queue-full' | 'waited-too-long' };

/**
 * The line in front of the provider: round robin by guild, and within a guild by member, so that nobody waits for
 * somebody else's flood. Bounded in length and in waiting time.
 */
export type FairQueue = {
  /** Runs the task when its turn has come, unless there is no room or the turn comes too late. */
  run<Result>(ticket: Ticket, task: () => Promise<Result>): Promise<Result | QueueRefusal>;
  /** The provider asked for a pause: no further turn before it is over. */
  pause(durationMs: number): void;
  readonly waiting: number;
  readonly running: number;
};

export type FairQueueLimits = {
  readonly concurrency: number;
  readonly lengthMax: number;
  readonly waitMsMax: number;
  /** Undefined where the provider has no such limit. */
  readonly imagesPerMinute: number | undefined;
};

type Waiting = { readonly ticket: Ticket; readonly begin: () => void; readonly timer: NodeJS.Timeout };

const MINUTE_MS = 60_000;

export function createFairQueue(limits: FairQueueLimits, now: () => number): FairQueue {
  const line = createRoundRobin<Waiting>();
  const bucket = createBucket(limits.imagesPerMinute, now);
  let running = 0;
  let pausedUntil = 0;
  let wakeUp: NodeJS.Timeout | undefined;

  /** Gives as many turns as there may be now, and comes back when the next one may be. */
  function giveTurns(): void {
    clearTimeout(wakeUp);
    while (running < limits.concurrency) {
      const next = line.peek();
      if (!next) return;
      const waitMs = Math.max(pausedUntil - now(), bucket.waitMs(next.ticket.images));
      if (waitMs > 0) {
        wakeUp = setTimeout(giveTurns, waitMs);
        return;
      }
      line.take();
      bucket.take(next.ticket.images);
      clearTimeout(next.timer);
      running += 1;
      next.begin();
    }
  }

  /** Resolves with true when the turn has come, with false when it did not come in time. */
  async function turn(ticket: Ticket): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        ticket,
        begin: () => resolve(true),
        timer: setTimeout(() => {
          line.remove(waiting);
          resolve(false);
          giveTurns();
        }, limits.waitMsMax),
      };
      line.add(ticket.guild, ticket.member, waiting);
      giveTurns();
    });
  }

  return {
    async run(ticket, task) {
      if (line.size >= limits.lengthMax) return { refused: 'queue-full' };
      if (!(await turn(ticket))) return { refused: 'waited-too-long' };
      try {
        return await task();
      } finally {
        running -= 1;
        giveTurns();
      }
    },
    pause(durationMs) {
      pausedUntil = Math.max(pausedUntil, now() + durationMs);
    },
    get waiting() {
      return line.size;
    },
    get running() {
      return running;
    },
  };
}

type RoundRobin<Item> = {
  add(outer: string, inner: string, item: Item): void;
  /** The item whose turn is next. */
  peek(): Item | undefined;
  /** Takes that item out and moves its keys to the end of their circles. */
  take(): void;
  remove(item: Item): void;
  readonly size: number;
};

/** Two circles, one inside the other. A Map keeps the order in which its keys came, so the first key is the next. */
function createRoundRobin<Item>(): RoundRobin<Item> {
  const circle = new Map<string, Map<string, Item[]>>();
  let size = 0;

  function first(): { outer: string; inner: string; items: Item[] } | undefined {
    for (const [outer, members] of circle) for (const [inner, items] of members) return { outer, inner, items };
    return undefined;
  }

  return {
    add(outer, inner, item) {
      const members = circle.get(outer) ?? new Map<string, Item[]>();
      circle.set(outer, members);
      const items = members.get(inner) ?? [];
      members.set(inner, items);
      items.push(item);
      size += 1;
    },
    peek: () => first()?.items[0],
    take() {
      const next = first();
      if (!next) return;
      next.items.shift();
      size -= 1;
      rotate(circle.get(next.outer) ?? new Map<string, Item[]>(), next.inner, (items) => items.length === 0);
      rotate(circle, next.outer, (members) => members.size === 0);
    },
    remove(item) {
      for (const [outer, members] of circle) {
        for (const [inner, items] of members) {
          const index = items.indexOf(item);
          if (index === -1) continue;
          items.splice(index, 1);
          size -= 1;
          if (items.length === 0) members.delete(inner);
          if (members.size === 0) circle.delete(outer);
          return;
        }
      }
    },
    get size() {
      return size;
    },
  };
}

/** Puts a key behind all others, or lets go of it when nothing waits under it any more. */
function rotate<Value>(map: Map<string, Value>, key: string, isEmpty: (value: Value) => boolean): void {
  const value = map.get(key);
  if (value === undefined) return;
  map.delete(key);
  if (!isEmpty(value)) map.set(key, value);
}

type Bucket = {
  /** How long until so many images may be asked for. */
  waitMs(images: number): number;
  take(images: number): void;
};

/** A bucket that is refilled evenly, and may be overdrawn by one request so that a large one is not kept out for ever. */
function createBucket(imagesPerMinute: number | undefined, now: () => number): Bucket {
  if (imagesPerMinute === undefined) return { waitMs: () => 0, take: () => undefined };
  let level = imagesPerMinute;
  let filledAt = now();
  const refill = (): void => {
    level = Math.min(imagesPerMinute, level + ((now() - filledAt) / MINUTE_MS) * imagesPerMinute);
    filledAt = now();
  };
  return {
    waitMs(images) {
      refill();
      const missing = Math.min(images, imagesPerMinute) - level;
      return missing <= 0 ? 0 : Math.ceil((missing / imagesPerMinute) * MINUTE_MS);
    },
    take(images) {
      refill();
      level -= images;
    },
  };
}
