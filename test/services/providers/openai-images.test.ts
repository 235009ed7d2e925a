import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type {
  ImageCall,
  ImageProvider,
  ImageResult,
  OpenByteSink,
} from '../../../src/services/providers/image-provider.ts';
import { ProviderFailure } from '../../../src/services/providers/image-provider.ts';
import type { OpenAiImagesOptions } from '../../../src/services/providers/openai-images.ts';
import { createOpenAiImages } from '../../../src/services/providers/openai-images.ts';
import { assertSameImages } from './assert-same-images.ts';
import { createCall } from './call-fixture.ts';
import { answerJson, portOf, startLocalServer } from './local-server.ts';
import { createMemorySinks } from './memory-sinks.ts';

const apiKey = 'sk-test-canary-0123456789';
const base64 = (image: Buffer): string => image.toString('base64');

function createProvider(origin: string, changes: Partial<OpenAiImagesOptions> = {}): ImageProvider {
  return createOpenAiImages({
    apiKey,
    baseUrl: `${origin}/v1`,
    timeoutMs: 10_000,
    resultOrigins: [],
    pause: async () => {},
    ...changes,
  });
}

type Outcome = { readonly result: ImageResult; readonly images: readonly Buffer[] };

async function make(provider: ImageProvider, call: ImageCall = createCall()): Promise<Outcome> {
  const sinks = createMemorySinks();
  const result = await provider.makeImages(call, sinks.openByteSink);
  return { result, images: sinks.closedImages() };
}

