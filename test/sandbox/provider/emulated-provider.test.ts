import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import OpenAI, { APIError, APIUserAbortError } from 'openai';
import sharp from 'sharp';
import { costNanoUsd } from '../../../sandbox/provider/price-table.ts';
import { halfMask, imageBytes, plain, pngUpload, post, startProvider } from './start-provider.ts';
import { until } from '../../until.ts';

const call = { model: 'gpt-image-2', prompt: 'a fox', quality: 'low', size: '1024x1024' } as const;

test('the SDK lists models with their shutdown dates, and others beside them', async (t) => {
  const { client, provider } = await startProvider(t);
  const { data } = await client.models.list();
  const dates = new Map(data.map((model) => [model.id, model.shutdown_date]));
  assert.equal(dates.get('gpt-image-1.5'), '2026-12-01');
  assert.equal(dates.get('gpt-image-2'), null);
  assert.ok(dates.has('whisper-1'));
  assert.ok(!dates.has('gpt-image-1'));
  await provider.idle();
  assert.deepEqual([provider.calls[0]?.endpoint, provider.calls[0]?.end], ['models', 'answered']);
});

test('the list of models can be another, or missing', async (t) => {
  const own = { id: 'gpt-image-2', object: 'model', created: 1, owned_by: 'relay' } as const;
  const { client } = await startProvider(t, { modelList: [own] });
  assert.deepEqual((await client.models.list()).data, [own]);
  const { client: bare } = await startProvider(t, { modelList: 'absent' });
  await assert.rejects(bare.models.list(), (error) => error instanceof APIError && error.status === 404);
});

test('the SDK generates pictures; the bill tells the same as the answer', async (t) => {
  const { client, provider } = await startProvider(t, { usageExtras: { cache_hint: { tier: 2 }, input_tokens: -1 } });
  const { data: answer, request_id: requestId } = await client.images
    .generate({ ...call, n: 2, output_format: 'webp', safety_identifier: 'hash-of-a-member' })
    .withResponse();
  const metadata = await sharp(imageBytes(answer, 1)).metadata();
  assert.deepEqual([metadata.format, metadata.width, metadata.height], ['webp', 1024, 1024]);
  assert.notDeepEqual(imageBytes(answer, 0), imageBytes(answer, 1));
  const [bill, ...others] = provider.bills;
  assert.ok(bill !== undefined && others.length === 0);
  assert.deepEqual(answer.usage, bill.usage);
  assert.equal(bill.usage.output_tokens, 2 * 196);
  assert.deepEqual(bill.usage['cache_hint'], { tier: 2 });
  assert.ok(bill.usage.input_tokens > 0, 'an extra field replaced a known one');
  assert.equal(bill.costNanoUsd, costNanoUsd('2', bill.usage));
  assert.deepEqual(
    { ...bill, at: 0, usage: 0, costNanoUsd: 0 },
    {
      at: 0,
      requestId,
      model: 'gpt-image-2',
      endpoint: 'generations',
      n: 2,
      size: '1024x1024',
      quality: 'low',
      usage: 0,
      costNanoUsd: 0,
      promptSha256: createHash('sha256').update('a fox').digest('hex'),
      safetyIdentifier: 'hash-of-a-member',
      outcome: 'answered',
    },
  );
});

test('the SDK edits several pictures with a mask', async (t) => {
  const { client, provider } = await startProvider(t);
  const picture = await plain(300, 200).png().toBuffer();
  const answer = await client.images.edit({
    ...call,
    image: [await pngUpload(picture), await pngUpload(picture)],
    mask: await pngUpload(await halfMask(300, 200)),
    size: '1536x1024',
  });
  const metadata = await sharp(imageBytes(answer)).metadata();
  assert.deepEqual([metadata.width, metadata.height], [1536, 1024]);
  assert.deepEqual([answer.size, answer.quality, answer.background], ['1536x1024', 'low', 'opaque']);
  assert.deepEqual(provider.calls[0]?.files.map(({ field }) => field).toSorted(), ['image[]', 'image[]', 'mask']);
  assert.equal(provider.bills[0]?.usage.input_tokens_details.image_tokens, 2 * 10 * 7);
});

test('auto is resolved, and billed as resolved', async (t) => {
  const { client, provider } = await startProvider(t);
  const image = await pngUpload(await plain(200, 300).png().toBuffer());
  const edited = await client.images.edit({ model: 'gpt-image-1.5', prompt: 'a fox', image });
  const made = await client.images.generate({ model: 'gpt-image-1.5', prompt: 'a fox', size: 'auto', quality: 'auto' });
  assert.deepEqual([edited.size, edited.quality, made.size, made.quality], ['1024x1536', 'high', '1024x1024', 'high']);
  assert.deepEqual(
    provider.bills.map((bill) => bill.usage.output_tokens),
    [6240, 4160],
  );
});

test('only known keys are let in', async (t) => {
  const { provider } = await startProvider(t, { otherApiKeys: ['sk-guild'] });
  const withKey = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: provider.baseUrl, maxRetries: 0 });
  await withKey('sk-guild').models.list();
  for (const request of [withKey('sk-wrong').models.list(), withKey('sk-wrong').images.generate(call)]) {
    await assert.rejects(
      Promise.resolve(request),
      (error) => error instanceof APIError && error.status === 401 && error.code === 'invalid_api_key',
    );
  }
  assert.deepEqual(
    provider.calls.map(({ apiKey }) => apiKey),
    ['sk-guild', 'sk-wrong', 'sk-wrong'],
  );
  assert.equal(provider.bills.length, 0);
});

