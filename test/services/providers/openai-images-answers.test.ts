import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { ProviderFailure } from '../../../src/services/providers/image-provider.ts';
import { assertSameImages } from './assert-same-images.ts';
import { createCall } from './call-fixture.ts';
import { answerJson, startLocalServer } from './local-server.ts';
import { createMemorySinks } from './memory-sinks.ts';
import { base64, createProvider, failureOf, make } from './provider-fixture.ts';

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
