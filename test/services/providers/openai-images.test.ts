import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { OpenByteSink } from '../../../src/services/providers/image-provider.ts';
import { assertSameImages } from './assert-same-images.ts';
import { createCall } from './call-fixture.ts';
import { answerJson, portOf, startLocalServer } from './local-server.ts';
import { apiKey, base64, createProvider, failureOf, make } from './provider-fixture.ts';

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