async function failureOf(promise: Promise<unknown>): Promise<ProviderFailure> {
  const error = await promise.then(
    () => assert.fail('The call should have failed.'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ProviderFailure, String(error));
  return error;
}

test('two images of 3 MB arrive intact and apart, with usage and request id', async () => {
  const images = [randomBytes(3_000_000), randomBytes(3_000_001)];
  const usage = { total_tokens: 7, input_tokens_details: { text_tokens: 7 }, later_field: 'kept' };
  await using server = await startLocalServer((response) =>
    answerJson(
      response,
      200,
      { data: images.map((image) => ({ b64_json: base64(image) })), usage },
      { 'x-request-id': 'req_1' },
    ),
  );
  const { result, images: received } = await make(createProvider(server.origin), createCall({ count: 2 }));
  assert.deepEqual(result, { imageCount: 2, madeCount: 2, usage, requestId: 'req_1' });
  assertSameImages(received, images);
});

test('a generation sends what the models take, and nothing else', async () => {
  await using server = await startLocalServer((response) =>
    answerJson(response, 200, { data: [{ b64_json: 'AAEC' }] }),
  );
  await make(createProvider(server.origin));
  const [request] = server.requests;
  assert.equal(request?.method, 'POST');
  assert.equal(request.path, '/v1/images/generations');
  assert.deepEqual(JSON.parse(request.body.toString()), {
    model: 'gpt-image-2',
    prompt: 'A "lighthouse" – été\n🌊',
    n: 1,
    size: '1536x864',
    quality: 'medium',
    background: 'opaque',
    output_format: 'png',
    safety_identifier: 'a1b2c3',
  });
  assert.equal(request.headers['accept-encoding'], 'identity');
  assert.equal(request.headers.authorization, `Bearer ${apiKey}`);
});

test('a member whom the provider has blocked does not get in without a name', async () => {
  const message = 'This safety_identifier has been blocked.';
  await using server = await startLocalServer((response) =>
    answerJson(response, 400, { error: { message, param: 'safety_identifier', code: 'identifier_blocked' } }),
  );
  const failure = await failureOf(make(createProvider(server.origin)));
  assert.deepEqual([failure.kind, failure.charged, server.requests.length], ['invalid-request', 'no', 1]);
});

test('what a provider does not know, and nobody asked for, is left out', async () => {
  const call = createCall({ background: 'auto' });
  const unknown = ['safety_identifier', 'background'];
  const refusals: readonly ((names: readonly string[]) => readonly [number, unknown])[] = [
    ([name]) => [400, { error: { message: `Unknown parameter: '${name}'.`, param: name, code: 'unknown_parameter' } }],
    ([name]) => [400, { error: { message: `litellm.UnsupportedParamsError: ${name} is not supported`, code: '400' } }],
    (names) => [422, { detail: names.map((name) => ({ type: 'extra_forbidden', loc: ['body', name] })) }],
  ];
  for (const [index, refuse] of refusals.entries()) {
    await using server = await startLocalServer((response, { body }) => {
      const names = unknown.filter((name) => body.toString().includes(`"${name}"`));
      return names.length > 0
        ? answerJson(response, ...refuse(names))
        : answerJson(response, 200, { data: [{ b64_json: 'AAEC' }] });
    });
    const provider = createProvider(server.origin);
    await make(provider, call);
    const needed = server.requests.length;
    assert.equal(needed, index === 2 ? 2 : 3, 'each is left out once it was refused');
    await make(provider, { ...call, format: 'webp' });
    assert.equal(server.requests.length, needed + 1, 'and from then on at once');
    assert.match(server.requests.at(-1)?.body.toString() ?? '', /"quality":"medium".*"output_format":"webp"/);
  }
});

test('what a member chose is not left out', async () => {
  await using server = await startLocalServer((response) =>
    answerJson(response, 400, { error: { message: "Unknown parameter: 'background'.", param: 'background' } }),
  );
  const failure = await failureOf(make(createProvider(server.origin), createCall({ background: 'opaque' })));
  assert.deepEqual([failure.kind, failure.charged, server.requests.length], ['invalid-request', 'no', 1]);
});

test('an edit streams its files as a form with names, types and a length', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'easel-edit-'));
  context.after(() => rm(folder, { recursive: true }));
  const file = async (name: string, bytes: Buffer, contentType: 'image/png' | 'image/jpeg') => {
    await writeFile(join(folder, name), bytes);
    return { path: join(folder, name), name, contentType };
  };
  const [photo, mask] = [randomBytes(700_000), randomBytes(1000)];
  await using server = await startLocalServer((response) =>
    answerJson(response, 200, { data: [{ b64_json: 'AAEC' }] }),
  );
  const provider = createProvider(server.origin);
  const images = [await file('photo.jpg', photo, 'image/jpeg')];
  const masked = createCall({
    model: 'gpt-image-1.5',
    fidelity: 'high',
    images,
    mask: await file('mask.png', mask, 'image/png'),
  });
  await make(provider, masked);
  await make(provider, createCall({ images: [...images, await file('empty"\r\n.png', Buffer.alloc(0), 'image/png')] }));

  const forms = await Promise.all(
    server.requests.map(({ body, headers }) =>
      new Response(body, { headers: { 'content-type': headers['content-type'] ?? '' } }).formData(),
    ),
  );
  const [single, several] = forms;
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ['/v1/images/edits', '/v1/images/edits'],
  );
  assert.deepEqual(
    server.requests.map(({ headers }) => [headers['content-length'], headers['transfer-encoding']]),
    server.requests.map(({ body }) => [String(body.length), undefined]),
  );
  assert.deepEqual(
    [...(single?.keys() ?? [])],
    [
      'model',
      'prompt',
      'n',
      'size',
      'quality',
      'background',
      'output_format',
      'safety_identifier',
      'input_fidelity',
      'image',
      'mask',
    ],
  );
  assert.equal(single?.get('prompt'), masked.prompt);
  const [sentImage, sentMask] = [single?.get('image'), single?.get('mask')];
  assert.ok(sentImage instanceof File && sentMask instanceof File);
  assert.deepEqual([sentImage.name, sentImage.type], ['photo.jpg', 'image/jpeg']);
  assert.deepEqual([sentMask.name, sentMask.type], ['mask.png', 'image/png']);
  const sent = await Promise.all(
    [sentImage, sentMask].map(async (sentFile) => Buffer.from(await sentFile.arrayBuffer())),
  );
  assertSameImages(sent, [photo, mask]);
  assert.equal(several?.has('input_fidelity'), false);
  assert.deepEqual(
    several?.getAll('image[]').map((value) => (value instanceof File ? value.size : value)),
    [700_000, 0],
  );
});

