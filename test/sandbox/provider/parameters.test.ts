import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOf, halfMask, plain, post, startProvider } from './start-provider.ts';

const valid = { model: 'gpt-image-2', prompt: 'a fox', quality: 'low' };

/** Changes to a valid request, and the parameter and code that refuse it. */
const refusedGenerations: readonly [object, string | null, string][] = [
  [{ response_format: 'b64_json' }, 'response_format', 'unknown_parameter'],
  [{ style: 'vivid' }, 'style', 'unknown_parameter'],
  [{ surprise: 1 }, 'surprise', 'unknown_parameter'],
  [{ input_fidelity: 'low' }, 'input_fidelity', 'unknown_parameter'],
  [{ prompt: undefined }, 'prompt', 'missing_required_parameter'],
  [{ prompt: '' }, 'prompt', 'missing_required_parameter'],
  [{ prompt: 7 }, 'prompt', 'invalid_type'],
  [{ prompt: 'x'.repeat(32_001) }, 'prompt', 'string_above_max_length'],
  [{ model: undefined }, 'model', 'missing_required_parameter'],
  [{ n: 0 }, 'n', 'integer_below_min_value'],
  [{ n: 11 }, 'n', 'integer_above_max_value'],
  [{ n: 1.5 }, 'n', 'invalid_type'],
  [{ n: '2' }, 'n', 'invalid_type'],
  [{ quality: 'xhigh' }, 'quality', 'invalid_value'],
  [{ quality: 'hd' }, 'quality', 'invalid_value'],
  [{ size: '1000x1000' }, 'size', 'invalid_value'],
  [{ size: '512x512' }, 'size', 'invalid_value'],
  [{ size: '3856x2160' }, 'size', 'invalid_value'],
  [{ size: '3840x1264' }, 'size', 'invalid_value'],
  [{ size: '3840x2176' }, 'size', 'invalid_value'],
  [{ size: 'large' }, 'size', 'invalid_value'],
  [{ model: 'gpt-image-1.5', size: '1024x1040' }, 'size', 'invalid_value'],
  [{ model: 'gpt-image-1.5', quality: 'max' }, 'quality', 'invalid_value'],
  [{ output_format: 'gif' }, 'output_format', 'invalid_value'],
  [{ output_format: 'png', output_compression: 50 }, 'output_compression', 'invalid_png_output_compression'],
  [{ output_format: 'jpeg', output_compression: 101 }, 'output_compression', 'integer_above_max_value'],
  [{ output_format: 'jpeg', background: 'transparent' }, 'background', 'invalid_transparent_background'],
  [{ background: 'blue' }, 'background', 'invalid_value'],
  [{ moderation: 'off' }, 'moderation', 'invalid_value'],
  [{ partial_images: 4, stream: true }, 'partial_images', 'integer_above_max_value'],
  [{ partial_images: 1 }, 'partial_images', 'invalid_value'],
  [{ stream: 'true' }, 'stream', 'invalid_type'],
  [{ stream: true, n: 2 }, 'n', 'invalid_value'],
];

test('generations: every broken rule is refused by name, and nothing is billed', async (t) => {
  const { provider } = await startProvider(t);
  for (const [change, param, code] of refusedGenerations) {
    const response = await post(provider, '/images/generations', { ...valid, ...change });
    const error = await errorOf(response);
    assert.deepEqual(
      [response.status, error.param, error.code],
      [400, param, code],
      JSON.stringify(change).slice(0, 80),
    );
    assert.match(response.headers.get('x-request-id') ?? '', /^req_/);
  }
  assert.equal(provider.bills.length, 0);
});

test('generations: sizes and qualities at the edge of the rules are taken', async (t) => {
  const { provider } = await startProvider(t);
  const edges = [
    { size: '3840x2160' },
    { size: '1408x480' },
    { size: '640x1024' },
    { model: 'gpt-image-2.5-flare', quality: 'max', size: '1024x1024' },
    { model: 'gpt-image-1.5', size: 'auto', quality: 'auto' },
    { n: null, size: null, moderation: 'low', background: 'auto' },
  ];
  for (const change of edges) {
    const response = await post(provider, '/images/generations', { ...valid, ...change });
    assert.equal(response.status, 200, `${JSON.stringify(change)}: ${(await response.text()).slice(0, 200)}`);
  }
});

