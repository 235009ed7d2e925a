import type { Logger } from 'pino';
import { backoffMs } from './backoff.ts';
import type { FairQueue } from './queue/fair-queue.ts';
import type { OpenJob } from './open-job.ts';
import { requirePlan } from './open-job.ts';
import type { FailedReceipt, MadeReceipt, Receipt } from './receipt.ts';
import type { JobProgress, Preview } from './job-progress.ts';
import type { Cancellation } from './job-under-way.ts';
import { createPreviewTarget } from './previews.ts';
import type { ImageCall, ImageProvider, ImageResult, InputFile, OpenByteSink } from './providers/image-provider.ts';
import { ProviderFailure } from './providers/image-provider.ts';
import { inputFileName, resultFileName } from './spool-files.ts';
import { untilAborted } from './until-aborted.ts';

/** Calls the provider for a job, and calls again only where provably nothing was made. */
export type ProviderCaller = {
  /**
   * Answers what came of it, also where that is a failure, because every call has to be accounted for.
   * @param lastStartAt after this moment no further attempt is begun
   */
  call(job: OpenJob, progress: JobProgress, cancellation: Cancellation, lastStartAt: number): Promise<Receipt>;
};

/** After this long no further attempt of a job is begun. */
const RETRY_WINDOW_MS = 3 * 60_000;
const RETRIES_MAX = 6;
const PAUSES = { firstMs: 1_000, maxMs: 60_000 };
/** Those who were refused together come back one after another, within so much more of their pause. */
const SPREAD = 0.1;

/** When the last call of a job may begin whose first one begins now, those for the successors of its model included. */
export function lastStartOf(firstStartAt: number): number {
  return firstStartAt + RETRY_WINDOW_MS;
}

/** The longest that a job's calls with all their repetitions can take, in milliseconds. */
export function callDurationMsMax(timeoutMs: number): number {
  return RETRY_WINDOW_MS + timeoutMs;
}

export function createProviderCaller(parts: {
  provider: ImageProvider;
  queue: FairQueue;
  safetyIdentifierOf: (member: string) => string;
  /** Aborted when no call may begin any more, because the process might not see its end. */
  closing: AbortSignal;
  now: () => number;
  random: () => number;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): ProviderCaller {
  const { provider, queue, closing, now, random, sleep, log } = parts;

  async function callWithRetries(
    job: OpenJob,
    progress: JobProgress,
    cancellation: Cancellation,
    lastStartAt: number,
  ): Promise<ImageResult> {
    const call = toImageCall(job, parts.safetyIdentifierOf(job.request.member));
    for (let retry = 0; ; retry += 1) {
      if (cancellation.signal.aborted) {
        throw new ProviderFailure('cancelled', 'no', { message: 'cancelled by the member' });
      }
      if (closing.aborted) throw new ProviderFailure('stopping', 'no', { message: 'the process is stopping' });
      const since = now();
      progress.report({ phase: 'generating', since });
      const show = (preview: Preview): void => progress.report({ phase: 'generating', since, preview });
      try {
        const openByteSink: OpenByteSink = async (index) => job.folder.openByteSink(resultFileName(index));
        const previews = createPreviewTarget({ job, show, log });
        return await cancellation.whileOut(async () => provider.makeImages(call, openByteSink, previews));
      } catch (error) {
        const leastMs = leastPauseMs(error, retry);
        // A rate limit holds for all calls, so the line pauses even where this job gives up. A provider that cannot be
        // reached may be back for the next job.
        if (isRateLimit(error)) queue.pause(leastMs);
        const pauseMs = Math.round(leastMs * (1 + random() * SPREAD));
        if (!mayBeRepeated(error, retry) || now() + pauseMs > lastStartAt) throw error;
        log.info({ job: job.request.id, pauseMs, err: error }, 'provider call will be repeated');
        progress.report({ phase: 'provider-busy', retryInMs: pauseMs });
        await untilAborted(cancellation.signal, async () => untilAborted(closing, async () => sleep(pauseMs)));
      }
    }
  }

  return {
    async call(job, progress, cancellation, lastStartAt) {
      try {
        const result = await callWithRetries(job, progress, cancellation, lastStartAt);
        if (result.cutOffBy !== undefined) {
          const about = { job: job.request.id, images: result.imageCount, err: result.cutOffBy };
          log.warn(about, 'images that may be on the bill did not arrive; those that are whole are kept');
        }
        return madeReceiptOf(result);
      } catch (error) {
        const failure = asProviderFailure(error);
        log.warn(
          { job: job.request.id, kind: failure.kind, charged: failure.charged, err: failure },
          'provider failed',
        );
        return failedReceiptOf(failure);
      }
    },
  };
}

/** A result that could not be written to disk was made all the same. */
function asProviderFailure(error: unknown): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  return new ProviderFailure('unusable-answer', 'unknown', { message: 'the result could not be kept', cause: error });
}

function madeReceiptOf({ imageCount, madeCount, usage, requestId }: ImageResult): MadeReceipt {
  return {
    outcome: 'made',
    imageCount,
    ...(madeCount === undefined ? { isCutOff: true } : { madeCount }),
    usage,
    ...(requestId === undefined ? {} : { requestId }),
  };
}

function failedReceiptOf({ kind, charged, moderationStage, toldPrice, requestId }: ProviderFailure): FailedReceipt {
  return {
    outcome: 'failed',
    kind,
    charged,
    ...(moderationStage === undefined ? {} : { stage: moderationStage }),
    ...(toldPrice === undefined ? {} : { toldPrice }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

function isRateLimit(error: unknown): error is ProviderFailure {
  return error instanceof ProviderFailure && error.kind === 'rate-limited';
}

/** Whether the same call may go out again, when it has waited. */
function mayBeRepeated(error: unknown, retry: number): boolean {
  if (!(error instanceof ProviderFailure) || error.charged !== 'no' || retry >= RETRIES_MAX) return false;
  return error.kind === 'rate-limited' || error.kind === 'unreachable';
}

/** What a provider tells is the least that it wants: an instant, or one that is past, would use up all repetitions at once. */
function leastPauseMs(error: unknown, retry: number): number {
  const toldMs = error instanceof ProviderFailure ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(toldMs, backoffMs(retry + 1, PAUSES));
}

function toImageCall(job: OpenJob, safetyIdentifier: string): ImageCall {
  const { request, folder } = job;
  const plan = requirePlan(job);
  const toInputFile = (picture: (typeof plan.images)[number]): InputFile => ({
    path: folder.path(picture.file),
    name: inputFileName(picture),
    contentType: picture.contentType,
  });
  return {
    model: plan.model,
    prompt: request.prompt,
    count: request.count,
    size: { width: plan.width, height: plan.height },
    quality: plan.quality,
    background: plan.background,
    format: plan.format,
    ...(plan.fidelity ? { fidelity: plan.fidelity } : {}),
    images: plan.images.map(toInputFile),
    ...(plan.mask ? { mask: toInputFile(plan.mask) } : {}),
    safetyIdentifier,
  };
}
