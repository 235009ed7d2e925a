import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { ProviderFailure } from '../../../src/services/providers/image-provider.ts';
import { createOpenAiImages } from '../../../src/services/providers/openai-images.ts';
import { createRedactor } from '../../../src/services/providers/provider-errors.ts';
import { readRetryAfterMs } from '../../../src/services/providers/retry-after.ts';
import { createCall } from './call-fixture.ts';
import { answerJson, startLocalServer } from './local-server.ts';
import { createMemorySinks } from './memory-sinks.ts';

const apiKey = 'sk-proj-canary0123456789';

type Row = readonly [status: number, error: unknown, kind: string, charged: string];

const refusals: readonly Row[] = [
  [400, { code: 'moderation_blocked', type: 'image_generation_user_error', message: 'Rejected.' }, 'moderation', 'no'],
  [400, { code: 'content_policy_violation', message: 'Rejected.' }, 'moderation', 'no'],
  [403, { code: null, message: 'Your request was rejected by the safety system.' }, 'moderation', 'no'],
  [400, { code: 'invalid_image_file', message: 'Invalid image file or mode for image 1' }, 'invalid-image', 'no'],
  [400, { code: null, message: 'Invalid image file or mode for image 1' }, 'invalid-image', 'no'],
  [400, { code: 'unsupported_file_mimetype', message: 'Unsupported.' }, 'invalid-request', 'no'],
  [
    400,
    { code: 'unknown_parameter', message: "Unknown parameter: 'moderation'.", param: 'moderation' },
    'invalid-request',
    'no',
  ],
  [400, { code: 'billing_hard_limit_reached', message: 'Billing hard limit has been reached.' }, 'out-of-quota', 'no'],
  [400, { code: 'invalid_value', param: 'model', message: "Invalid value: 'x'." }, 'model-not-found', 'no'],
  [401, { code: 'invalid_api_key', message: `Incorrect API key provided: ${apiKey}.` }, 'invalid-key', 'no'],
  [402, { message: 'Payment required' }, 'out-of-quota', 'no'],
  [
    403,
    { code: null, message: 'Your organization must be verified to use the model `gpt-image-2`.' },
    'unverified-organization',
    'no',
  ],
  [403, { code: 'model_not_found', message: 'Project does not have access to model' }, 'model-not-found', 'no'],
  [403, { code: 'unsupported_country_region_territory', message: 'Country not supported' }, 'invalid-key', 'no'],
  [404, { code: 'model_not_found', message: 'The model does not exist.' }, 'model-not-found', 'no'],
  [404, { code: null, message: 'The model `x` is not here.' }, 'model-not-found', 'no'],
  [404, { code: null, message: 'Invalid URL (POST /v1/v1/images)' }, 'misconfigured', 'no'],
  [404, undefined, 'misconfigured', 'no'],
  [405, undefined, 'misconfigured', 'no'],
  [409, { message: 'Conflict' }, 'server-error', 'no'],
  [413, { message: 'Too large' }, 'too-large', 'no'],
  [413, undefined, 'too-large', 'no'],
  [422, { message: 'image[] not allowed' }, 'invalid-request', 'no'],
  [429, { code: 'insufficient_quota', message: 'Quota.' }, 'out-of-quota', 'no'],
  [429, { code: 'credit_balance_exhausted', message: '' }, 'out-of-quota', 'no'],
  [429, { code: 'organization_spend_limit_exceeded', message: '' }, 'out-of-quota', 'no'],
  [429, { code: 'project_spend_limit_exceeded', message: '' }, 'out-of-quota', 'no'],
  [429, { code: 'organization_usage_limit_exceeded', message: '' }, 'out-of-quota', 'no'],
  [429, { message: 'You exceeded your current quota, please check your plan.' }, 'out-of-quota', 'no'],
  [
    429,
    {
      code: 'rate_limit_exceeded',
      message: 'Please try again in 12s. Add a payment method at https://x/account/billing.',
    },
    'rate-limited',
    'no',
  ],
  [429, { code: 'slow_down', message: 'Slow down.' }, 'rate-limited', 'no'],
  [418, undefined, 'invalid-request', 'no'],
  [301, undefined, 'misconfigured', 'no'],
  [307, undefined, 'misconfigured', 'no'],
  [308, undefined, 'misconfigured', 'no'],
  [302, undefined, 'unusable-answer', 'unknown'],
  [408, { message: 'Timeout' }, 'timeout', 'unknown'],
  [500, { type: 'server_error', message: 'The server had an error.' }, 'server-error', 'unknown'],
  [502, undefined, 'server-error', 'unknown'],
  [503, { code: 'server_is_overloaded', message: 'Overloaded.' }, 'server-error', 'unknown'],
];

