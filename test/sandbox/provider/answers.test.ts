import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { APIError } from 'openai';
import sharp from 'sharp';
import { z } from 'zod';
import type { AnswerShape } from '../../../sandbox/provider/faults.ts';
import type { StartedProvider } from './start-provider.ts';
import { errorOf, plain, pngUpload, post, startProvider } from './start-provider.ts';

const call = { model: 'gpt-image-2', prompt: 'a fox', quality: 'low', size: '1024x1024' } as const;

/** The call's picture, as every event describes it. */
const describedAs = ['1024x1024', 'low', 'png', 'opaque'];

/** The text of one answer in a given shape. */
async function textIn({ provider }: StartedProvider, shape: AnswerShape): Promise<string> {
  provider.faults.add({ kind: 'shape', shape, times: 1 });
  return (await post(provider, '/images/generations', call)).text();
}

/** An answer as far as the tests look into it. */
const wireAnswer = z.looseObject({
  created: z.int(),
  data: z.array(z.object({ b64_json: z.string().optional(), url: z.url().optional() })),
  usage: z.unknown().optional(),
});

async function answerIn(started: StartedProvider, shape: AnswerShape): Promise<z.infer<typeof wireAnswer>> {
  return wireAnswer.parse(JSON.parse(await textIn(started, shape)));
}

test('usage can be missing or of another shape while the bill stays whole', async (t) => {
  const started = await startProvider(t);
  assert.ok(!('usage' in (await answerIn(started, { usage: 'omitted' }))));
  assert.equal((await answerIn(started, { usage: 'false' })).usage, false);
  assert.equal((await answerIn(started, { usage: 'null' })).usage, null);
  const whole = z.looseObject({}).parse((await answerIn(started, {})).usage);
  const { input_tokens_details: _in, ...withoutInput } = whole;
  const { output_tokens_details: _out, ...withoutOutput } = whole;
  assert.deepEqual((await answerIn(started, { usage: 'without-input-details' })).usage, withoutInput);
  assert.deepEqual((await answerIn(started, { usage: 'without-output-details' })).usage, withoutOutput);
  for (const bill of started.provider.bills) assert.deepEqual(bill.usage, whole);
  assert.equal(started.provider.bills.length, 6);
});