test('words in the prompt are moderated, request and result', async (t) => {
  const { client, provider } = await startProvider(t);
  for (const [prompt, stage] of [
    ['something Forbidden', 'input'],
    ['something unshowable', 'output'],
  ] as const) {
    await assert.rejects(client.images.generate({ ...call, prompt }), (error) => {
      assert.ok(error instanceof APIError);
      assert.deepEqual(
        [error.status, error.code, error.type],
        [400, 'moderation_blocked', 'image_generation_user_error'],
      );
      assert.deepEqual(Reflect.get(Object(error.error), 'moderation_details'), { moderation_stage: stage });
      return true;
    });
  }
  assert.equal(provider.bills.length, 0);
});

test('the rate limit counts images, tells how long to wait, and refills evenly', async (t) => {
  let nowMs = Date.parse('2026-11-20T00:00:00Z');
  const { client, provider } = await startProvider(t, { imagesPerMinute: 5, now: () => nowMs, resultBytes: 100_000 });
  await client.images.generate({ ...call, n: 5 });
  await assert.rejects(client.images.generate({ ...call, n: 2 }), (error) => {
    assert.ok(error instanceof APIError);
    assert.deepEqual([error.status, error.code], [429, 'rate_limit_exceeded']);
    assert.equal(error.headers?.get('retry-after'), '24');
    assert.match(error.message, /images per minute.*try again in 24s/);
    return true;
  });
  nowMs += 24_000;
  await client.images.generate({ ...call, n: 2 });
  assert.deepEqual(
    provider.bills.map(({ n }) => n),
    [5, 2],
  );
});

test('bills are on disk before the answer begins', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'emulated-provider-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const billingLogPath = join(folder, 'bills.jsonl');
  const { client, provider } = await startProvider(t, { billingLogPath });
  const gate = provider.holdAnswers();
  const answers = Promise.all([client.images.generate(call), client.images.generate(call)]);
  await gate.arrived(2);
  const onDisk = readFileSync(billingLogPath, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  assert.equal(onDisk.length, 2);
  assert.deepEqual(onDisk, provider.bills);
  gate.release();
  await answers;
});

test('a gate holds calls before or after billing and lets them go one by one', async (t) => {
  const { client, provider } = await startProvider(t);
  const gate = provider.holdAnswers({ at: 'before-billing', when: ({ prompt }) => prompt === 'a fox' });
  await client.images.generate({ ...call, prompt: 'a cat' });
  const answers = [client.images.generate(call), client.images.generate(call)];
  await gate.arrived(2);
  assert.deepEqual([gate.waiting, provider.inFlight, provider.bills.length], [2, 2, 1]);
  gate.release(1);
  await Promise.race(answers);
  assert.deepEqual([gate.waiting, provider.bills.length], [1, 2]);
  gate.release();
  await Promise.all(answers);
  await client.images.generate(call);
  await provider.idle();
  assert.deepEqual([gate.waiting, provider.inFlight, provider.bills.length], [0, 0, 4]);
  await assert.rejects(gate.arrived(4, 10), /2 of 4 calls/);
});

test('a client that leaves is billed all the same', async (t) => {
  const { client, provider } = await startProvider(t, { latencyMs: 60 });
  const leaving = new AbortController();
  const gate = provider.holdAnswers({ at: 'before-billing' });
  const answer = client.images.generate(call, { signal: leaving.signal });
  await gate.arrived(1);
  leaving.abort();
  await assert.rejects(Promise.resolve(answer), APIUserAbortError);
  gate.release();
  await provider.idle();
  assert.deepEqual(
    [provider.calls[0]?.end, provider.calls[0]?.isBilled, provider.bills.length],
    ['client-gone', true, 1],
  );
});

test('closing ends held and hung calls', async (t) => {
  const { client, provider } = await startProvider(t, { latencyMs: 60_000 });
  provider.faults.add({ kind: 'bill-then-hang', when: ({ prompt }) => prompt === 'hang' });
  const answers = [client.images.generate(call), client.images.generate({ ...call, prompt: 'hang' })];
  const settled = Promise.allSettled(answers);
  await until(() => provider.inFlight === 2);
  await provider.close();
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(provider.inFlight, 0);
});

test('a body beyond the limit is refused', async (t) => {
  const { provider } = await startProvider(t, { requestBytesMax: 1000 });
  const response = await post(provider, '/images/generations', { ...call, prompt: 'x'.repeat(1000) });
  assert.equal(response.status, 413);
});

test('calls keep what was sent, but the key only apart', async (t) => {
  const { client, provider } = await startProvider(t);
  await client.images.generate({ ...call, n: 3 });
  await provider.idle();
  const [received] = provider.calls;
  assert.deepEqual(received?.parameters, { ...call, n: 3 });
  assert.deepEqual(
    [received?.model, received?.prompt, received?.imageCount, received?.status, received?.isBilled, received?.end],
    ['gpt-image-2', 'a fox', 3, 200, true, 'answered'],
  );
  assert.equal(received?.apiKey, provider.apiKey);
  assert.ok(!JSON.stringify(received?.headers).includes(provider.apiKey));
});

test('pictures of a fixed weight serve load tests', async (t) => {
  const { client } = await startProvider(t, { resultBytes: 2_000_000 });
  const answer = await client.images.generate({ ...call, n: 2 });
  assert.equal(imageBytes(answer, 0).length, 2_000_000);
  assert.notDeepEqual(imageBytes(answer, 0), imageBytes(answer, 1));
});
