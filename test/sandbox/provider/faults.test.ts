import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { APIConnectionError, APIError } from 'openai';
import type { RefusalName } from '../../../sandbox/provider/api-refusal.ts';
import { imageBytes, startProvider } from './start-provider.ts';

const call = { model: 'gpt-image-2', prompt: 'a fox', quality: 'low', size: '1024x1024' } as const;
const small = { resultBytes: 60_000 };

/** Every refusal by name, with the status and code that it must have. */
const refusals: readonly [RefusalName, number, string | null][] = [
  ['moderation_blocked_input', 400, 'moderation_blocked'],
  ['moderation_blocked_output', 400, 'moderation_blocked'],
  ['content_policy_violation', 400, 'content_policy_violation'],
  ['invalid_image_file', 400, 'invalid_image_file'],
  ['unsupported_file_mimetype', 400, 'unsupported_file_mimetype'],
  ['billing_hard_limit_reached', 400, 'billing_hard_limit_reached'],
  ['invalid_api_key', 401, 'invalid_api_key'],
  ['unverified_organization', 403, null],
  ['model_not_found', 404, 'model_not_found'],
  ['insufficient_quota', 429, 'insufficient_quota'],
  ['credit_balance_exhausted', 429, 'credit_balance_exhausted'],
  ['organization_spend_limit_exceeded', 429, 'organization_spend_limit_exceeded'],
  ['project_spend_limit_exceeded', 429, 'project_spend_limit_exceeded'],
  ['organization_usage_limit_exceeded', 429, 'organization_usage_limit_exceeded'],
  ['rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['slow_down', 429, 'slow_down'],
];

async function apiErrorOf(promise: PromiseLike<unknown>): Promise<APIError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'the call succeeded' });
}

test('every refusal has its status and code, and is never billed', async (t) => {
  const { client, provider } = await startProvider(t, small);
  for (const [refusal, status, code] of refusals) {
    provider.faults.add({ kind: 'refuse', refusal, times: 1 });
    const error = await apiErrorOf(client.images.generate(call));
    assert.deepEqual([error.status, error.code], [status, code], refusal);
    assert.match(error.requestID ?? '', /^req_/);
  }
  assert.match((await client.images.generate(call)).data?.[0]?.b64_json ?? '', /^iVBOR/);
  assert.equal(provider.bills.length, 1);
  await provider.idle();
  assert.equal(provider.calls.filter(({ end }) => end === 'refused').length, refusals.length);
});

test('an unverified organisation is told so by message', async (t) => {
  const { client, provider } = await startProvider(t, small);
  provider.faults.add({ kind: 'refuse', refusal: 'unverified_organization' });
  const error = await apiErrorOf(client.images.generate(call));
  assert.match(error.message, /Your organization must be verified to use the model `gpt-image-2`/);
});

test('a rate limit tells the wait in the header, in the message, in both, or not at all', async (t) => {
  const { client, provider } = await startProvider(t, small);
  const rateLimit = { kind: 'refuse', refusal: 'rate_limit_exceeded', times: 1 } as const;
  provider.faults.add({ ...rateLimit, retryAfterSeconds: 7 });
  provider.faults.add({ ...rateLimit, tryAgainInSeconds: 12 });
  provider.faults.add(rateLimit);
  const errors: APIError[] = [];
  for (let round = 0; round < 3; round += 1) errors.push(await apiErrorOf(client.images.generate(call)));
  assert.deepEqual(
    errors.map((error) => error.headers?.get('retry-after')),
    ['7', null, null],
  );
  assert.deepEqual(
    errors.map((error) => /try again in (\d+)s/.exec(error.message)?.[1]),
    [undefined, '12', undefined],
  );
});

test('errors of the server are billed unless told otherwise', async (t) => {
  const { client, provider } = await startProvider(t, small);
  for (const [status, code] of [
    [500, 'server_error'],
    [502, 'server_error'],
    [503, 'server_is_overloaded'],
  ] as const) {
    provider.faults.add({ kind: 'server-error', status, times: 1 });
    const error = await apiErrorOf(client.images.generate(call));
    assert.deepEqual([error.status, error.code], [status, code]);
  }
  provider.faults.add({ kind: 'server-error', status: 500, billed: false, times: 1 });
  await apiErrorOf(client.images.generate(call));
  assert.deepEqual(
    provider.bills.map(({ outcome }) => outcome),
    ['server-error', 'server-error', 'server-error'],
  );
});

test('connections break before the work, after it, and in the middle of the answer', async (t) => {
  const { client, provider } = await startProvider(t, small);
  for (const kind of ['reset', 'bill-then-drop', 'bill-then-cut'] as const) {
    provider.faults.add({ kind, times: 1 });
    // A body that breaks off surfaces from fetch itself, past the SDK's own error classes.
    await assert.rejects(Promise.resolve(client.images.generate(call)), (error) =>
      kind === 'bill-then-cut' ? error instanceof TypeError : error instanceof APIConnectionError,
    );
  }
  await provider.idle();
  assert.deepEqual(
    provider.calls.map(({ end, isBilled }) => [end, isBilled]),
    [
      ['reset', false],
      ['dropped', true],
      ['cut', true],
    ],
  );
  assert.deepEqual(
    provider.bills.map(({ outcome }) => outcome),
    ['dropped', 'cut'],
  );
});