test('layout and order of the fields vary, the content does not', async (t) => {
  const started = await startProvider(t);
  const compact = await textIn(started, {});
  const pretty = await textIn(started, { layout: 'pretty', usagePosition: 'first' });
  assert.ok(compact.indexOf('"usage"') > compact.indexOf('"b64_json"'));
  assert.ok(pretty.indexOf('"usage"') < pretty.indexOf('"b64_json"'));
  assert.match(pretty, /^\{\n {2}"usage": \{\n/);
  const { created: _a, ...left } = wireAnswer.parse(JSON.parse(compact));
  const { created: _b, ...right } = wireAnswer.parse(JSON.parse(pretty));
  assert.deepEqual(left, right);
});

test('base64 can begin as a data url', async (t) => {
  const answer = await answerIn(await startProvider(t), { images: 'data-url' });
  const [, encoded = ''] = /^data:image\/png;base64,(.+)$/.exec(answer.data[0]?.b64_json ?? '') ?? [];
  assert.equal((await sharp(Buffer.from(encoded, 'base64')).metadata()).width, 1024);
});

test('answers by address are served from the own and from another origin', async (t) => {
  const started = await startProvider(t);
  const { provider } = started;
  const otherOrigin = await provider.openOtherOrigin();
  assert.notEqual(otherOrigin, provider.origin);
  for (const [shape, origin] of [
    [{ images: 'url' }, provider.origin],
    [{ images: 'url', urlOrigin: otherOrigin }, otherOrigin],
  ] as const) {
    const answer = await answerIn(started, shape);
    const url = new URL(answer.data[0]?.url ?? '');
    assert.equal(url.origin, origin);
    assert.equal(answer.data[0]?.b64_json, undefined);
    const response = await fetch(url);
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.equal((await sharp(Buffer.from(await response.arrayBuffer())).metadata()).width, 1024);
  }
  assert.equal((await fetch(`${provider.origin}/files/none`)).status, 404);
  assert.deepEqual(
    provider.fileRequests.map(({ origin, status }) => [origin, status]),
    [
      [provider.origin, 200],
      [otherOrigin, 200],
      [provider.origin, 404],
    ],
  );
});

test('bodies are compressed only for clients that accept it', async (t) => {
  const { provider } = await startProvider(t, { answerShape: { gzip: true } });
  const raw = async (encoding: string): Promise<{ coding: string | undefined; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${provider.apiKey}`, 'content-type': 'application/json' };
      const sent = request(`${provider.baseUrl}/images/generations`, {
        method: 'POST',
        headers: { ...headers, 'accept-encoding': encoding },
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const coding = response.headers['content-encoding'];
        buffer(response).then((body) => resolve({ coding, body }), reject);
      });
      sent.end(JSON.stringify(call));
    });
  const compressed = await raw('br, gzip;q=0.8');
  assert.equal(compressed.coding, 'gzip');
  const plainly = await raw('identity');
  assert.equal(plainly.coding, undefined);
  assert.equal((await raw('gzip;q=0')).coding, undefined);
  const { usage } = wireAnswer.parse(JSON.parse(gunzipSync(compressed.body).toString()));
  assert.deepEqual(usage, wireAnswer.parse(JSON.parse(plainly.body.toString())).usage);
});

test('the request id can be missing', async (t) => {
  const { provider } = await startProvider(t, { answerShape: { withoutRequestId: true } });
  assert.equal((await post(provider, '/images/generations', call)).headers.get('x-request-id'), null);
});

test('a stream sends partial pictures, then the completed one with a usage that counts them', async (t) => {
  const { client, provider } = await startProvider(t);
  const events = [];
  for await (const event of await client.images.generate({ ...call, stream: true, partial_images: 2 }))
    events.push(event);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['image_generation.partial_image', 'image_generation.partial_image', 'image_generation.completed'],
  );
  const completed = events.at(-1);
  assert.ok(completed?.type === 'image_generation.completed');
  assert.equal(completed.usage.output_tokens, 196 + 2 * 100);
  assert.deepEqual(completed.usage, provider.bills[0]?.usage);
  for (const event of events) {
    const { width, format } = await sharp(Buffer.from(event.b64_json, 'base64')).metadata();
    assert.deepEqual([width, format], [1024, 'png']);
  }
});

test('a stream sends from no partial picture to three, numbered, and bills each', async (t) => {
  const { client, provider } = await startProvider(t);
  for (const count of [0, 1, 2, 3]) {
    const indexes = [];
    const stream = await client.images.generate({ ...call, stream: true, partial_images: count });
    for await (const event of stream) {
      if (event.type === 'image_generation.partial_image') indexes.push(event.partial_image_index);
      assert.deepEqual([event.size, event.quality, event.output_format, event.background], describedAs);
      assert.ok(Math.abs(event.created_at - Date.now() / 1000) < 60);
    }
    assert.deepEqual(indexes, [0, 1, 2].slice(0, count));
    assert.equal(provider.bills.at(-1)?.usage.output_tokens, 196 + count * 100);
  }
});

test('an edit streams under its own names', async (t) => {
  const { client } = await startProvider(t);
  const image = await pngUpload(await plain(64, 64).png().toBuffer());
  const types = [];
  for await (const event of await client.images.edit({ ...call, image, stream: true, partial_images: 1 })) {
    types.push(event.type);
  }
  assert.deepEqual(types, ['image_edit.partial_image', 'image_edit.completed']);
});

/** Reads a stream to its end: the types of its events, and the error that ended it. */
async function drain({ client }: StartedProvider): Promise<{ types: string[]; error: unknown }> {
  const types: string[] = [];
  try {
    const stream = await client.images.generate({ ...call, stream: true, partial_images: 2 });
    for await (const event of stream) types.push(event.type.replace('image_generation.', ''));
  } catch (error) {
    return { types, error };
  }
  return { types, error: undefined };
}

test('a stream ends early, breaks, or turns into a refusal', async (t) => {
  const started = await startProvider(t);
  const { faults, bills } = started.provider;
  faults.add({ kind: 'bill-then-stop-stream', times: 1 });
  assert.deepEqual(await drain(started), { types: ['partial_image', 'partial_image'], error: undefined });
  faults.add({ kind: 'bill-then-cut', times: 1 });
  const cut = await drain(started);
  assert.deepEqual(cut.types, ['partial_image', 'partial_image']);
  assert.ok(cut.error instanceof TypeError);
  faults.add({ kind: 'bill-then-cut', afterPartialImages: 1, times: 1 });
  const cutSooner = await drain(started);
  assert.deepEqual(cutSooner.types, ['partial_image']);
  assert.ok(cutSooner.error instanceof TypeError);
  faults.add({ kind: 'refuse', refusal: 'moderation_blocked_output', midStream: true, times: 1 });
  const refused = await drain(started);
  assert.deepEqual(refused.types, ['partial_image']);
  assert.ok(refused.error instanceof APIError);
  assert.equal(refused.error.code, 'moderation_blocked');
  faults.add({ kind: 'server-error', status: 500, midStream: true, times: 1 });
  const failed = await drain(started);
  assert.deepEqual(failed.types, ['partial_image']);
  assert.ok(failed.error instanceof APIError);
  assert.equal(failed.error.code, 'server_error');
  assert.deepEqual(
    bills.map(({ outcome }) => outcome),
    ['stream-stopped', 'cut', 'cut', 'server-error'],
  );
});

test('a stream may stall, and be done before all of its partial pictures were made', async (t) => {
  const started = await startProvider(t);
  const { faults, bills } = started.provider;
  faults.add({ kind: 'delay', at: 'after-partial-image', delayMs: 150, times: 1 });
  faults.add({ kind: 'fewer-partial-images', imageCount: 1, times: 1 });
  const begunAt = performance.now();
  assert.deepEqual(await drain(started), { types: ['partial_image', 'completed'], error: undefined });
  assert.ok(performance.now() - begunAt >= 150);
  assert.equal(bills[0]?.usage.output_tokens, 196 + 100);
});

test('a stream can be framed as proxies do it, or be ignored', async (t) => {
  const started = await startProvider(t);
  const { provider } = started;
  const streaming = { ...call, stream: true, partial_images: 1 };
  provider.faults.add({ kind: 'shape', shape: { streaming: 'crlf-events' }, times: 2 });
  assert.deepEqual((await drain(started)).types, ['partial_image', 'partial_image', 'completed']);
  const framed = await (await post(provider, '/images/generations', streaming)).text();
  assert.match(framed, /^: keep-alive\r\n\r\nevent: image_generation\.partial_image\r\ndata: \{/);
  assert.equal(framed.replaceAll('\r\n', '').search(/[\r\n]/), -1);

  provider.faults.add({ kind: 'shape', shape: { streaming: 'ignored' }, times: 1 });
  const whole = await post(provider, '/images/generations', streaming);
  assert.equal(whole.headers.get('content-type'), 'application/json');
  assert.equal(wireAnswer.parse(await whole.json()).data.length, 1);
  assert.equal(provider.bills.at(-1)?.usage.output_tokens, 196, 'a partial image that nobody got was billed');

  const fault = provider.faults.add({
    kind: 'refuse',
    refusal: 'unknown_parameter_stream',
    when: ({ parameters }) => parameters['stream'] === true,
  });
  const refused = await errorOf(await post(provider, '/images/generations', streaming));
  assert.deepEqual([refused.code, refused.param, fault.timesUsed], ['unknown_parameter', 'stream', 1]);
});

test('a fault for streams leaves whole answers alone', async (t) => {
  const { client, provider } = await startProvider(t);
  const fault = provider.faults.add({ kind: 'bill-then-stop-stream' });
  assert.equal((await client.images.generate(call)).data?.length, 1);
  assert.equal(fault.timesUsed, 0);
});
