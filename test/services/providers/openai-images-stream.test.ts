import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import sharp from 'sharp';
import type { EmulatedProvider } from '../../../sandbox/provider/emulated-provider.ts';
import { createEmulatedProvider } from '../../../sandbox/provider/emulated-provider.ts';
import type { EmulatedProviderOptions } from '../../../sandbox/provider/provider-options.ts';
import type {
  ImageCall,
  ImageProvider,
  ImageResult,
  PreviewTarget,
} from '../../../src/services/providers/image-provider.ts';
import { ProviderFailure } from '../../../src/services/providers/image-provider.ts';
import type { OpenAiImagesOptions } from '../../../src/services/providers/openai-images.ts';
import { createOpenAiImages } from '../../../src/services/providers/openai-images.ts';
import { assertSameImages } from './assert-same-images.ts';
import { createCall } from './call-fixture.ts';
import { answerJson, startLocalServer } from './local-server.ts';
import { createMemorySinks } from './memory-sinks.ts';
import { createPreviewBook } from './preview-book.ts';

const apiKey = 'sk-test';

function createProvider(baseUrl: string, changes: Partial<OpenAiImagesOptions> = {}): ImageProvider {
  return createOpenAiImages({ apiKey, baseUrl, timeoutMs: 10_000, resultOrigins: [], ...changes });
}

type Outcome = {
  readonly result: ImageResult | ProviderFailure;
  readonly images: readonly Buffer[];
  readonly previews: readonly Buffer[];
  readonly failures: readonly unknown[];
};

/** Makes a call that wants two previews, and leaves nothing open whatever comes of it. */
async function make(provider: ImageProvider, call: ImageCall = createCall()): Promise<Outcome> {
  const [sinks, book] = [createMemorySinks(), createPreviewBook(2)];
  const result = await provider.makeImages(call, sinks.openByteSink, book.target).catch((error: unknown) => {
    assert.ok(error instanceof ProviderFailure, String(error));
    return error;
  });
  assert.equal(sinks.openCount() + book.openCount(), 0);
  return { result, images: sinks.closedImages(), previews: book.previews(), failures: book.failures() };
}

async function failureOf(provider: ImageProvider): Promise<readonly [string, string, readonly Buffer[]]> {
  const { result, images, previews } = await make(provider);
  assert.ok(result instanceof ProviderFailure);
  assert.deepEqual(images, []);
  return [result.kind, result.charged, previews];
}

type Emulated = { readonly emulator: EmulatedProvider; readonly provider: ImageProvider };

async function startEmulator(context: TestContext, options: EmulatedProviderOptions = {}): Promise<Emulated> {
  const openApiPath = process.env['OPENAI_OPENAPI'];
  const emulator = await createEmulatedProvider({ apiKey, ...(openApiPath ? { openApiPath } : {}), ...options });
  context.after(async () => emulator.close());
  return { emulator, provider: createProvider(emulator.baseUrl) };
}

const lowCall = createCall({ size: { width: 1024, height: 1024 }, quality: 'low' });

test('a generation shows what it has so far, and its bill has the price of that in it', async (context) => {
  const { emulator, provider } = await startEmulator(context);
  const { result, images, previews } = await make(provider, lowCall);
  assert.ok(!(result instanceof ProviderFailure));
  assert.deepEqual([result.imageCount, result.madeCount, images.length, previews.length], [1, 1, 1, 2]);
  const [bill, ...others] = emulator.bills;
  assert.deepEqual(others, []);
  assert.deepEqual(result.usage, bill?.usage);
  assert.equal(bill?.usage.output_tokens, 196 + 2 * 100);
  assert.equal(result.requestId, bill.requestId);
  for (const picture of [...images, ...previews]) {
    const { width, height, format } = await sharp(picture).metadata();
    assert.deepEqual({ width, height, format }, { width: 1024, height: 1024, format: 'png' });
  }
  assert.notDeepEqual(previews[0], previews[1]);
  const [call] = emulator.calls;
  assert.deepEqual([call?.parameters['stream'], call?.parameters['partial_images']], [true, 2]);
  assert.equal(call?.parameters['safety_identifier'], lowCall.safetyIdentifier);
});