test('a hung call is billed and never answered', async (t) => {
  const { client, provider } = await startProvider(t, small);
  provider.faults.add({ kind: 'bill-then-hang' });
  const leaving = new AbortController();
  const answer = client.images.generate(call, { signal: leaving.signal });
  const outcome = await Promise.race([Promise.resolve(answer).catch(() => 'failed'), delay(80, 'still waiting')]);
  assert.equal(outcome, 'still waiting');
  assert.deepEqual([provider.inFlight, provider.bills[0]?.outcome], [1, 'hung']);
  leaving.abort();
  await provider.idle();
  assert.equal(provider.calls[0]?.end, 'hung');
});

test('a page of HTML comes with status 200', async (t) => {
  const { client, provider } = await startProvider(t, small);
  provider.faults.add({ kind: 'html', times: 1 });
  const answer: unknown = await client.images.generate(call);
  assert.ok(typeof answer === 'string' && answer.startsWith('<!DOCTYPE html>'));
  provider.faults.add({ kind: 'html', status: 502, billed: false, times: 1 });
  assert.equal((await apiErrorOf(client.images.generate(call))).status, 502);
  assert.deepEqual(
    provider.bills.map(({ outcome }) => outcome),
    ['html'],
  );
});

test('delays and drips make an answer late, where they are told to', async (t) => {
  const { provider } = await startProvider(t, small);
  const timings = async (): Promise<{ headersMs: number; bodyMs: number }> => {
    const startedAt = performance.now();
    const response = await fetch(`${provider.baseUrl}/images/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${provider.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(call),
    });
    const headersMs = performance.now() - startedAt;
    await response.json();
    return { headersMs, bodyMs: performance.now() - startedAt - headersMs };
  };
  await timings();
  provider.faults.add({ kind: 'delay', delayMs: 150, times: 1 });
  provider.faults.add({ kind: 'delay', delayMs: 150, at: 'start', times: 1 });
  assert.ok((await timings()).headersMs >= 295);
  provider.faults.add({ kind: 'delay', delayMs: 200, at: 'mid-body', times: 1 });
  assert.ok((await timings()).bodyMs >= 150);
  provider.faults.add({ kind: 'drip', bytesPerSecond: 400_000, times: 1 });
  assert.ok((await timings()).bodyMs >= 150);
});

test('fewer images than asked for are answered, and only those are billed', async (t) => {
  const { client, provider } = await startProvider(t, small);
  provider.faults.add({ kind: 'fewer-images', imageCount: 1, times: 1 });
  assert.equal((await client.images.generate({ ...call, n: 3 })).data?.length, 1);
  assert.deepEqual(
    provider.bills.map(({ n, usage }) => [n, usage.output_tokens]),
    [[1, 196]],
  );
});

test('faults happen a number of times, to chosen calls, endings one after the other, and can be withdrawn', async (t) => {
  const { client, provider } = await startProvider(t, small);
  const first = provider.faults.add({
    kind: 'refuse',
    refusal: 'slow_down',
    times: 2,
    when: ({ prompt }) => prompt === 'a fox',
  });
  const second = provider.faults.add({ kind: 'refuse', refusal: 'model_not_found', times: 1 });
  assert.equal((await apiErrorOf(client.images.generate({ ...call, prompt: 'a cat' }))).code, 'model_not_found');
  assert.equal((await apiErrorOf(client.images.generate(call))).code, 'slow_down');
  assert.deepEqual([first.timesUsed, second.timesUsed], [1, 1]);
  first.remove();
  await client.images.generate(call);
  provider.faults.add({ kind: 'reset' });
  provider.faults.clear();
  await client.images.generate(call);
});

test('an invalid request is refused as such and uses no fault up', async (t) => {
  const { client, provider } = await startProvider(t, small);
  const fault = provider.faults.add({ kind: 'reset', times: 1 });
  assert.equal((await apiErrorOf(client.images.generate({ ...call, size: '512x512' }))).code, 'invalid_value');
  assert.equal(fault.timesUsed, 0);
});

test('the list of models fails only where it is named', async (t) => {
  const { client, provider } = await startProvider(t, small);
  provider.faults.add({ kind: 'refuse', refusal: 'invalid_api_key', endpoints: ['models'], times: 1 });
  provider.faults.add({ kind: 'html', endpoints: ['models'], times: 1 });
  provider.faults.add({ kind: 'reset', endpoints: ['models'], times: 1 });
  provider.faults.add({ kind: 'server-error', status: 503, endpoints: ['models'], times: 1 });
  assert.equal(imageBytes(await client.images.generate(call)).length, small.resultBytes);
  assert.equal((await apiErrorOf(client.models.list())).status, 401);
  await client.models
    .list()
    .asResponse()
    .then(async (response) => assert.match(await response.text(), /^<!DOCTYPE/));
  await assert.rejects(Promise.resolve(client.models.list()), APIConnectionError);
  assert.equal((await apiErrorOf(client.models.list())).status, 503);
  assert.ok((await client.models.list()).data.length > 0);
});
