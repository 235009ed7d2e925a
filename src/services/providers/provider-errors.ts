import { APIError } from 'openai';
import type { ProviderFailureKind } from './image-provider.ts';
import { ProviderFailure } from './image-provider.ts';
import { readField } from './json-fields.ts';
import { readRetryAfterMs } from './retry-after.ts';

/** What is known about a call at the moment in which it failed. */
export type CallState = {
  readonly isTimeUp: boolean;
  /** False only where provably nothing was sent. */
  readonly wasDispatched: boolean;
  /** False for requests that cost nothing whatever becomes of them. */
  readonly makesImages: boolean;
  /** True where a part of the images has arrived: then even a refusal may have been charged for. */
  readonly hasPartialImages?: boolean;
  readonly requestId: string | undefined;
};

type Verdict = { readonly kind: ProviderFailureKind; readonly charged: 'no' | 'unknown' };

const MESSAGE_CHARACTERS_MAX = 500;
/** More than is shown, so that a key at the end of what is shown is seen whole; a gateway's page can be long. */
const INSPECTED_CHARACTERS_MAX = 4000;

/** The codes with which OpenAI, and then relays, say that the account, not the pace, is at its limit. */
const ACCOUNT_LIMIT_CODES: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'insufficient_user_quota',
  'pre_consume_token_quota_failed',
]);
const PACE_CODES: ReadonlySet<string> = new Set(['rate_limit_exceeded', 'slow_down']);
const MODERATION_CODES: ReadonlySet<string> = new Set([
  'moderation_blocked',
  'content_policy_violation',
  'content_filter',
  'sensitive_words_detected',
  'prompt_blocked',
]);
/** Azure knows a model by the name of its deployment. */
const MODEL_CODES: ReadonlySet<string> = new Set(['model_not_found', 'unknown_model', 'DeploymentNotFound']);
const IMAGE_CODES: ReadonlySet<string> = new Set(['invalid_image_file', 'invalid_image_format', 'invalid_image']);

/** The types with which OpenAI says that a request is refused, and not that it failed. */
const REFUSAL_TYPES: ReadonlySet<string> = new Set(['invalid_request_error', 'image_generation_user_error']);
/** Not 302 and 303, with which some answer a request that they have done. */
const MOVED_STATUSES: ReadonlySet<number> = new Set([301, 307, 308]);
const STREAM_PARAMETERS: ReadonlySet<string> = new Set(['stream', 'partial_images']);
/** 422 is what gateways written with FastAPI say to a field that they do not know. */
const PARAMETER_REFUSAL_STATUSES: ReadonlySet<number> = new Set([400, 422]);

/** Compatible providers often pass OpenAI's words on and drop its codes. */
const ACCOUNT_LIMIT_WORDS =
  /exceeded your current quota|credit balance|spend(?:ing)? limit|insufficient (?:quota|credit|balance|funds)/i;
/** Those of LiteLLM, whose budgets answer like rate limits, and of one-api and its descendants. */
const GATEWAY_LIMIT_WORDS =
  /budget has been exceeded|(?:exceeded|crossed|over) ?budget|quota is not enough|额度(?:不足|已用尽)/i;
const MODERATION_WORDS =
  /safety system|content[ _]?(?:management )?policy|content filter|moderation (?:system|policy|block)/i;
/** Azure's word for an account that it has closed, which speaks of its content policy to whoever asks for anything. */
const BLOCKED_ACCOUNT_WORDS = /resource has been (?:temporarily )?(?:blocked|suspended)/i;
const MODEL_WORDS = /\b(?:unknown|invalid) model\b|\bmodel does not exist\b/i;
/** Said by one-api and its descendants where nobody behind them serves the model just now. */
const NO_CHANNEL_WORDS = /no available channel|无可用渠道/i;
const IMAGE_WORDS = /invalid image file/i;
const UNKNOWN_PARAMETER_WORDS =
  /unknown|unsupported|unrecogni[sz]ed|unexpected|extra_forbidden|additional propert|not (?:supported?|permitted|recogni[sz]ed)/i;
const STREAM_WORDS = /\b(?:partial_images|stream(?:ing)?)\b/i;
const VERIFICATION_WORDS = /must be verified/i;