test('a picture that cannot be opened fails before anything is sent', async () => {
  await using server = await startLocalServer((response) => answerJson(response, 200, {}));
  const images = [{ path: '/nowhere/a.png', name: 'a.png', contentType: 'image/png' } as const];
  const failure = await failureOf(make(createProvider(server.origin), createCall({ images })));
  assert.deepEqual([failure.kind, failure.charged, server.requests.length], ['invalid-image', 'no', 0]);
});

test('no connection is used twice', async () => {
  await using server = await startLocalServer((response) =>
    answerJson(response, 200, { data: [{ b64_json: 'AAEC' }] }, { connection: 'keep-alive' }),
  );
  const provider = createProvider(server.origin);
  for (let call = 0; call < 3; call += 1) {
    await make(provider);
  }
  assert.equal(server.connectionCount(), 3);
  assert.equal(server.requests[0]?.headers.connection, 'close');
});

test('one byte at a time, without a length, is as good as all at once', async () => {
  const image = randomBytes(1500);
  await using server = await startLocalServer(async (response) => {
    for (const byte of Buffer.from(
      JSON.stringify({ data: [{ b64_json: base64(image) }], usage: { total_tokens: 1 } }),
    )) {
      response.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    response.end();
  });
  const { result, images } = await make(createProvider(server.origin));
  assertSameImages(images, [image]);
  assert.deepEqual(result.usage, { total_tokens: 1 });
});

test('a gateway that compresses all the same is understood', async () => {
  const image = randomBytes(200_000);
  await using server = await startLocalServer((response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync(JSON.stringify({ data: [{ b64_json: base64(image) }] })));
  });
  assertSameImages((await make(createProvider(server.origin))).images, [image]);
});

test('an error inside a success means what it says, as long as nothing was made', async () => {
  const blocked = { message: 'Your request was rejected by the safety system.', code: 'moderation_blocked' };
  const answers: Record<string, readonly [answer: object, kind: string, charged: string]> = {
    refused: [{ error: blocked, data: [] }, 'moderation', 'no'],
    'in words': [{ error: blocked.message }, 'moderation', 'no'],
    'out of pace': [{ error: { message: 'Slow down.', code: 'rate_limit_exceeded' } }, 'rate-limited', 'no'],
    failed: [{ error: { message: 'model asleep sk-abcdef' } }, 'server-error', 'unknown'],
    metered: [{ error: blocked, usage: { total_tokens: 7 } }, 'moderation', 'unknown'],
    'with an image': [{ error: blocked, data: [{ b64_json: '!' }] }, 'moderation', 'unknown'],
    unexplained: [{ error: {} }, 'unusable-answer', 'unknown'],
  };
  await using server = await startLocalServer((response, { body }) => {
    const { prompt } = JSON.parse(body.toString());
    answerJson(response, 200, answers[prompt]?.[0] ?? {});
  });
  for (const [prompt, [, kind, charged]] of Object.entries(answers)) {
    const failure = await failureOf(make(createProvider(server.origin), createCall({ prompt })));
    assert.deepEqual([failure.kind, failure.charged], [kind, charged], prompt);
    assert.doesNotMatch(failure.message, /sk-/);
  }
});

