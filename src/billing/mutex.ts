/** Runs tasks of one key one after another, and tasks of different keys side by side. */
export type Mutex = { run<Result>(key: string, task: () => Promise<Result>): Promise<Result> };

/** A key is forgotten as soon as nobody waits for it, so silent guilds take no memory. */
export function createMutex(): Mutex {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(key, task) {
      const before = tails.get(key) ?? Promise.resolve();
      const turn = before.then(task);
      // The next in line waits for the end of this turn, and not for its success.
      const tail = turn.catch(() => undefined);
      tails.set(key, tail);
      try {
        return await turn;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}
