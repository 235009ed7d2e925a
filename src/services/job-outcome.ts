import type { NanoUsd } from '../billing/money.ts';
import type { TokenUsage } from '../billing/token-usage.ts';
import type { ImageRefusal } from './images/image-intake.ts';
import type { MaskRefusal, MaskSource } from './images/image-masks.ts';
import type { LimitSource } from './guild-settings.ts';
import type { AttachmentRefusal } from './image-request.ts';
import type { ProviderFailureKind } from './providers/image-provider.ts';

/**
 * Why a request ended without a picture. These are values and not exceptions, because each of them is expected, and
 * each has words of its own for the member.
 */
export type JobRefusal =
  | { readonly reason: 'over-budget'; readonly remaining: NanoUsd; readonly needed: NanoUsd; readonly renewsAt: number }
  | {
      readonly reason: 'over-member-budget';
      readonly source: LimitSource;
      readonly remaining: NanoUsd;
      readonly needed: NanoUsd;
      readonly renewsAt: number;
    }
  | {
      readonly reason: 'too-many-images';
      readonly source: LimitSource;
      readonly remaining: number;
      readonly renewsAt: number;
    }
  | {
      readonly reason: 'not-allowed';
      readonly option: 'model' | 'quality' | 'count';
      readonly value: string;
      readonly allowed: readonly string[];
    }
  | { readonly reason: 'rate-limited'; readonly retryAfterMs: number }
  | { readonly reason: 'queue-full' | 'waited-too-long' | 'stopping' }
  | { readonly reason: 'too-many-open'; readonly whose: 'server' | 'member' }
  /** Before anything was made: nothing was paid. */
  | { readonly reason: 'cancelled' }
  | { readonly reason: 'disk-full' | 'store-unavailable' }
  | {
      readonly reason: 'option-unsupported';
      readonly option: string;
      readonly value: string;
      readonly model: string;
      readonly supportedBy: readonly string[];
    }
  | { readonly reason: 'transparency-lost' }
  /** Nothing that anybody could read, such as spaces. */
  | { readonly reason: 'prompt-blank' }
  | { readonly reason: 'model-unavailable'; readonly model: string | undefined; readonly available: readonly string[] }
  | { readonly reason: 'model-unpriced'; readonly model: string }
  | { readonly reason: 'attachment-unusable'; readonly label: string; readonly why: AttachmentRefusal }
  | { readonly reason: 'image-unusable'; readonly label: string; readonly why: ImageRefusal }
  | { readonly reason: 'mask-unusable'; readonly why: MaskRefusal }
  | { readonly reason: 'mask-without-image' | 'mask-and-region' | 'mask-marks-without-mask' }
  /** A black-and-white mask that could be meant either way. The share of the picture that is white, between 0 and 1. */
  | { readonly reason: 'mask-ambiguous'; readonly whiteShare: number }
  | { readonly reason: 'provider-refused'; readonly kind: ProviderFailureKind; readonly stage?: 'input' | 'output' }
  | { readonly reason: 'outcome-unknown'; readonly kind: ProviderFailureKind | 'interrupted' }
  | { readonly reason: 'interrupted' }
  | { readonly reason: 'bug'; readonly reference: string };

/** A picture that is ready to be posted. */
export type FinishedImage = {
  readonly path: string;
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
};

/** Something that a member should know about a result, because it is not quite what was asked for. */
export type ResultNote =
  | { readonly note: 'fewer-images'; readonly asked: number; readonly got: number }
  /** The answer broke off, and these are the images that had arrived by then. */
  | { readonly note: 'cut-off'; readonly asked: number; readonly got: number }
  /** So many of the files that the provider sent are no pictures, or not whole, and are not among the images. */
  | { readonly note: 'broken-files'; readonly count: number; readonly reference: string }
  /** There is a charge and no image: where they are may not be fetched from, or there was none that could be read. */
  | { readonly note: 'no-image'; readonly isElsewhere: boolean; readonly reference: string }
  /** So many of the images are missing in the message, because Discord takes them in no form that could be made. */
  | { readonly note: 'too-large'; readonly count: number; readonly reference: string }
  | { readonly note: 'keep-outside-left-off' }
  | { readonly note: 'first-frame-only' }
  /** What the mask was taken for, and the share of the picture that could change, between 0 and 1. */
  | { readonly note: 'masked'; readonly by: MaskSource; readonly coveredShare: number }
  | { readonly note: 'model-replaced'; readonly asked: string };

export type FinishedJob = {
  readonly images: readonly FinishedImage[];
  readonly model: string;
  readonly size: string;
  readonly quality: string;
  /** What it cost, and its tokens where the provider told of them; undefined where the cost is not known. */
  readonly charge: { readonly cost: NanoUsd; readonly usage: TokenUsage | undefined } | undefined;
  /** What is held against the budget where the cost is not known. */
  readonly estimate: NanoUsd;
  readonly notes: readonly ResultNote[];
};

/** How a job ended, as far as whoever asked for it is concerned. */
export type JobOutcome =
  | { readonly ended: 'finished'; readonly result: FinishedJob }
  /** Cancelled when the call had already gone out: made and paid for, and waiting to be fetched. */
  | { readonly ended: 'cancelled'; readonly result: FinishedJob }
  | { readonly ended: 'refused'; readonly refusal: JobRefusal };

export function refused(refusal: JobRefusal): JobOutcome {
  return { ended: 'refused', refusal };
}
