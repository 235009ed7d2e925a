import type { JobConclusion } from './job-conclusion.ts';
import type { JobJournal, OpenJob, ReplyAddress } from './job-journal.ts';
import type { JobResumption } from './job-resumption.ts';

/** A result that could not be brought to whoever asked for it, and waits for them for a day. */
export type KeptResult = { readonly id: string; readonly keptUntil: number };

export type KeptResults = {
  /** What waits for a member of a guild. */
  list(guild: string, member: string): Promise<readonly KeptResult[]>;
  /** Delivers it to where the member is now. False where there is nothing, or it is under way already. */
  fetch(id: string, member: string, address: ReplyAddress): Promise<boolean>;
};

export function createKeptResults(parts: {
  journal: JobJournal;
  conclusion: JobConclusion;
  resumption: JobResumption;
  now: () => number;
}): KeptResults {
  const { journal, conclusion, resumption, now } = parts;
  const underWay = new Set<string>();

  async function keptJobs(): Promise<OpenJob[]> {
    const jobsOnDisk = await Promise.all((await journal.list()).map(async (jobOnDisk) => journal.open(jobOnDisk)));
    return jobsOnDisk.filter((job) => job !== undefined).filter(({ keptUntil = 0 }) => keptUntil > now());
  }

  return {
    async list(guild, member) {
      const kept = (await keptJobs()).filter(({ request }) => request.guild === guild && request.member === member);
      return kept.map(({ request, keptUntil = 0 }) => ({ id: request.id, keptUntil }));
    },
    async fetch(id, member, address) {
      const job = (await keptJobs()).find(({ request }) => request.id === id && request.member === member);
      if (!job || underWay.has(id)) return false;
      underWay.add(id);
      try {
        const outcome = await resumption.resume(job);
        if (outcome) await conclusion.conclude({ ...job, address }, outcome);
        return outcome !== undefined;
      } finally {
        underWay.delete(id);
      }
    },
  };
}
