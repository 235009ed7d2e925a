import type { JobConclusion } from './job-conclusion.ts';
import type { JobJournal } from './job-journal.ts';
import type { OpenJob, ReplyAddress } from './open-job.ts';
import type { JobResumption } from './job-resumption.ts';
import type { ProcessLease } from './process-lease.ts';

/** A result that could not be brought to whoever asked for it, or was called off too late: it waits for a day. */
export type KeptResult = {
  readonly id: string;
  readonly keptUntil: number;
  /** Whether whoever asked called it off, so that nobody has tried to bring it. */
  readonly isCancelled: boolean;
};

export type KeptResults = {
  /** What waits for a member of a guild, first what is dropped first. */
  list(guild: string, member: string): Promise<readonly KeptResult[]>;
  /** Delivers it to where the member is now. */
  fetch(id: string, member: string, address: ReplyAddress): Promise<Fetching>;
};

/** What came of a wish to fetch a result. */
export type Fetching =
  /** It stands where the member is, or is told of there as far as it can be. */
  | 'shown'
  /** There is nothing, or it is under way already. */
  | 'gone'
  /** It waits for somebody else. */
  | 'not-yours'
  /** It could not be brought, and waits as before. */
  | 'not-now';

export function createKeptResults(parts: {
  journal: JobJournal;
  lease: Pick<ProcessLease, 'isAlive'>;
  conclusion: JobConclusion;
  resumption: JobResumption;
}): KeptResults {
  const { journal, lease, conclusion, resumption } = parts;
  const underWay = new Set<string>();

  /** Where only originals are kept, the result itself stands in its message. */
  async function keptJobs(): Promise<OpenJob[]> {
    return (await journal.listKept()).filter(({ originals }) => originals === undefined);
  }

  async function findKept(id: string): Promise<OpenJob | undefined> {
    return (await keptJobs()).find(({ request }) => request.id === id);
  }

  /** Sees to it that nobody takes it over while it is brought: that of a process that died becomes one of this process. */
  async function take(id: string): Promise<OpenJob | undefined> {
    const kept = await findKept(id);
    const jobOnDisk = (await journal.list()).find(({ folder }) => folder === kept?.folder.name);
    if (!jobOnDisk) return undefined;
    if (lease.isAlive(jobOnDisk.owner)) return kept;
    const adopted = await journal.adopt(jobOnDisk);
    return adopted && journal.open(adopted);
  }

  return {
    async list(guild, member) {
      const kept = (await keptJobs()).filter(({ request }) => request.guild === guild && request.member === member);
      return kept
        .map(({ request, keptUntil = 0, isCancelled }) => ({ id: request.id, keptUntil, isCancelled }))
        .toSorted((one, other) => one.keptUntil - other.keptUntil);
    },
    async fetch(id, member, address) {
      const kept = await lookTwice(async () => findKept(id));
      if (!kept) return 'gone';
      // Of a private request nobody else learns that there is one.
      if (kept.request.member !== member) return kept.request.isPrivate ? 'gone' : 'not-yours';
      if (underWay.has(id)) return 'gone';
      underWay.add(id);
      try {
        const taken = await lookTwice(async () => take(id));
        if (!taken) return 'gone';
        // Whoever fetches what they called off wants it after all.
        const job: OpenJob = { ...taken, isCancelled: false };
        const outcome = await resumption.resume(job);
        if (!outcome) return 'gone';
        const state = await conclusion.conclude({ ...job, address }, outcome);
        return state === 'delivered' || state === 'incomplete' ? 'shown' : 'not-now';
      } finally {
        underWay.delete(id);
      }
    },
  };
}

/** Recovery may just now take a job over from a process that died: then it is there, under another name. */
async function lookTwice<Found>(look: () => Promise<Found | undefined>): Promise<Found | undefined> {
  return (await look()) ?? look();
}