test('fewer images than asked for are a success; none is an answer of unknown cost', async () => {
  await using server = await startLocalServer((response, { body }) => {
    const { prompt } = JSON.parse(body.toString());
    const bodies: Record<string, string> = {
      one: '{"data":[{"b64_json":"AAEC"},{}]}',
      broken: '{"data":[{"b64_json":"AAEC"},{"b64_json":"!"},{"url":"https://elsewhere.example/a.png"}]}',
      none: '{"data":[]}',
      html: '<html>ok</html>',
    };
    response.end(bodies[prompt]);
  });
  const provider = createProvider(server.origin);
  const { result } = await make(provider, createCall({ prompt: 'one', count: 3 }));
  assert.deepEqual([result.imageCount, result.madeCount], [1, 1]);
  const { result: broken } = await make(provider, createCall({ prompt: 'broken', count: 3 }));
  assert.deepEqual([broken.imageCount, broken.madeCount], [1, 3], 'what did not arrive whole was made all the same');
  const { result: generous } = await make(provider, createCall({ prompt: 'broken', count: 1 }));
  assert.equal(generous.madeCount, 1, 'nobody asked for the others');
  for (const prompt of ['none', 'html', 'empty']) {
    const failure = await failureOf(make(provider, createCall({ prompt })));
    assert.deepEqual([failure.kind, failure.charged], ['unusable-answer', 'unknown'], prompt);
  }
});

test('an answer without an image tells what it cost where it has a usage and is no error', async () => {
  const usage = { input_tokens: 9, output_tokens: 196, of_the_provider: { joules: 3 } };
  const answers: Record<string, readonly [answer: object, kind: string, madeCount: number | undefined]> = {
    'no image': [{ data: [], usage }, 'unusable-answer', 0],
    'no list': [{ usage }, 'unusable-answer', 0],
    'no base64': [{ data: [{ b64_json: '!' }, { b64_json: '?' }, { b64_json: '' }], usage }, 'unusable-answer', 2],
    'more than asked for': [
      { data: Array.from({ length: 5 }, () => ({ b64_json: '!' })), usage },
      'unusable-answer',
      3,
    ],
    elsewhere: [{ data: [{ url: 'https://elsewhere.example/a.png' }], usage }, 'untrusted-result', 1],
    unreachable: [{ data: [{ url: 'http://127.0.0.1:1/a.png' }], usage }, 'unusable-answer', 1],
    'no usage': [{ data: [{ b64_json: '!' }], usage: null }, 'unusable-answer', undefined],
    'an error': [{ error: { message: 'declined', code: 'moderation_blocked' }, usage }, 'moderation', undefined],
  };
  await using server = await startLocalServer((response, { body }) => {
    answerJson(response, 200, answers[JSON.parse(body.toString()).prompt]?.[0] ?? {});
  });
  const provider = createProvider(server.origin, { resultOrigins: ['http://127.0.0.1:1'] });
  for (const [prompt, [, kind, madeCount]] of Object.entries(answers)) {
    const failure = await failureOf(make(provider, createCall({ prompt, count: 3 })));
    assert.deepEqual([failure.kind, failure.charged], [kind, 'unknown'], prompt);
    assert.deepEqual(failure.toldPrice, madeCount === undefined ? undefined : { madeCount, usage }, prompt);
  }
});

test('so does one whose image is larger than any that a model makes', async () => {
  const usage = { output_tokens: 196 };
  await using server = await startLocalServer((response, { path }) => {
    if (path === '/a.png') return void response.end(randomBytes(2_000));
    answerJson(response, 200, { data: [{ url: `${server.origin}/a.png` }], usage });
  });
  const failure = await failureOf(make(createProvider(server.origin, { imageSizeBytesMax: 1_000 })));
  assert.deepEqual([failure.kind, failure.toldPrice], ['unusable-answer', { madeCount: 1, usage }]);
});

