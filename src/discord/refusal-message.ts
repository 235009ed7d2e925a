import { formatUsd } from '../billing/money.ts';
import type { ImageRefusal } from '../services/images/image-intake.ts';
import type { MaskRefusal } from '../services/images/image-masks.ts';
import type { AttachmentRefusal, ImageRequest } from '../services/image-request.ts';
import type { JobRefusal } from '../services/job-outcome.ts';
import { referenceOf } from '../services/job-reference.ts';
import type { ProviderFailureKind } from '../services/providers/image-provider.ts';
import { nameChoice, nameOption } from './command-words.ts';
import type { MessageKey, Words } from './words.ts';
import { escapeCode, formatCodes, formatDuration, formatPercent, formatSize, join, relativeTime } from './wording.ts';

/**
 * A refusal as its member reads it, with what to name when asking the operator about it: the log speaks of the request
 * under the same id.
 */
export function describeRefusalWithReference(
  refusal: JobRefusal,
  request: Pick<ImageRequest, 'id' | 'isFromEditForm'>,
  words: Words,
): string {
  const text = describeRefusal(refusal, words, request.isFromEditForm);
  if (refusal.reason === 'bug') return text;
  return `${text}\n${words.say('refusal.reference', { reference: referenceOf(request.id) })}`;
}

/**
 * Every word that is said when there is no picture, in one place. Each text says what happened, whether it cost
 * anything, and what to do next.
 */
export function describeRefusal(refusal: JobRefusal, words: Words, isFromEditForm = false): string {
  return join(explain(refusal, words, isFromEditForm), describeCharge(refusal, words), words);
}

/** Some refusals are between Easel and the member only, whatever the channel. */
export function isDiscreet(refusal: JobRefusal): boolean {
  const isProviders = refusal.reason === 'provider-refused' || refusal.reason === 'outcome-unknown';
  return isProviders && refusal.kind === 'moderation';
}

function describeCharge(refusal: JobRefusal, { say }: Words): string {
  return say(refusal.reason === 'outcome-unknown' ? 'charge.unknown' : 'charge.none');
}

function explain(refusal: JobRefusal, words: Words, isFromEditForm: boolean): string {
  const { say } = words;
  switch (refusal.reason) {
    case 'over-budget':
      return say('refusal.over-budget', describeMoney(refusal));
    case 'over-member-budget':
      return say('refusal.over-member-budget', { source: refusal.source, ...describeMoney(refusal) });
    case 'too-many-images':
      return say('refusal.too-many-images', {
        source: refusal.source,
        remaining: Math.max(0, refusal.remaining),
        renewsAt: relativeTime(refusal.renewsAt),
      });
    case 'not-allowed':
      return explainForbiddenOption(refusal, words);
    case 'rate-limited':
      return say('refusal.rate-limited', { duration: formatDuration(refusal.retryAfterMs, words) });
    case 'too-many-open':
      return say(`refusal.too-many-open.${refusal.whose}`);
    case 'queue-full':
    case 'waited-too-long':
    case 'cancelled':
    case 'stopping':
    case 'disk-full':
    case 'store-unavailable':
    case 'transparency-lost':
    case 'prompt-blank':
    case 'mask-without-image':
    case 'interrupted':
      return say(`refusal.${refusal.reason}`);
    case 'option-unsupported':
      return explainUnsupportedOption(refusal, words);
    case 'model-unavailable':
      return explainUnavailableModel(refusal, words);
    case 'model-unpriced':
      return say('refusal.model-unpriced', { model: escapeCode(refusal.model) });
    case 'attachment-unusable':
      return explainAttachment(refusal.label, refusal.why, words);
    case 'image-unusable':
      return explainImage(refusal.label, refusal.why, words);
    case 'mask-unusable':
      return explainMask(refusal.why, words);
    case 'mask-and-region':
    case 'mask-marks-without-mask':
    case 'mask-ambiguous': {
      const whiteShare = 'whiteShare' in refusal ? formatPercent(refusal.whiteShare, words) : '';
      return isFromEditForm
        ? say(`refusal.${refusal.reason}.form`, { whiteShare, ...nameFormFields(words) })
        : say(`refusal.${refusal.reason}`, { whiteShare, ...nameMaskOptions(words) });
    }
    case 'provider-refused':
      return say(providerRefusalKey(refusal.kind, refusal.stage));
    case 'outcome-unknown':
      // Whoever tried again would lose the next picture in the same way.
      if (refusal.kind === 'untrusted-result') return say(providerRefusalKey(refusal.kind, undefined));
      return say(`refusal.outcome-unknown.${howUnknown(refusal.kind)}`);
    case 'bug':
      return say('refusal.bug', { reference: refusal.reference });
  }
}

function nameMaskOptions(words: Words) {
  return {
    mask: nameOption('mask', words),
    region: nameOption('region', words),
    option: nameOption('mask_marks', words),
  };
}

