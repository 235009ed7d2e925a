import { formatUsd } from '../billing/money.ts';
import type { ImageRefusal } from '../services/image-intake.ts';
import type { MaskRefusal } from '../services/image-masks.ts';
import type { AttachmentRefusal } from '../services/image-request.ts';
import type { JobRefusal } from '../services/job-outcome.ts';
import type { ProviderFailureKind } from '../services/providers/image-provider.ts';
import { nameLimit } from './limit-message.ts';
import { escapeText, formatDuration, formatList, formatSize, relativeTime } from './wording.ts';

/**
 * Every word that is said when there is no picture, in one place. Each text says what happened, whether it cost
 * anything, and what to do next.
 */
export function describeRefusal(refusal: JobRefusal): string {
  return `${explain(refusal)} ${describeCharge(refusal)}`;
}

/** Some refusals are between Easel and the member only, whatever the channel. */
export function isDiscreet(refusal: JobRefusal): boolean {
  return refusal.reason === 'provider-refused' && refusal.kind === 'moderation';
}

function describeCharge(refusal: JobRefusal): string {
  return refusal.reason === 'outcome-unknown'
    ? 'Whether it was charged is being checked; until then its estimate counts against the budget. Easel did not ask twice.'
    : 'You were not charged.';
}

function explain(refusal: JobRefusal): string {
  switch (refusal.reason) {
    case 'over-budget':
      return (
        `This server's budget for the month does not cover it: it could cost up to ${formatUsd(refusal.needed)}, and ` +
        `${formatUsd(Math.max(0, refusal.remaining))} is left. The budget renews ${relativeTime(refusal.renewsAt)}; ` +
        'a smaller size, a lower quality or fewer images may still fit, and an administrator can raise it with `/settings budget`.'
      );
    case 'over-member-budget':
      return (
        `${nameLimit(refusal.source)} for the month does not cover it: it could cost up to ${formatUsd(refusal.needed)}, and ` +
        `${formatUsd(Math.max(0, refusal.remaining))} is left. It renews ${relativeTime(refusal.renewsAt)}; ` +
        'a smaller size, a lower quality or fewer images may still fit, and an administrator can raise it with `/settings limit`.'
      );
    case 'too-many-images':
      return (
        `${nameLimit(refusal.source)} for today does not cover it: ${describeImagesLeft(refusal.remaining)}. ` +
        `It renews ${relativeTime(refusal.renewsAt)}, and an administrator can raise it with \`/settings limit\`.`
      );
    case 'not-allowed':
      return (
        `Your roles do not let you use ${refusal.option} \`${escapeText(refusal.value)}\` here. ` +
        `Allowed: ${formatList(refusal.allowed.map((value) => `\`${escapeText(value)}\``))}. An administrator decides that with \`/settings access\`.`
      );
    case 'rate-limited':
      return `That was a lot in a minute. Try again in ${formatDuration(refusal.retryAfterMs)}.`;
    case 'queue-full':
      return 'The line is full at the moment. Try again in a few minutes.';
    case 'waited-too-long':
      return 'The line did not move fast enough for your turn to come. Try again in a few minutes.';
    case 'too-many-open':
      return 'This server has as many images under way as it may have at once. Try again when one of them is done.';
    case 'stopping':
      return 'Easel is restarting. Try again in a minute.';
    case 'disk-full':
      return 'Easel has no room to keep another image safe. This is not your fault; the operator has been told.';
    case 'store-unavailable':
      return 'Easel cannot read its books at the moment, so it spends nothing. Try again in a few minutes.';
    case 'option-unsupported':
      return explainUnsupportedOption(refusal);
    case 'transparency-lost':
      return 'JPEG pictures cannot be transparent. Choose format `png` or `webp`, or another background.';
    case 'model-unavailable':
      return explainUnavailableModel(refusal);
    case 'model-unpriced':
      return `Easel does not know what \`${escapeText(refusal.model)}\` costs with these choices, and never guesses. Choose another model or size.`;
    case 'attachment-unusable':
      return explainAttachment(refusal.label, refusal.why);
    case 'image-unusable':
      return explainImage(refusal.label, refusal.why);
    case 'mask-unusable':
      return explainMask(refusal.why);
    case 'mask-without-image':
      return 'A mask needs an image that it belongs to. Attach the image as well.';
    case 'provider-refused':
      return explainProviderRefusal(refusal.kind, refusal.stage);
    case 'outcome-unknown':
      return explainUnknownOutcome(refusal.kind);
    case 'interrupted':
      return 'Easel was restarted before your request went out. Please ask again.';
    case 'bug':
      return `Something went wrong on Easel's side. Please give the operator this reference: \`${refusal.reference}\`.`;
  }
}

function describeImagesLeft(remaining: number): string {
  if (remaining <= 0) return 'no image is left';
  return remaining === 1 ? 'one image is left' : `${remaining} images are left`;
}