test('models that are retired or unknown are not found', async (t) => {
  const { provider } = await startProvider(t);
  for (const model of ['gpt-image-1', 'dall-e-3', 'gpt-image-9']) {
    const response = await post(provider, '/images/generations', { ...valid, model });
    assert.equal(response.status, 404);
    assert.equal((await errorOf(response)).code, 'model_not_found');
  }
  const { provider: compatible } = await startProvider(t, { models: ['gpt-image-1'] });
  assert.equal((await post(compatible, '/images/generations', { ...valid, model: 'gpt-image-1' })).status, 200);
});

test('bodies that are not JSON objects, and unknown paths, are refused', async (t) => {
  const { provider } = await startProvider(t);
  const send = (body: string, type: string): Promise<Response> =>
    fetch(`${provider.baseUrl}/images/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${provider.apiKey}`, 'content-type': type },
      body,
    });
  assert.equal((await errorOf(await send('{', 'application/json'))).code, 'invalid_json');
  assert.equal((await errorOf(await send('[1]', 'application/json'))).code, 'invalid_json');
  assert.equal((await errorOf(await send('{}', 'text/plain'))).code, 'unsupported_content_type');
  assert.equal((await post(provider, '/images/variations', valid)).status, 404);
});

async function form(fields: Readonly<Record<string, string>>): Promise<FormData> {
  const body = new FormData();
  for (const [name, value] of Object.entries({ ...valid, ...fields })) body.append(name, value);
  const picture = await plain(96, 96).png().toBuffer();
  body.append('image', new Blob([new Uint8Array(picture)], { type: 'image/png' }), 'a.png');
  return body;
}

test('edits: parameters of the form are judged like those of JSON, and by model', async (t) => {
  const { provider } = await startProvider(t, {
    models: ['gpt-image-1', 'gpt-image-1-mini', 'gpt-image-1.5', 'gpt-image-2'],
  });
  const refused: readonly [Record<string, string>, string, string][] = [
    [{ moderation: 'low' }, 'moderation', 'unknown_parameter'],
    [{ response_format: 'url' }, 'response_format', 'unknown_parameter'],
    [{ n: '11' }, 'n', 'integer_above_max_value'],
    [{ n: 'two' }, 'n', 'invalid_type'],
    [{ stream: 'yes' }, 'stream', 'invalid_type'],
    [{ input_fidelity: 'high' }, 'input_fidelity', 'unsupported_parameter'],
    [{ input_fidelity: 'low' }, 'input_fidelity', 'unsupported_parameter'],
    [{ input_fidelity: 'high', model: 'gpt-image-1-mini' }, 'input_fidelity', 'invalid_value'],
    [{ input_fidelity: 'full', model: 'gpt-image-1.5' }, 'input_fidelity', 'invalid_value'],
  ];
  for (const [fields, param, code] of refused) {
    const response = await post(provider, '/images/edits', await form(fields));
    const error = await errorOf(response);
    assert.deepEqual([response.status, error.param, error.code], [400, param, code], JSON.stringify(fields));
  }
  for (const fields of [
    { input_fidelity: 'high', model: 'gpt-image-1' },
    { input_fidelity: 'low', model: 'gpt-image-1-mini' },
    { n: '2', safety_identifier: 'abc' },
  ]) {
    assert.equal((await post(provider, '/images/edits', await form(fields))).status, 200, JSON.stringify(fields));
  }
  const repeated = await form({});
  repeated.append('prompt', 'again');
  assert.equal((await errorOf(await post(provider, '/images/edits', repeated))).code, 'duplicate_parameter');
  assert.equal(provider.bills.length, 3);
});

test('high input fidelity is billed', async (t) => {
  const { provider } = await startProvider(t, { models: ['gpt-image-1'] });
  await post(provider, '/images/edits', await form({ model: 'gpt-image-1', input_fidelity: 'low' }));
  await post(provider, '/images/edits', await form({ model: 'gpt-image-1', input_fidelity: 'high' }));
  const [low, high] = provider.bills.map((bill) => bill.usage.input_tokens_details.image_tokens);
  assert.deepEqual([low, high], [194, 194 + 4160]);
});

test('a mask alone is no edit', async (t) => {
  const { provider } = await startProvider(t);
  const body = new FormData();
  for (const [name, value] of Object.entries(valid)) body.append(name, value);
  body.append('mask', new Blob([new Uint8Array(await halfMask(96, 96))], { type: 'image/png' }), 'm.png');
  assert.equal((await errorOf(await post(provider, '/images/edits', body))).code, 'missing_required_parameter');
});