/**
 * What a failed call means.
 *
 * @param error whatever the SDK, the connection or the body threw
 * @param redact takes secrets out of a text
 */
export function toProviderFailure(
  error: unknown,
  state: CallState,
  redact: (text: string) => string,
  now: Date,
): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  if (error instanceof APIError && error.status !== undefined) return fromAnswer(error, state, redact, now);
  const charged = state.wasDispatched && state.makesImages ? 'unknown' : 'no';
  const { requestId } = state;
  // The SDK wraps what the connection threw; its own message only says "Connection error."
  const cause = error instanceof APIError ? (error.cause ?? error) : error;
  const message = redact(cause instanceof Error ? describe(cause) : String(cause));
  return new ProviderFailure(judgeBrokenCall(cause, state), charged, { message, requestId, cause });
}

/**
 * Makes a text safe and short enough for a log line: without the key, without what looks like one, in full or as the
 * half-masked echo in "Incorrect API key provided: sk-ab***yz".
 */
export function createRedactor(apiKey: string): (text: string) => string {
  return (text) => {
    const safe = text
      .slice(0, INSPECTED_CHARACTERS_MAX)
      .replaceAll(apiKey, '[key]')
      .replaceAll(/\bsk-[\w*-]+/g, '[key]')
      .replaceAll(/[\w-]{0,64}\*{3,}[\w-]{0,64}/g, '[key]');
    return safe.length > MESSAGE_CHARACTERS_MAX ? `${safe.slice(0, MESSAGE_CHARACTERS_MAX)}…` : safe;
  };
}

function judgeBrokenCall(cause: unknown, state: CallState): ProviderFailureKind {
  if (state.isTimeUp) return 'timeout';
  if (!state.wasDispatched) return 'unreachable';
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT' ? 'timeout' : 'connection-lost';
}

/** The SDK's error itself is not passed on as the cause: it carries the body, and some bodies echo the key. */
function fromAnswer(error: APIError, state: CallState, redact: (text: string) => string, now: Date): ProviderFailure {
  const { kind, charged } = judgeAnswer(error);
  const requestId = error.requestID ? redact(error.requestID) : state.requestId;
  return new ProviderFailure(kind, chargeOf(charged, state), {
    message: redact(tellAnswer(error)),
    requestId,
    retryAfterMs:
      kind === 'rate-limited' ? readRetryAfterMs(error.headers ?? new Headers(), error.message, now) : undefined,
    moderationStage: kind === 'moderation' ? readModerationStage(error.error) : undefined,
  });
}

/** Where the provider has moved to is what its operator needs to know. */
function tellAnswer({ status, message, headers }: APIError): string {
  const location = MOVED_STATUSES.has(status ?? 0) ? headers?.get('location') : undefined;
  return location ? `${message}: moved to ${location}` : message;
}

function chargeOf(claimed: 'no' | 'unknown', { makesImages, hasPartialImages }: CallState): 'no' | 'unknown' {
  if (!makesImages) return 'no';
  return hasPartialImages ? 'unknown' : claimed;
}

/**
 * What an error means that comes in the middle of a success: as the event that ends a stream, or in an answer that says
 * 200. It has no status, so it gets the one with which the same words come as a refusal; what is not known is the
 * provider's own failure.
 */
export function toToldFailure(
  error: unknown,
  state: CallState,
  redact: (text: string) => string,
  now: Date,
): ProviderFailure {
  return fromAnswer(APIError.generate(statusOf(error), { error }, undefined, new Headers()), state, redact, now);
}

function statusOf(error: unknown): number {
  const code = readText(error, 'code');
  if (PACE_CODES.has(code) || ACCOUNT_LIMIT_CODES.has(code)) return 429;
  const isRefusal =
    REFUSAL_TYPES.has(readText(error, 'type')) ||
    MODERATION_CODES.has(code) ||
    MODERATION_WORDS.test(readText(error, 'message'));
  return isRefusal ? 400 : 500;
}

function readText(value: unknown, name: string): string {
  const field = readField(value, name);
  return typeof field === 'string' ? field : '';
}

/**
 * Whether a call was refused because it asked for a stream, which compatible providers may not know. A refusal that
 * does not say what it is about may be about that.
 */
