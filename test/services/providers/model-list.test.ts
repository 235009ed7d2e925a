import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLocalServer } from './local-server.ts';
import { apiKey, createProvider, failureOf } from './provider-fixture.ts';

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