test('an edit does so as well, and whoever wants no previews asks for no stream', async (context) => {
  const { emulator, provider } = await startEmulator(context);
  const edit = await createEdit(context);
  const { result, images, previews } = await make(provider, edit);
  assert.ok(!(result instanceof ProviderFailure));
  assert.deepEqual([images.length, previews.length], [1, 2]);
  assert.deepEqual(result.usage, emulator.bills[0]?.usage);

  for (const call of [lowCall, edit]) await provider.makeImages(call, createMemorySinks().openByteSink);
  assert.deepEqual(
    emulator.calls.map(({ endpoint, parameters }) => [endpoint, parameters['stream'], parameters['partial_images']]),
    [
      ['edits', true, 2],
      ['generations', undefined, undefined],
      ['edits', undefined, undefined],
    ],
  );
});

test('a proxy may frame the events its own way, and the image may be done before its previews', async (context) => {
  const { emulator, provider } = await startEmulator(context, {
    answerShape: { streaming: 'crlf-events', images: 'data-url', usagePosition: 'first' },
  });
  emulator.faults.add({ kind: 'fewer-partial-images', imageCount: 1 });
  emulator.faults.add({ kind: 'drip', bytesPerSecond: 1_000_000 });
  const { result, images, previews } = await make(provider, lowCall);
  assert.ok(!(result instanceof ProviderFailure));
  assert.deepEqual([images.length, previews.length], [1, 1]);
  assert.deepEqual(result.usage, emulator.bills[0]?.usage);
});

test('a provider that ignores the wish is read as it answers', async (context) => {
  const { emulator, provider } = await startEmulator(context, { answerShape: { streaming: 'ignored' } });
  const { result, images, previews } = await make(provider, lowCall);
  assert.ok(!(result instanceof ProviderFailure));
  assert.deepEqual([images.length, previews.length], [1, 0]);
  assert.deepEqual(result.usage, emulator.bills[0]?.usage);
});

test('a provider that refuses the wish is asked again without it, and from then on at once', async (context) => {
  const { emulator, provider } = await startEmulator(context);
  emulator.faults.add({
    kind: 'refuse',
    refusal: 'unknown_parameter_stream',
    when: ({ parameters, model }) => parameters['stream'] === true && model === 'gpt-image-2',
  });
  const edit = await createEdit(context);
  for (const call of [edit, lowCall, { ...lowCall, model: 'gpt-image-2.5-flare' }]) {
    const { result, images } = await make(provider, call);
    assert.ok(!(result instanceof ProviderFailure));
    assert.equal(images.length, 1);
  }
  assert.deepEqual(
    emulator.calls.map(({ endpoint, model, parameters, end }) => [endpoint, model, parameters['stream'], end]),
    [
      ['edits', 'gpt-image-2', true, 'refused'],
      ['edits', 'gpt-image-2', undefined, 'answered'],
      ['generations', 'gpt-image-2', undefined, 'answered'],
      ['generations', 'gpt-image-2.5-flare', true, 'answered'],
    ],
  );
  assert.equal(emulator.bills.length, 3);
});