export function isStreamRefusal(error: unknown): boolean {
  if (!isRefusalOfParameters(error)) return false;
  const isUnexplained = error.error === undefined;
  return isUnexplained || STREAM_PARAMETERS.has(error.param ?? '') || STREAM_WORDS.test(error.message);
}

/**
 * The parameters that a refusal does not know. Only those: what it says of their values is meant for whoever they are of,
 * and a member whom the provider has blocked must not get in without a name.
 * @param names those that could have been left out
 */
export function findRefusedParameters<Name extends string>(error: unknown, names: readonly Name[]): readonly Name[] {
  if (!isRefusalOfParameters(error) || !UNKNOWN_PARAMETER_WORDS.test(`${error.code} ${error.message}`)) return [];
  return names.filter((name) => error.param === name || error.message.includes(name));
}

function isRefusalOfParameters(error: unknown): error is APIError {
  if (!(error instanceof APIError) || error.status === undefined) return false;
  return PARAMETER_REFUSAL_STATUSES.has(error.status) && judgeAnswer(error).kind === 'invalid-request';
}

function judgeAnswer(error: APIError): Verdict {
  const status: number = error.status ?? 0;
  if (status === 503 && (error.code === 'model_not_found' || NO_CHANNEL_WORDS.test(error.message))) {
    // Whoever has nobody to hand a request to has not handed it on. That may pass.
    return { kind: 'unreachable', charged: 'no' };
  }
  if (status >= 500 || status === 424) {
    // 424 by the book: it was handed on, and went wrong there.
    return { kind: 'server-error', charged: 'unknown' };
  }
  if (status === 408) {
    // By the book nothing was done, but gateways also say this when the provider behind them was too slow.
    return { kind: 'timeout', charged: 'unknown' };
  }
  if (MOVED_STATUSES.has(status)) {
    // The request is to be made elsewhere, so it was not done here: the base URL is wrong, and stays so.
    return { kind: 'misconfigured', charged: 'no' };
  }
  if (status < 400) return { kind: 'unusable-answer', charged: 'unknown' };
  return { kind: judgeRefusal(status, error), charged: 'no' };
}

/** Any other 4xx is a refusal: nothing was made. */
function judgeRefusal(status: number, error: APIError): ProviderFailureKind {
  const code = error.code ?? '';
  const { message } = error;
  if (BLOCKED_ACCOUNT_WORDS.test(message)) return 'invalid-key';
  if (MODERATION_CODES.has(code) || (status !== 429 && MODERATION_WORDS.test(message))) return 'moderation';
  if (ACCOUNT_LIMIT_CODES.has(code) || (!PACE_CODES.has(code) && isAboutAccountLimit(message))) return 'out-of-quota';
  if (MODEL_CODES.has(code) || (status === 400 && (error.param === 'model' || MODEL_WORDS.test(message)))) {
    return 'model-not-found';
  }
  switch (status) {
    case 400:
      return IMAGE_CODES.has(code) || IMAGE_WORDS.test(message) ? 'invalid-image' : 'invalid-request';
    case 401:
      return 'invalid-key';
    case 402:
      return 'out-of-quota';
    case 403:
      // Else the key lacks a permission, or the country is not served: either way the operator's matter.
      return VERIFICATION_WORDS.test(message) ? 'unverified-organization' : 'invalid-key';
    case 404:
    case 405:
      // A wrong path, that is a wrong base URL, answers so as well, mostly by a page, which may speak of anything.
      return error.error !== undefined && /\bmodel\b/i.test(message) ? 'model-not-found' : 'misconfigured';
    case 409:
      // OpenAI's word for a lock that was not granted in time.
      return 'server-error';
    case 413:
      return 'too-large';
    case 429:
      return 'rate-limited';
    default:
      return 'invalid-request';
  }
}

function isAboutAccountLimit(message: string): boolean {
  return ACCOUNT_LIMIT_WORDS.test(message) || GATEWAY_LIMIT_WORDS.test(message);
}

function readModerationStage(error: unknown): 'input' | 'output' | undefined {
  const details = readField(error, 'moderation_details');
  const stage = readField(details, 'moderation_stage');
  return stage === 'input' || stage === 'output' ? stage : undefined;
}

function describe(error: Error): string {
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  // Where a host has several addresses, the errors of all attempts are inside and the outer message is empty.
  const message = error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message;
  return `${error.name}: ${message}${code}`;
}