test('a cut body is a lost connection of unknown cost', async () => {
  await using server = await startLocalServer(async (response) => {
    response.writeHead(200, { 'content-length': '1000000' });
    response.write(`{"data":[{"b64_json":"${'A'.repeat(500_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    response.destroy();
  });
  const sinks = createMemorySinks();
  const failure = await failureOf(createProvider(server.origin).makeImages(createCall(), sinks.openByteSink));
  assert.deepEqual([failure.kind, failure.charged], ['connection-lost', 'unknown']);
  assert.equal(sinks.openCount(), 0);
});

test('images that are whole outlive what breaks behind them, and how many were made is not known', async () => {
  const images = [randomBytes(60_000), randomBytes(60_001), randomBytes(1_000_000)];
  const body = JSON.stringify({
    data: images.map((image) => ({ b64_json: base64(image) })),
    usage: { output_tokens: 7 },
  });
  await using server = await startLocalServer(async (response, request) => {
    const { prompt } = JSON.parse(request.body.toString());
    response.writeHead(200, {
      'x-request-id': 'req_1',
      ...(prompt === 'cut' ? { 'content-length': body.length } : {}),
    });
    response.write(body.slice(0, -60_000));
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (prompt === 'cut') response.destroy();
    else if (prompt === 'garbled') response.end('}]}');
  });
  const kinds = {
    cut: 'connection-lost',
    silent: 'timeout',
    garbled: 'unusable-answer',
    'too large': 'unusable-answer',
  };
  for (const [prompt, kind] of Object.entries(kinds)) {
    const provider = createProvider(server.origin, {
      timeoutMs: prompt === 'silent' ? 300 : 10_000,
      imageSizeBytesMax: prompt === 'too large' ? 60_001 : 2_000_000,
    });
    const sinks = createMemorySinks();
    const call = createCall({ prompt, count: 3 });
    const { cutOffBy, ...result } = await provider.makeImages(call, sinks.openByteSink);
    assert.ok(cutOffBy instanceof ProviderFailure);
    assert.equal(cutOffBy.kind, kind, prompt);
    assert.deepEqual(result, { imageCount: 2, madeCount: undefined, usage: undefined, requestId: 'req_1' }, prompt);
    assertSameImages(sinks.closedImages(), images.slice(0, 2));
    assert.equal(sinks.openCount(), 0, prompt);
  }
});

test('what could not be fetched behind a whole image does not take the price away', async () => {
  await using server = await startLocalServer((response, { path }) => {
    if (path === '/large') return void response.end(randomBytes(1_000));
    const data = [{ b64_json: 'AAEC' }, { url: `${server.origin}/large` }];
    return answerJson(response, 200, { data, usage: { output_tokens: 7 } });
  });
  const provider = createProvider(server.origin, { imageSizeBytesMax: 500 });
  const { result } = await make(provider, createCall({ count: 2 }));
  assert.ok(result.cutOffBy instanceof ProviderFailure);
  assert.deepEqual([result.imageCount, result.madeCount, result.usage], [1, 2, { output_tokens: 7 }]);
});

test('what an answer tells of behind a whole image, and did not bring, is accounted for with its reason', async () => {
  const problems: Record<string, readonly [second: object, kind: string, message: RegExp]> = {
    elsewhere: [
      { url: 'https://elsewhere.example/a.png?sig=1' },
      'untrusted-result',
      /^The result is at .*example, which/,
    ],
    relative: [{ url: '/relative' }, 'unusable-answer', /not a web address/],
    broken: [{ b64_json: '!' }, 'unusable-answer', /could not be read/],
  };
  await using server = await startLocalServer((response, { body }) => {
    const [second] = problems[JSON.parse(body.toString()).prompt] ?? [];
    answerJson(response, 200, { data: [{ b64_json: 'AAEC' }, second], usage: { output_tokens: 7 } });
  });
  const provider = createProvider(server.origin);
  for (const [prompt, [, kind, message]] of Object.entries(problems)) {
    const { result } = await make(provider, createCall({ prompt, count: 2 }));
    assert.deepEqual([result.imageCount, result.madeCount, result.usage], [1, 2, { output_tokens: 7 }], prompt);
    assert.ok(result.cutOffBy instanceof ProviderFailure, prompt);
    assert.deepEqual([result.cutOffBy.kind, result.cutOffBy.charged], [kind, 'unknown'], prompt);
    assert.match(result.cutOffBy.message, message);
    const { result: content } = await make(provider, createCall({ prompt, count: 1 }));
    assert.equal(content.cutOffBy, undefined, 'nobody asked for the other one');
  }
});

test('a reset before any answer is a lost connection of unknown cost, and nothing is repeated', async () => {
  await using server = await startLocalServer((response) => void response.destroy());
  const failure = await failureOf(make(createProvider(server.origin)));
  assert.deepEqual([failure.kind, failure.charged, server.requests.length], ['connection-lost', 'unknown', 1]);
});

test('what never left this machine is not charged', async () => {
  const closed = createTcpServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const port = portOf(closed);
  closed.close();
  // A server that does not speak TLS stands for every failure of the handshake.
  await using plain = await startLocalServer((response) => answerJson(response, 200, {}));
  for (const origin of [
    `http://127.0.0.1:${port}`,
    'http://nowhere.invalid',
    plain.origin.replace('http:', 'https:'),
  ]) {
    const failure = await failureOf(make(createProvider(origin)));
    assert.deepEqual([failure.kind, failure.charged], ['unreachable', 'no'], origin);
  }
  assert.equal(plain.requests.length, 0);
});

test('time runs out for the whole call, also while the body arrives', async () => {
  await using silent = await startLocalServer(() => {});
  await using slow = await startLocalServer((response) => {
    response.write('{"data":[{"b64_json":"AAEC');
    const timer = setInterval(() => response.write('AAAA'), 20);
    response.on('close', () => clearInterval(timer));
  });
  for (const { origin } of [silent, slow]) {
    const failure = await failureOf(make(createProvider(origin, { timeoutMs: 200 })));
    assert.deepEqual([failure.kind, failure.charged], ['timeout', 'unknown']);
  }
});

test('time that runs out before the request was sent costs nothing', async (context) => {
  const mute = createTcpServer().listen(0, '127.0.0.1');
  context.after(() => mute.close());
  await once(mute, 'listening');
  const connected = once(mute, 'connection');
  const provider = createProvider(`https://127.0.0.1:${portOf(mute)}`, { timeoutMs: 200 });
  const failure = await failureOf(make(provider));
  assert.deepEqual([failure.kind, failure.charged], ['timeout', 'no']);
  const [socket] = await connected;
  socket.destroy();
});

test('what a sink throws comes out as it is, and the connection is closed', async () => {
  let closed: Promise<unknown> | undefined;
  await using server = await startLocalServer((response) => {
    closed = once(response, 'close');
    response.write(`{"data":[{"b64_json":"${'A'.repeat(1_000_000)}`);
  });
  const diskFull = new Error('ENOSPC');
  const fail = async (): Promise<never> => {
    throw diskFull;
  };
  const openByteSink: OpenByteSink = async () => ({ write: fail, close: fail, discard: async () => undefined });
  await assert.rejects(
    createProvider(server.origin).makeImages(createCall(), openByteSink),
    (error) => error === diskFull,
  );
  await closed;
});

test('an image that is too large ends the call', async () => {
  await using server = await startLocalServer((response) =>
    answerJson(response, 200, { data: [{ b64_json: base64(randomBytes(1_000_000)) }] }),
  );
  const failure = await failureOf(make(createProvider(server.origin, { imageSizeBytesMax: 500_000 })));
  assert.deepEqual([failure.kind, failure.charged], ['unusable-answer', 'unknown']);
});

test('results are fetched from trusted origins, without the key, and again where that fails', async () => {
  const image = randomBytes(300_000);
  let attempts = 0;
  await using cdn = await startLocalServer((response) => {
    attempts += 1;
    if (attempts === 1) {
      response.writeHead(200, { 'content-length': String(image.length) });
      response.write(image.subarray(0, 100_000), () => response.destroy());
    } else if (attempts === 2) {
      response.writeHead(503).end();
    } else {
      response.end(image);
    }
  });
  await using server = await startLocalServer((response, { path }) =>
    path.startsWith('/v1')
      ? answerJson(response, 200, {
          data: [{ url: `${server.origin}/own.png` }, { url: `${cdn.origin}/a.png?sig=1` }],
          usage: false,
        })
      : void response.end(image),
  );
  const { result, images } = await make(
    createProvider(server.origin, { resultOrigins: [cdn.origin] }),
    createCall({ count: 2 }),
  );
  assert.deepEqual(result, { imageCount: 2, madeCount: 2, usage: undefined, requestId: undefined });
  assertSameImages(images, [image, image]);
  assert.equal(cdn.requests.length, 3);
  assert.equal(cdn.requests[0]?.path, '/a.png?sig=1');
  assert.ok([...cdn.requests, ...server.requests.slice(1)].every(({ headers }) => headers.authorization === undefined));
});

test('results elsewhere, behind a user name, behind a redirect or of another kind are not fetched', async () => {
  await using other = await startLocalServer((response) => void response.end('secret'));
  await using server = await startLocalServer((response, { path, body }) => {
    if (path === '/redirect') {
      response.writeHead(302, { location: `${other.origin}/` }).end();
    } else if (path === '/partial') {
      response.writeHead(206).end(randomBytes(1_000_000));
    } else {
      answerJson(response, 200, { data: [{ url: JSON.parse(body.toString()).prompt }] });
    }
  });
  const provider = createProvider(server.origin);
  const host = new URL(server.origin).host;
  const urls = {
    'untrusted-result': [`${other.origin}/x`, 'http://169.254.169.254/latest'],
    'unusable-answer': [
      `http://user@${host}/x`,
      `http://user:word@${host}/x`,
      `${server.origin}.example/x`,
      `${server.origin}/redirect`,
      `${server.origin}/partial`,
      'file:///etc/passwd',
      '/relative',
      'data:image/png,AAEC',
    ],
  };
  for (const [kind, prompts] of Object.entries(urls)) {
    for (const prompt of prompts) {
      const failure = await failureOf(make(provider, createCall({ prompt })));
      assert.deepEqual([failure.kind, failure.charged], [kind, 'unknown'], prompt);
    }
  }
  assert.equal(other.requests.length, 0);
  assert.equal(server.requests.filter(({ path }) => path === '/x').length, 0);
});

test('what a base URL asks for goes along with every request', async () => {
  await using server = await startLocalServer((response, { method }) =>
    answerJson(response, 200, { data: [method === 'GET' ? { id: 'a' } : { b64_json: 'AAEC' }] }),
  );
  for (const folder of ['/v1', '/v1/', '']) {
    const provider = createProvider(server.origin, { baseUrl: `${server.origin}${folder}?api-version=x&y=%2B` });
    await provider.listModels();
    await make(provider);
    const [list, images] = server.requests.slice(-2).map(({ path }) => path);
    const path = folder.replace(/\/$/, '');
    assert.deepEqual(
      [list, images],
      [`${path}/models?api-version=x&y=%2B`, `${path}/images/generations?api-version=x&y=%2B`],
    );
  }
});

test('models are listed with their shutdown dates, and a provider without a list is believed', async () => {
  const answers: Record<string, readonly [number, string]> = {
    '/v1/models': [
      200,
      '{"data":[{"id":"a","shutdown_date":"2026-12-01"},{"id":"b","shutdown_date":1796083200},{"id":"c","shutdown_date":null},{"id":"d","shutdown_date":"soon"},{}]}',
    ],
    '/none/models': [404, '{}'],
    '/unimplemented/models': [501, ''],
    '/html/models': [200, '<html>'],
    '/shape/models': [200, '{"models":[]}'],
    '/empty/models': [200, '{"data":[]}'],
    '/nameless/models': [200, '{"data":[{"name":"a"}]}'],
    '/refused/models': [
      401,
      JSON.stringify({
        error: { message: `Incorrect API key provided: ${apiKey.slice(0, 9)}****6789.`, code: 'invalid_api_key' },
      }),
    ],
    '/down/models': [503, 'no'],
  };
  await using server = await startLocalServer((response, { path }) => {
    const [status, body] = answers[path] ?? [500, ''];
    response.writeHead(status).end(body);
  });
  const list = (folder: string) =>
    createProvider(server.origin, { baseUrl: `${server.origin}/${folder}` }).listModels();
  const date = new Date('2026-12-01');
  assert.deepEqual(await list('v1'), [
    { id: 'a', shutdownAt: date },
    { id: 'b', shutdownAt: date },
    { id: 'c', shutdownAt: undefined },
    { id: 'd', shutdownAt: undefined },
  ]);
  for (const folder of ['none', 'unimplemented', 'html', 'shape', 'empty', 'nameless']) {
    assert.equal(await list(folder), undefined, folder);
  }
  const refused = await failureOf(list('refused'));
  assert.deepEqual([refused.kind, refused.charged], ['invalid-key', 'no']);
  assert.doesNotMatch(refused.message, /sk-|6789/);
  const down = await failureOf(list('down'));
  assert.deepEqual([down.kind, down.charged], ['server-error', 'no']);
});

/** A part of a list of models. */
function page(ids: readonly string[], hasMore: boolean, lastId?: string): string {
  return JSON.stringify({ data: ids.map((id) => ({ id })), has_more: hasMore, last_id: lastId });
}

test('a list of models in pages is followed to its end, and is none where a page cannot be had', async () => {
  const pages: Record<string, Readonly<Record<string, string>>> = {
    '/told': { '': page(['a'], true, 'a'), a: page(['b', 'c'], true, 'c'), c: page(['d'], false, 'd') },
    '/untold': { '': page(['a'], true), a: page(['b'], true), b: page([], false) },
    '/odd': { '': page(['a'], true, 'a b&c+d'), 'a b&c+d': page(['b'], false) },
    '/refused': { '': page(['a'], true, 'a') },
    '/garbled': { '': page(['a'], true, 'a'), a: '<html>' },
    '/broken': { '': page(['a'], true, 'a'), a: 'break' },
    '/nowhere': { '': page([], true) },
    '/circle': { '': page(['a'], true, 'a'), a: page(['b'], true, 'b'), b: page(['a'], true, 'a') },
  };
  await using server = await startLocalServer((response, { path }) => {
    const { pathname, searchParams } = new URL(path, server.origin);
    const after = searchParams.get('after') ?? '';
    const folder = pathname.replace('/models', '');
    const body = folder === '/endless' ? page([`${after}a`], true) : pages[folder]?.[after];
    if (body === 'break') response.destroy();
    else response.writeHead(body === undefined ? 500 : 200).end(body);
  });
  const list = async (folder: string) => {
    const provider = createProvider(server.origin, { baseUrl: `${server.origin}/${folder}` });
    return (await provider.listModels())?.map(({ id }) => id);
  };
  assert.deepEqual(await list('told'), ['a', 'b', 'c', 'd']);
  assert.deepEqual(await list('untold'), ['a', 'b']);
  assert.deepEqual(await list('odd'), ['a', 'b']);
  for (const folder of ['refused', 'garbled', 'broken', 'nowhere', 'circle']) {
    assert.equal(await list(folder), undefined, folder);
  }
  const before = server.requests.length;
  assert.equal(await list('endless'), undefined);
  assert.equal(server.requests.length - before, 20);
});