/** The form for edits has one field for what are two options, and names what is chosen there in whole words. */
function nameFormFields({ say }: Words) {
  return {
    mask: say('modal.mask'),
    part: say('modal.part'),
    white: say('modal.part.white'),
    black: say('modal.part.black'),
  };
}

function describeMoney(refusal: { readonly needed: number; readonly remaining: number; readonly renewsAt: number }) {
  return {
    needed: formatUsd(refusal.needed),
    left: formatUsd(Math.max(0, refusal.remaining)),
    renewsAt: relativeTime(refusal.renewsAt),
  };
}

function explainForbiddenOption(refusal: Extract<JobRefusal, { reason: 'not-allowed' }>, words: Words): string {
  const { option, value, allowed } = refusal;
  const choices = allowed.map((choice) => nameChoice(choice, words));
  return words.say('refusal.not-allowed', {
    option: nameOption(option, words),
    value: escapeCode(nameChoice(value, words)),
    allowed:
      option === 'count'
        ? words.say('refusal.not-allowed.up-to', { countMax: choices.join() })
        : formatCodes(choices, words),
  });
}

function explainUnsupportedOption(
  refusal: Extract<JobRefusal, { reason: 'option-unsupported' }>,
  words: Words,
): string {
  const { option, value, model, supportedBy } = refusal;
  const asked = {
    option: nameOption(option, words),
    value: escapeCode(nameChoice(value, words)),
    model: escapeCode(model),
  };
  if (supportedBy.length === 0) return words.say('refusal.option-unsupported.none', asked);
  return words.say('refusal.option-unsupported.some', { ...asked, models: formatCodes(supportedBy, words) });
}

function explainUnavailableModel(refusal: Extract<JobRefusal, { reason: 'model-unavailable' }>, words: Words): string {
  const { model, available } = refusal;
  const { say } = words;
  const others =
    available.length > 0
      ? say('refusal.model-unavailable.others', { models: formatCodes(available, words) })
      : say('refusal.model-unavailable.none');
  const what =
    model === undefined
      ? say('refusal.model-unavailable.all')
      : say('refusal.model-unavailable.one', { model: escapeCode(model) });
  return join(what, others, words);
}

function explainAttachment(option: string, why: AttachmentRefusal, words: Words): string {
  const label = nameOption(option, words);
  if (why.refused !== 'too-large') return words.say(`refusal.attachment.${why.refused}`, { label });
  return words.say('refusal.attachment.too-large', { label, limit: formatSize(why.limitBytes ?? 0, words) });
}

function explainImage(option: string, why: ImageRefusal, words: Words): string {
  const { say } = words;
  const label = nameOption(option, words);
  switch (why.kind) {
    case 'empty':
    case 'heic':
    case 'unreadable':
      return say(`refusal.image.${why.kind}`, { label });
    case 'not-an-image':
      return say(why.found === 'pdf' ? 'refusal.image.pdf' : 'refusal.image.not-an-image', { label });
    case 'unsupported':
      return say('refusal.image.unsupported', { label, format: why.found.toUpperCase() });
    case 'too-many-pixels':
      return say('refusal.image.too-many-pixels', { label, width: why.width, height: why.height });
    case 'too-small':
      return say('refusal.image.too-small', { label, width: why.width, height: why.height, edgeMin: why.edgePxMin });
  }
}

function explainMask(why: MaskRefusal, words: Words): string {
  switch (why.kind) {
    case 'shapes-differ':
      return words.say('refusal.mask.shapes-differ', {
        maskWidth: why.mask.width,
        maskHeight: why.mask.height,
        imageWidth: why.image.width,
        imageHeight: why.image.height,
      });
    case 'nothing-to-edit':
    case 'everything-to-edit':
    case 'not-a-mask':
      return words.say(`refusal.mask.${why.kind}`);
    default:
      return explainImage('mask', why, words);
  }
}

function providerRefusalKey(kind: ProviderFailureKind, stage: 'input' | 'output' | undefined): MessageKey {
  switch (kind) {
    case 'moderation':
      return `refusal.provider.moderation-${stage ?? 'input'}`;
    case 'invalid-image':
    case 'too-large':
    case 'misconfigured':
    case 'rate-limited':
    case 'unreachable':
    case 'model-not-found':
    case 'invalid-request':
    case 'cancelled':
      return `refusal.provider.${kind}`;
    case 'untrusted-result':
      return 'refusal.provider.misconfigured';
    case 'stopping':
      return 'refusal.stopping';
    case 'out-of-quota':
    case 'invalid-key':
    case 'unverified-organization':
      return 'refusal.provider.account';
    case 'server-error':
    case 'timeout':
    case 'connection-lost':
    case 'unusable-answer':
      return 'refusal.provider.failed';
  }
}

/** How it came that an outcome is not known, as far as words tell it apart. */
export function howUnknown(
  kind: ProviderFailureKind | 'interrupted',
): 'interrupted' | 'timeout' | 'cancelled' | 'moderation' | 'failed' {
  switch (kind) {
    case 'interrupted':
    case 'timeout':
    case 'cancelled':
    case 'moderation':
      return kind;
    default:
      return 'failed';
  }
}