/** How gateways say the same: Azure, LiteLLM, one-api and new-api, SiliconFlow. */
const refusalsOfGateways: readonly Row[] = [
  [
    400,
    { code: 'content_filter', message: "The prompt triggered Microsoft's content management policy." },
    'moderation',
    'no',
  ],
  [400, { code: null, message: 'Filtered by the content management policy.' }, 'moderation', 'no'],
  [400, { code: '400', message: 'litellm.ContentPolicyViolationError: AzureException' }, 'moderation', 'no'],
  [400, { code: 'sensitive_words_detected', message: 'user sensitive words detected' }, 'moderation', 'no'],
  [
    403,
    {
      code: 'Forbidden',
      message:
        'Your resource has been temporarily blocked because we detected behavior that may violate our content policy.',
    },
    'invalid-key',
    'no',
  ],
  [404, { code: 'DeploymentNotFound', message: 'The API deployment does not exist.' }, 'model-not-found', 'no'],
  [400, { code: null, message: 'Unknown model: gpt-image-2' }, 'model-not-found', 'no'],
  [400, { code: '400', message: 'Invalid model name passed in model=gpt-image-2.' }, 'model-not-found', 'no'],
  [400, { code: 20012, message: 'Model does not exist. Please check it carefully.' }, 'model-not-found', 'no'],
  [400, { message: 'Transparent background is not supported for this model.' }, 'invalid-request', 'no'],
  [429, { code: '429', type: 'budget_exceeded', message: 'Budget has been exceeded! Max: 10.0' }, 'out-of-quota', 'no'],
  [400, { code: '400', message: 'ExceededBudget: End User=x over budget.' }, 'out-of-quota', 'no'],
  [429, { code: '429', message: 'No deployments available - crossed budget' }, 'out-of-quota', 'no'],
  [403, { code: 'insufficient_user_quota', message: '用户额度不足' }, 'out-of-quota', 'no'],
  [403, { code: 'pre_consume_token_quota_failed', message: '预扣费额度失败' }, 'out-of-quota', 'no'],
  [401, { code: '', message: '该令牌额度已用尽' }, 'out-of-quota', 'no'],
  [503, { code: 'model_not_found', message: 'No available channel for model gpt-image-2' }, 'unreachable', 'no'],
  [503, { message: '当前分组 default 下对于模型 gpt-image-2 无可用渠道' }, 'unreachable', 'no'],
  [500, { message: 'no available channel' }, 'server-error', 'unknown'],
  [424, { message: 'The upscaler failed.' }, 'server-error', 'unknown'],
];

async function callAnswered(status: number, error: unknown, headers = {}): Promise<ProviderFailure> {
  await using server = await startLocalServer((response) =>
    error === undefined
      ? void response
          .writeHead(status, { location: '/elsewhere', ...headers })
          .end('<html>a gateway, and no model of one</html>')
      : answerJson(response, status, { error }, { 'x-request-id': 'req_9', ...headers }),
  );
  const provider = createOpenAiImages({ apiKey, baseUrl: `${server.origin}/v1`, timeoutMs: 5000, resultOrigins: [] });
  try {
    await provider.makeImages(createCall(), createMemorySinks().openByteSink);
  } catch (failure) {
    assert.ok(failure instanceof ProviderFailure, String(failure));
    assert.equal(server.requests.length, 1, 'A refused call must not be repeated.');
    return failure;
  }
  return assert.fail('The call should have failed.');
}