test('whatever words the refusal has', async () => {
  const refusals: readonly (readonly [number, unknown])[] = [
    [400, { error: { message: 'Unsupported parameter', param: 'partial_images', code: 'unsupported_parameter' } }],
    [400, { error: { message: 'Streaming is not supported for this model.' } }],
    [422, { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream'] }] }],
  ];
  for (const [status, body] of refusals) {
    await using server = await startLocalServer((response, request) =>
      request.body.includes('partial_images')
        ? answerJson(response, status, body)
        : answerJson(response, 200, { data: [{ b64_json: 'AAEC' }] }),
    );
    const { images } = await make(createProvider(`${server.origin}/v1`));
    assert.deepEqual([images.length, server.requests.length], [1, 2]);
  }
});

test('a refusal of anything else is final, and one that stays is told as it is', async () => {
  const cases = [
    { status: 400, error: { message: 'Invalid size', param: 'size' }, kind: 'invalid-request', requests: 1 },
    {
      status: 400,
      error: { message: 'No streams of blood', code: 'moderation_blocked' },
      kind: 'moderation',
      requests: 1,
    },
    { status: 404, error: { message: 'stream not found' }, kind: 'misconfigured', requests: 1 },
    { status: 500, error: { message: 'stream broke' }, kind: 'server-error', requests: 1 },
    { status: 400, error: { message: 'No stream, no nothing' }, kind: 'invalid-request', requests: 2 },
  ];
  for (const { status, error, kind, requests } of cases) {
    await using server = await startLocalServer((response) => answerJson(response, status, { error }));
    const [actual, charged] = await failureOf(createProvider(`${server.origin}/v1`));
    assert.deepEqual([actual, charged], [kind, status === 500 ? 'unknown' : 'no']);
    assert.equal(server.requests.length, requests, error.message);
  }
});

test('a stream that breaks or ends without its image may have been charged, and is not asked for again', async (context) => {
  const { emulator, provider } = await startEmulator(context);
  const cases = [
    { fault: { kind: 'bill-then-cut', afterPartialImages: 1 }, kind: 'connection-lost', previews: 1 },
    { fault: { kind: 'bill-then-cut', afterPartialImages: 0 }, kind: 'connection-lost', previews: 0 },
    { fault: { kind: 'bill-then-cut', afterShare: 0.9 }, kind: 'connection-lost', previews: 2 },
    { fault: { kind: 'bill-then-stop-stream' }, kind: 'unusable-answer', previews: 2 },
    { fault: { kind: 'bill-then-drop' }, kind: 'connection-lost', previews: 0 },
    { fault: { kind: 'server-error', status: 500, midStream: true }, kind: 'server-error', previews: 1 },
  ] as const;
  for (const [index, { fault, kind, previews }] of cases.entries()) {
    emulator.faults.add({ ...fault, times: 1 });
    const [actual, charged, shown] = await failureOf(provider);
    assert.deepEqual([actual, charged, shown.length], [kind, 'unknown', previews]);
    assert.deepEqual([emulator.calls.length, emulator.bills.length], [index + 1, index + 1]);
  }
});

test('a stream that stalls runs out of time', async (context) => {
  const { emulator } = await startEmulator(context);
  emulator.faults.add({ kind: 'delay', at: 'after-partial-image', delayMs: 60_000 });
  const [kind, charged, previews] = await failureOf(createProvider(emulator.baseUrl, { timeoutMs: 1_500 }));
  assert.deepEqual([kind, charged, previews.length], ['timeout', 'unknown', 1]);
});

const picture = Buffer.from([0, 1, 2]);
const told = { total_tokens: 3, output_tokens: 3 };
const oneJson = JSON.stringify({ data: [{ b64_json: picture.toString('base64') }], usage: told });
const oneStream = [
  ': connected',
  'event: image_generation.partial_image',
  'data: {"type":"image_generation.partial_image","b64_json":"BgcI","partial_image_index":0}',
  '',
  'event: image_generation.completed',
  `data: ${JSON.stringify({ type: 'image_generation.completed', b64_json: picture.toString('base64'), usage: told })}`,
  '',
  '',
].join('\n');

test('an answer is taken for what it is, whatever it is labelled and whether it was asked for or not', async () => {
  const bodies: readonly (readonly [string, string])[] = [
    ['json', oneJson],
    ['json behind whitespace', `\r\n  ${oneJson}`],
    ['json behind a byte order mark', `\ufeff${oneJson}`],
    ['a stream', oneStream],
    ['a stream behind empty lines', `\n\n${oneStream}`],
    ['a stream behind a byte order mark', `\ufeff${oneStream}`],
    ['a stream without its comment', oneStream.slice(oneStream.indexOf('event'))],
    ['a stream without names', oneStream.replaceAll(/^(?:event|: ).*\n/gm, '')],
    ['a stream with numbers', `id: 1\n${oneStream}`],
    ['a stream with a pause', `retry: 100\n${oneStream}`],
  ];
  const labels = ['text/event-stream', 'application/json', 'application/octet-stream', undefined];
  for (const [name, body] of bodies) {
    for (const label of labels) {
      for (const isDripping of [false, true]) {
        await using server = await startLocalServer(async (response) => {
          response.writeHead(200, label === undefined ? {} : { 'content-type': label });
          const head = isDripping ? Buffer.from(body).subarray(0, 12) : [];
          for (const byte of head) {
            response.write(Buffer.of(byte));
            await nextTurn();
          }
          response.end(Buffer.from(body).subarray(head.length));
        });
        const provider = createProvider(`${server.origin}/v1`);
        const about = `${name} as ${label ?? 'nothing'}`;
        const streamed = await make(provider);
        const sinks = createMemorySinks();
        const plain = await provider.makeImages(createCall(), sinks.openByteSink);
        for (const result of [streamed.result, plain]) {
          assert.deepEqual(result, { imageCount: 1, madeCount: 1, usage: told, requestId: undefined }, about);
        }
        assertSameImages([...streamed.images, ...sinks.closedImages()], [picture, picture]);
        assert.equal(streamed.previews.length, name.startsWith('json') ? 0 : 1, about);
      }
    }
  }
});

test('what is neither JSON nor a stream is no answer, whatever it is labelled', async () => {
  for (const body of ['<!doctype html><p>data: no', 'evening', '', '   ', '"data:"']) {
    for (const label of ['text/event-stream', 'application/json']) {
      await using server = await startLocalServer((response) => {
        response.writeHead(200, { 'content-type': label });
        response.end(body);
      });
      const [kind, charged] = await failureOf(createProvider(`${server.origin}/v1`));
      assert.deepEqual([kind, charged], ['unusable-answer', 'unknown'], body);
    }
  }
});

test('a stream that breaks behind its whole image has made it, and what it cost is not known', async () => {
  const beforeUsage = oneStream.slice(0, oneStream.indexOf(',"usage"'));
  await using server = await startLocalServer(async (response, request) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' });
    response.write(beforeUsage);
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (JSON.parse(request.body.toString()).prompt === 'cut') response.destroy();
    else response.end();
  });
  for (const [prompt, kind] of [
    ['cut', 'connection-lost'],
    ['ended', 'unusable-answer'],
  ]) {
    const { result, images } = await make(createProvider(`${server.origin}/v1`), createCall({ prompt: prompt ?? '' }));
    assert.ok(!(result instanceof ProviderFailure) && result.cutOffBy instanceof ProviderFailure);
    const { cutOffBy, ...rest } = result;
    assert.equal(cutOffBy.kind, kind);
    assert.deepEqual(rest, { imageCount: 1, madeCount: undefined, usage: undefined, requestId: 'req_1' });
    assertSameImages(images, [picture]);
  }
});

test('a refusal within the stream proves that nothing was made only as long as nothing has come', async () => {
  const partial = { type: 'image_generation.partial_image', b64_json: 'AAEC', partial_image_index: 0 };
  const moderation = {
    type: 'image_generation_user_error',
    code: 'moderation_blocked',
    message: 'no',
    moderation_details: { moderation_stage: 'output' },
  };
  const cases = [
    { events: [moderation], kind: 'moderation', charged: 'no' },
    { events: [partial, moderation], kind: 'moderation', charged: 'unknown' },
    {
      events: [{ code: 'rate_limit_exceeded', message: 'Please try again in 2s.' }],
      kind: 'rate-limited',
      charged: 'no',
    },
    { events: [{ code: 'insufficient_quota', message: 'no' }], kind: 'out-of-quota', charged: 'no' },
    { events: [{ message: 'rejected by our safety system' }], kind: 'moderation', charged: 'no' },
    {
      events: [{ type: 'server_error', code: 'server_error', message: 'no' }],
      kind: 'server-error',
      charged: 'unknown',
    },
    { events: [{}], kind: 'server-error', charged: 'unknown' },
  ];
  for (const { events, kind, charged } of cases) {
    await using server = await startLocalServer((response) => answerEvents(response, events));
    const { result } = await make(createProvider(`${server.origin}/v1`));
    assert.ok(result instanceof ProviderFailure);
    assert.deepEqual([result.kind, result.charged, result.requestId], [kind, charged, 'req_1']);
    assert.equal(result.moderationStage, events.at(-1) === moderation ? 'output' : undefined);
    assert.equal(result.retryAfterMs, kind === 'rate-limited' ? 2_000 : undefined);
  }
});

test('a preview that cannot be kept harms nothing', async (context) => {
  const { emulator, provider } = await startEmulator(context);
  const full = new Error('no space left');
  const sink = { write: async () => {}, close: async () => {}, discard: async () => {} };
  const targets: readonly Pick<PreviewTarget, 'openByteSink'>[] = [
    { openByteSink: async () => Promise.reject(full) },
    { openByteSink: async () => ({ ...sink, write: async () => Promise.reject(full) }) },
    { openByteSink: async () => ({ ...sink, close: async () => Promise.reject(full) }) },
  ];
  for (const target of targets) {
    const [sinks, failures] = [createMemorySinks(), new Array<unknown>()];
    const previews: PreviewTarget = {
      ...target,
      count: 2,
      arrived: () => assert.fail('it did not arrive'),
      failed: (error) => failures.push(error),
    };
    const { imageCount } = await provider.makeImages(lowCall, sinks.openByteSink, previews);
    assert.deepEqual([imageCount, sinks.closedImages().length, failures], [1, 1, [full]]);
  }
  assert.equal(emulator.bills.length, targets.length);
});

test('pictures of many megabytes arrive whole', async () => {
  const [preview, image] = [randomBytes(5_000_000), randomBytes(12_000_001)];
  const usage = { output_tokens: 1 };
  await using server = await startLocalServer((response) =>
    answerEvents(response, [
      { type: 'image_generation.partial_image', b64_json: preview.toString('base64'), partial_image_index: 0 },
      { type: 'image_generation.completed', b64_json: image.toString('base64'), usage },
    ]),
  );
  const { result, images, previews } = await make(createProvider(`${server.origin}/v1`));
  assert.deepEqual(result, { imageCount: 1, madeCount: 1, usage, requestId: 'req_1' });
  assertSameImages(images, [image]);
  assertSameImages(previews, [preview]);
});

/** Answers with events, of which those that are no images are errors. */
function answerEvents(response: ServerResponse, events: readonly Readonly<Record<string, unknown>>[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_1' });
  for (const event of events) {
    const data = 'b64_json' in event ? event : { type: 'error', error: event };
    response.write(`event: ${String(data['type'])}\ndata: ${JSON.stringify(data)}\n\n`);
  }
  response.end();
}

async function createEdit(context: TestContext): Promise<ImageCall> {
  const folder = await mkdtemp(join(tmpdir(), 'easel-stream-'));
  context.after(async () => rm(folder, { recursive: true }));
  const path = join(folder, 'photo.png');
  await writeFile(
    path,
    await sharp({ create: { width: 64, height: 64, channels: 3, background: '#3a7' } })
      .png()
      .toBuffer(),
  );
  return { ...lowCall, images: [{ path, name: 'photo.png', contentType: 'image/png' }] };
}
