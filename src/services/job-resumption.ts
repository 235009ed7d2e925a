import type { TransferState } from '../billing/guild-account.ts';
import type { Ledger } from '../billing/ledger.ts';
import type { JobCompletion } from './job-completion.ts';
import type { JobJournal } from './job-journal.ts';
import type { OpenJob } from './open-job.ts';
import { refOf } from './open-job.ts';
import type { MadeReceipt } from './receipt.ts';
import type { JobOutcome, JobRefusal } from './job-outcome.ts';
import { refused } from './job-outcome.ts';
import { PROVIDER_FAILURE_KINDS } from './providers/image-provider.ts';
import { resultFileName } from './spool-files.ts';

/** Reads what is known of a job that its process left behind, and takes the next step. */
export type JobResumption = {
  /** The outcome to deliver, or undefined where the job turns out to be somebody else's. */
  resume(job: OpenJob): Promise<JobOutcome | undefined>;
};

export function createJobResumption(parts: {
  journal: JobJournal;
  ledger: Ledger;
  completion: JobCompletion;
}): JobResumption {
  const { journal, ledger, completion } = parts;
  return {
    async resume(job) {
      const ref = refOf(job);
      const receipt = job.plan && (await journal.readReceipt(job));
      const transfer = await ledger.transfer(ref);
      if (receipt?.outcome === 'made' && isSettled(transfer) && !(await hasPictures(job, receipt))) {
        // Whatever it says of money holds all the same.
        await completion.book(job, receipt);
        return undefined;
      }
      // A call that was answered is booked by its answer, whatever else was believed in the meantime.
      if (receipt && transfer) return completion.complete(job, receipt);
      const unpaidReason = job.isCancelled ? 'cancelled' : 'interrupted';
      switch (transfer?.type) {
        case undefined:
          return refused({ reason: unpaidReason });
        case 'reserve':
          if (!job.plan) return undefined;
          await ledger.voidUndispatched(ref, unpaidReason);
          return refused({ reason: unpaidReason });
        case 'dispatch':
          if (!job.plan) return undefined;
          await ledger.unknown(ref, { reason: 'interrupted' });
          return refused({ reason: 'outcome-unknown', kind: 'interrupted' });
        case 'void':
          return job.plan && refused(refusalOfReason(transfer.reason));
        case 'unknown':
          return job.plan && refused({ reason: 'outcome-unknown', kind: 'interrupted' });
        case 'post':
        case 'release':
          // Booked without a receipt on this disk: its pictures are elsewhere, and so is whoever posts them.
          return undefined;
      }
    },
  };
}

/** Whether a call is in the books as one that was made, or may have been. */
function isSettled(transfer: TransferState | undefined): boolean {
  return transfer?.type === 'post' || transfer?.type === 'unknown' || transfer?.type === 'release';
}

/** A void says in one word why; the member hears the same as without the crash. */
function refusalOfReason(reason: string | undefined): JobRefusal {
  if (reason === 'cancelled' || reason === 'stopping') return { reason };
  const kind = PROVIDER_FAILURE_KINDS.find((name) => name === reason);
  return kind ? { reason: 'provider-refused', kind } : { reason: 'interrupted' };
}

/**
 * Whether the pictures are there that a receipt tells of. They were on the disk before it was, so where they are gone the
 * job had ended, and a loss of power has brought its record back.
 */
async function hasPictures({ folder }: OpenJob, { imageCount }: MadeReceipt): Promise<boolean> {
  const files = Array.from({ length: imageCount }, (_, index) => resultFileName(index));
  const sizes = await Promise.all(files.map(async (file) => folder.sizeBytes(file)));
  return sizes.every((sizeBytes) => sizeBytes > 0);
}