for (const [status, error, kind, charged] of [...refusals, ...refusalsOfGateways]) {
  test(`${status} ${JSON.stringify(error)} is ${kind}, charged: ${charged}`, async () => {
    const failure = await callAnswered(status, error);
    assert.deepEqual([failure.kind, failure.charged], [kind, charged]);
    assert.equal(failure.requestId, error === undefined ? undefined : 'req_9');
    assert.doesNotMatch(inspect(failure, { depth: 10, showHidden: true }), /canary/);
  });
}

test('the stage of a moderation and the wait of a rate limit are passed on', async () => {
  const blocked = { code: 'moderation_blocked', message: 'No.', moderation_details: { moderation_stage: 'output' } };
  assert.equal((await callAnswered(400, blocked)).moderationStage, 'output');
  const limited = { code: 'rate_limit_exceeded', message: 'Please try again in 12s.' };
  assert.equal((await callAnswered(429, limited)).retryAfterMs, 12_000);
  assert.equal((await callAnswered(429, limited, { 'retry-after': '3' })).retryAfterMs, 3000);
});

test('where the provider has moved to is told', async () => {
  const location = 'https://images.example/v2';
  assert.match((await callAnswered(301, undefined, { location })).message, /moved to https:\/\/images\.example\/v2/);
  assert.doesNotMatch((await callAnswered(404, undefined, { location })).message, /images\.example/);
});

test('an endless error page is cut off', async () => {
  let pouredBytes = 0;
  await using server = await startLocalServer((response) => {
    response.writeHead(500);
    const pour = (): void => {
      do {
        pouredBytes += 65_536;
      } while (response.write('x'.repeat(65_536)));
    };
    response.on('drain', pour);
    pour();
  });
  const provider = createOpenAiImages({ apiKey, baseUrl: `${server.origin}/v1`, timeoutMs: 5000, resultOrigins: [] });
  await assert.rejects(
    provider.makeImages(createCall(), createMemorySinks().openByteSink),
    (error) => error instanceof ProviderFailure && error.kind === 'server-error' && error.message.length < 600,
  );
  // What the kernel holds on both sides, and not what five seconds could bring.
  assert.ok(pouredBytes < 50_000_000, `${pouredBytes} bytes were taken.`);
});

test('waits are read from headers first, then from words, and limited', () => {
  const now = new Date('2026-11-20T12:00:00Z');
  const read = (headers: Record<string, string>, message = ''): number | undefined =>
    readRetryAfterMs(new Headers(headers), message, now);
  assert.equal(read({ 'retry-after-ms': '1500.2', 'retry-after': '9' }), 1501);
  assert.equal(read({ 'retry-after': '9' }, 'try again in 1s'), 9000);
  assert.equal(read({ 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT' }), 30_000);
  assert.equal(read({ 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }), 0);
  assert.equal(read({ 'retry-after': 'never' }), undefined);
  assert.equal(read({ 'retry-after': '86400' }), 600_000);
  for (const [words, waitMs] of Object.entries({
    '12s': 12_000,
    '1m2s': 62_000,
    '500ms': 500,
    '6m0s': 360_000,
    '1.25s': 1250,
    '20 seconds': 20_000,
    '2 minutes': 120_000,
    '30 milliseconds': 30,
  })) {
    assert.equal(read({}, `Limit 5, Used 5. Please try again in ${words}. Visit https://x`), waitMs, words);
  }
  assert.equal(read({}, 'Please try again later.'), undefined);
});

test('secrets are taken out of messages, and long messages are cut', () => {
  const redact = createRedactor('relay/key+1');
  for (const text of [
    'key relay/key+1 is bad',
    'key sk-proj-abc_D-9 is bad',
    'key sk-ab****wxyz is bad',
    'key abcd****wxyz is bad',
  ]) {
    assert.equal(redact(text), 'key [key] is bad');
  }
  assert.equal(redact('a'.repeat(2000)).length, 501);
});
