/** The jobs whose members this process has lately told how they ended. */
export type EndedJobs = {
  note(id: string): void;
  has(id: string): boolean;
};

/** Two processes are asked the same within seconds, and the slower one of them gives up within a few more. */
const JOBS_MAX = 1_000;

export function createEndedJobs(): EndedJobs {
  const ids = new Set<string>();
  return {
    note(id) {
      ids.add(id);
      const [first] = ids;
      if (ids.size > JOBS_MAX && first !== undefined) ids.delete(first);
    },
    has: (id) => ids.has(id),
  };
}
