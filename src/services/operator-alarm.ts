import type { Logger } from 'pino';
import type { ProviderCaller } from './provider-call.ts';
import type { ProviderFailureKind } from './providers/image-provider.ts';

/** Every request fails alike until it is mended, and one alarm an hour is heard better than one a request. */
const REPEATED_AFTER_MS = 60 * 60_000;

const REMEDIES: ReadonlyMap<ProviderFailureKind, string> = new Map([
  [
    'invalid-key',
    'the provider does not accept OPENAI_API_KEY, or has blocked the account behind it: set one that it accepts, and ' +
      'start again',
  ],
  ['out-of-quota', "the provider's account is out of credit or at a limit: add credit there, or raise the limit"],
  [
    'unverified-organization',
    'the organisation is not verified for this model: verify it at the provider, which takes up to 15 minutes to take ' +
      'effect, or name another model in IMAGE_MODELS',
  ],
  [
    'misconfigured',
    'the provider has no images at OPENAI_BASE_URL: set its address up to and including the version, such as ' +
      'https://api.openai.com/v1',
  ],
  [
    'too-large',
    'the provider, or a gateway before it, refused a request as too large: raise the limit there, above what the ' +
      'pictures of an edit take together',
  ],
  [
    'untrusted-result',
    'the provider keeps its images at an origin that is not trusted, and what was paid for is lost: name the origin, which ' +
      'the line before this one tells, in RESULT_ORIGINS',
  ],
  [
    'unusable-answer',
    'an answer of the provider, which may have been charged, had no image in it that could be kept: the line before this ' +
      'one says why; if it is so with every request, OPENAI_BASE_URL leads to an API that works in another way',
  ],
  [
    'invalid-request',
    'the provider refused a request as invalid: check that OPENAI_BASE_URL leads to an API that is compatible with ' +
      "OpenAI's images, and report it if it does",
  ],
]);

/** Answers whether an alarm of some kind is due; whoever hears that it is has to raise it, and for an hour it is not. */
export function createAlarmPace(now: () => number): (kind: string) => boolean {
  const raisedAt = new Map<string, number>();
  return (kind) => {
    const lastAt = raisedAt.get(kind);
    if (lastAt !== undefined && now() - lastAt < REPEATED_AFTER_MS) return false;
    raisedAt.set(kind, now());
    return true;
  };
}

/**
 * Calls as before, and tells the operator of failures that nobody else can mend: as an error with its remedy, once an
 * hour for each kind. Members read that this has happened.
 */
export function withOperatorAlarm(
  caller: ProviderCaller,
  { now, log }: { readonly now: () => number; readonly log: Logger },
): ProviderCaller {
  const claimAlarm = createAlarmPace(now);

  function raise(kind: ProviderFailureKind): void {
    const remedy = REMEDIES.get(kind);
    if (remedy !== undefined && claimAlarm(kind)) log.error({ kind }, remedy);
  }

  return {
    async call(job, progress, cancellation, lastStartAt) {
      const receipt = await caller.call(job, progress, cancellation, lastStartAt);
      if (receipt.outcome === 'failed') raise(receipt.kind);
      return receipt;
    },
  };
}
