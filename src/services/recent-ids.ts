/** The last so many ids of something that happens again and again. Those before are forgotten. */
export type RecentIds = {
  /** @returns whether it is new, as far as that is remembered */
  note(id: string): boolean;
  has(id: string): boolean;
};

export function createRecentIds(countMax: number): RecentIds {
  const ids = new Set<string>();
  return {
    note(id) {
      if (ids.has(id)) return false;
      ids.add(id);
      const [oldest] = ids;
      if (ids.size > countMax && oldest !== undefined) ids.delete(oldest);
      return true;
    },
    has: (id) => ids.has(id),
  };
}
