/**
 * Whose turn it is among those who wait: in rounds by guild, and within a guild in rounds by member.
 *
 * In a round nobody has a second turn. Who comes while a round goes on still has their turn in it, unless they have had
 * it: then they wait for the next round, whether or not something of theirs was in line all the time. So a flood delays
 * others by the one turn of a round that is under way, and nobody gains by always having just one request in line.
 */
export type TurnOrder<Item> = {
  add(place: Place, item: Item): void;
  /** The item whose turn is next. */
  peek(): Item | undefined;
  /** Takes that item out. */
  take(): Item | undefined;
  remove(place: Place, item: Item): void;
  /** Everything that waits, in the order in which its turn will come if nobody else does. */
  list(): IterableIterator<Item>;
  readonly size: number;
};

/** Who it is that waits. */
type Place = { readonly guild: string; readonly member: string };

/** @param roundTurnsMax so many turns make a round, lest those who come keep the next one away for ever */
export function createTurnOrder<Item>(roundTurnsMax: number): TurnOrder<Item> {
  const line = createRounds<Item>(roundTurnsMax, () => createRounds<Item>(roundTurnsMax, () => createRow<Item>()));
  return {
    add: ({ guild, member }, item) => line.add([guild, member], item),
    peek: () => line.peek(),
    take: () => line.take(),
    remove: ({ guild, member }, item) => line.remove([guild, member], item),
    list: () => line.list(),
    get size() {
      return line.size;
    },
  };
}

/** Items in some order, each under as many keys as there are circles around it. */
type Line<Item> = {
  add(keys: readonly string[], item: Item): void;
  peek(): Item | undefined;
  take(): Item | undefined;
  remove(keys: readonly string[], item: Item): void;
  list(): IterableIterator<Item>;
  readonly size: number;
};

/** First come, first served. */
function createRow<Item>(): Line<Item> {
  const items: Item[] = [];
  return {
    add: (_keys, item) => void items.push(item),
    peek: () => items[0],
    take: () => items.shift(),
    remove(_keys, item) {
      const index = items.indexOf(item);
      if (index !== -1) items.splice(index, 1);
    },
    list: () => items.values(),
    get size() {
      return items.length;
    },
  };
}

/** Lines that take turns. A Map keeps the order in which its keys came, so the first key is the next. */
function createRounds<Item>(roundTurnsMax: number, createLine: () => Line<Item>): Line<Item> {
  /** Those with a turn still to come in this round, and those who wait for the next one. */
  let current = new Map<string, Line<Item>>();
  let next = new Map<string, Line<Item>>();
  /** Those who have had their turn in this round, and wait for nothing now. */
  let served = new Map<string, Line<Item>>();
  let turnsTaken = 0;
  let size = 0;

  /** The line of a newcomer, or of somebody who comes back, in its place. */
  function enter(key: string): Line<Item> {
    const former = served.get(key);
    served.delete(key);
    const line = former ?? createLine();
    const isLate = former !== undefined || turnsTaken + current.size >= roundTurnsMax;
    (isLate ? next : current).set(key, line);
    return line;
  }

  /** A round begins only with its first turn: until then whoever comes is still in the one before. */
  function beginRound(): void {
    current = next;
    next = new Map();
    served = new Map();
    turnsTaken = 0;
  }

  return {
    add([key = '', ...keys], item) {
      const line = current.get(key) ?? next.get(key) ?? enter(key);
      line.add(keys, item);
      size += 1;
    },
    peek() {
      const [line] = (current.size > 0 ? current : next).values();
      return line?.peek();
    },
    take() {
      if (current.size === 0) beginRound();
      const [first] = current;
      if (!first) return undefined;
      const [key, line] = first;
      current.delete(key);
      const item = line.take();
      (line.size > 0 ? next : served).set(key, line);
      turnsTaken += 1;
      size -= 1;
      return item;
    },
    remove([key = '', ...keys], item) {
      const line = current.get(key) ?? next.get(key);
      if (!line) return;
      const sizeBefore = line.size;
      line.remove(keys, item);
      size -= sizeBefore - line.size;
      if (line.size > 0) return;
      if (!current.delete(key) && next.delete(key)) served.set(key, line);
    },
    *list() {
      let passing = [...current.values()].map((line) => line.list());
      let following = [...next.values()].map((line) => line.list());
      while (passing.length > 0 || following.length > 0) {
        for (const items of passing) {
          const { value, done } = items.next();
          if (done === true) continue;
          yield value;
          following.push(items);
        }
        passing = following;
        following = [];
      }
    },
    get size() {
      return size;
    },
  };
}
