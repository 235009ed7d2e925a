import type { RequestDetails } from '../billing/guild-account.ts';
import type { TransferRef } from '../billing/movements.ts';
import { promptSha256 } from '../billing/prompt-hash.ts';
import type { CallPlan } from './call-plan.ts';
import type { ImageRequest } from './image-request.ts';
import type { FinishedImage } from './job-outcome.ts';
import { writeSize } from './providers/image-sizes.ts';
import type { SpoolFolder } from './spool/spool.ts';

/** Where the answer goes: only whoever delivers it knows what is inside. */
export type ReplyAddress = Readonly<Record<string, string | number | boolean>>;

/** For so long the reply there can be edited: Discord's own limit, in milliseconds. */
export const REPLY_LIFETIME_MS = 15 * 60_000;

/** A job that has not ended, as it was last written down. */
export type OpenJob = {
  readonly request: ImageRequest;
  readonly address: ReplyAddress;
  readonly beganAt: number;
  readonly plan: CallPlan | undefined;
  /** Whether whoever asked called it off, before its call went out or after. */
  readonly isCancelled: boolean;
  /** Set once the outcome, or the originals of its pictures, wait to be fetched: until when, since the epoch. */
  readonly keptUntil: number | undefined;
  /** Set once the outcome stands where it belongs: the pictures as they came, where they are shown re-encoded. */
  readonly originals: readonly FinishedImage[] | undefined;
  readonly folder: SpoolFolder;
};

/** The transfer by which the ledger knows the job. */
export function refOf(job: OpenJob): TransferRef {
  return { guild: job.request.guild, transfer: job.request.id };
}

/** The exact call of a job that was admitted; of any other job it is a bug to ask for it. */
export function requirePlan(job: OpenJob): CallPlan {
  if (!job.plan) throw new Error(`job ${job.request.id} has no plan`);
  return job.plan;
}

/** What the ledger's journal tells about a request. */
export function detailsOf(job: OpenJob): RequestDetails {
  const { request } = job;
  const plan = requirePlan(job);
  return {
    member: request.member,
    model: plan.model,
    size: writeSize(plan),
    quality: plan.quality,
    count: request.count,
    promptSha256: promptSha256(request.prompt),
  };
}