function explainUnsupportedOption(refusal: Extract<JobRefusal, { reason: 'option-unsupported' }>): string {
  const { option, value, model, supportedBy } = refusal;
  const others =
    supportedBy.length > 0
      ? `These models do: ${formatList(supportedBy.map((name) => `\`${escapeText(name)}\``))}.`
      : 'No model that this bot offers does.';
  return `\`${escapeText(model)}\` does not do ${option} \`${escapeText(value)}\`. ${others}`;
}

function explainUnavailableModel(refusal: Extract<JobRefusal, { reason: 'model-unavailable' }>): string {
  const others =
    refusal.available.length > 0
      ? `Available: ${formatList(refusal.available.map((name) => `\`${escapeText(name)}\``))}.`
      : 'No other model is available either; the operator has been told.';
  return refusal.model === undefined
    ? `The provider offers none of this bot's models. ${others}`
    : `\`${escapeText(refusal.model)}\` is not available here. ${others}`;
}

function explainAttachment(label: string, why: AttachmentRefusal): string {
  switch (why.refused) {
    case 'foreign-origin':
      return `The ${label} does not come from Discord, so Easel does not open it. Attach the file itself.`;
    case 'gone':
      return `The ${label} is no longer there; links to attachments die after a while. Attach it again.`;
    case 'too-large':
      return `The ${label} is too large: ${formatSize(why.limitBytes ?? 0)} is the limit. Attach a smaller version.`;
    case 'unreachable':
      return `The ${label} could not be downloaded from Discord. Try again in a moment.`;
  }
}

function explainImage(label: string, why: ImageRefusal): string {
  switch (why.kind) {
    case 'empty':
      return `The ${label} is an empty file. Attach it again.`;
    case 'not-an-image':
      return `The ${label} is ${why.found === 'pdf' ? 'a PDF and not' : 'not'} an image. PNG, JPEG, WebP, GIF, AVIF and TIFF work.`;
    case 'heic':
      return (
        `The ${label} is a HEIC photo, which is a format that Easel cannot open. ` +
        'Save it as JPEG and attach that; on an iPhone, a screenshot of it works, too.'
      );
    case 'unsupported':
      return `The ${label} is a ${why.found.toUpperCase()} file, which Easel cannot open. PNG, JPEG, WebP, GIF, AVIF and TIFF work.`;
    case 'unreadable':
      return `The ${label} is damaged or incomplete and cannot be read. Save it again and attach it once more.`;
    case 'too-many-pixels':
      return `The ${label} has ${why.width} × ${why.height} pixels, which is more than Easel opens. Scale it down first.`;
    case 'too-small':
      return `The ${label} has only ${why.width} × ${why.height} pixels; each edge needs at least ${why.edgePxMin}. Use a larger picture.`;
  }
}

function explainMask(why: MaskRefusal): string {
  switch (why.kind) {
    case 'shapes-differ':
      return (
        `The mask has ${why.mask.width} × ${why.mask.height} pixels and the image ${why.image.width} × ${why.image.height}, ` +
        'so they do not have the same shape. Draw the mask on a copy of the image.'
      );
    case 'nothing-to-edit':
      return 'The mask marks nothing to edit. Make the part that may change transparent, or paint it white on black.';
    case 'everything-to-edit':
      return 'The mask marks the whole image. Leave some of it opaque or black, or ask without a mask.';
    case 'not-a-mask':
      return (
        'The mask is neither transparent anywhere nor black and white. ' +
        'Use a PNG in which the part that may change is transparent, or a picture in which it is white on black.'
      );
    default:
      return explainImage('mask', why);
  }
}

function explainProviderRefusal(kind: ProviderFailureKind, stage: 'input' | 'output' | undefined): string {
  switch (kind) {
    case 'moderation':
      return stage === 'output'
        ? "The provider's safety system declined the image that came out. Other words may lead elsewhere."
        : "The provider's safety system declined this request. Other words or another picture may be fine.";
    case 'invalid-image':
      return 'The provider could not read the picture. Save it as a plain PNG or JPEG and try again.';
    case 'rate-limited':
      return 'The provider is busy, and stayed so. Try again in a few minutes.';
    case 'unreachable':
      return 'The provider cannot be reached at the moment. Try again in a few minutes.';
    case 'model-not-found':
      return 'The provider no longer offers this model. Choose another one; the operator has been told.';
    case 'invalid-request':
      return 'The provider did not accept this combination of choices. Try other ones; the operator has been told.';
    case 'cancelled':
      return 'Cancelled before the request went out.';
    case 'out-of-quota':
    case 'invalid-key':
    case 'unverified-organization':
      return "The operator's account at the provider needs attention. This is not your fault; the operator has been told.";
    case 'server-error':
    case 'timeout':
    case 'connection-lost':
    case 'unusable-answer':
      return 'The provider failed.';
  }
}

function explainUnknownOutcome(kind: ProviderFailureKind | 'interrupted'): string {
  switch (kind) {
    case 'interrupted':
      return 'Easel was restarted while the provider was at work, and its answer is lost.';
    case 'timeout':
      return 'The provider did not answer in time.';
    case 'cancelled':
      return 'Cancelled after the provider had started.';
    default:
      return 'The provider failed before its answer was complete.';
  }
}
