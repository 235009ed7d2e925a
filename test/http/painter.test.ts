import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { CATALOGUES } from '../../src/discord/words.ts';
import { createPainterRoutes } from '../../src/http/painter.ts';
import { createPaintLinks } from '../../src/services/paint-links.ts';
import type { Store } from '../../src/storage/store.ts';
import { StoreFailure } from '../../src/storage/store.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import { photograph } from '../fixtures/pictures.ts';
import { paintedMask } from '../scenarios/painting.ts';
import { ADDRESS, files, ORIGIN, preparePainter, PUBLIC_URL, SIZE, TICKET } from './painter-fixture.ts';

const MINUTE_MS = 60_000;

const mask = await paintedMask(SIZE, (x) => x < 20);

/** The pages over a draft that was invited, whose begun edits are only noted. */
async function open(changes: { readonly store?: Store } = {}) {
  const { parts, ...painter } = await preparePainter(changes);
  const app = new Hono<{ Bindings: HttpBindings }>().route('/paint', createPainterRoutes(parts));

  /** With a connection that is there until the answer has been read, and carries nothing. */
  async function request(at: string, init: RequestInit): Promise<Response> {
    const incoming = new IncomingMessage(new Socket());
    const outgoing = new ServerResponse(incoming);
    const response = await app.request(at, init, { incoming, outgoing });
    const whole = new Response(await response.arrayBuffer(), response);
    outgoing.emit('close');
    return whole;
  }

  return {
    ...painter,
    get: async (at: string, headers: Record<string, string> = {}) => request(at, { headers }),
    post: async (body: Buffer, headers: Record<string, string> = { origin: ORIGIN }, at = painter.path) =>
      request(at, { method: 'POST', headers, body: new Uint8Array(body) }),
  };
}

async function fail(): Promise<never> {
  throw new StoreFailure('away');
}

/** Changes one character of a text. */
function tampered(text: string, index: number): string {
  const at = index < 0 ? text.length + index : index;
  return `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
}

describe('the pages of the painter', () => {
  it('show a page that loads nothing from elsewhere and is kept nowhere', async () => {
    const { get, path } = await open();
    const page = await get(path);
    assert.equal(page.status, 200);
    const text = await page.text();
    assert.match(text, /<html lang="de">/);
    assert.ok(text.includes('a &lt;b&gt;hat&lt;/b&gt; &amp; &quot;more&quot;'), 'the prompt is text and nothing else');
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|data:|https?:|\*/);
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(page.headers.get('cache-control'), 'no-store');
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    // Every address is one beside the page, so that it works below any prefix.
    const addresses = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
    assert.ok(addresses.length > 3);
    for (const address of addresses) {
      assert.match(address, /^\.\//);
      const found = await get(new URL(address, `http://bot${path}`).pathname);
      assert.equal(found.status, 200, address);
      assert.equal(found.headers.get('cache-control'), 'no-store');
    }
  });

  it('serve scripts without types that find each other', async () => {
    const { get } = await open();
    for (const [name, { text }] of files) {
      for (const [, imported = ''] of text.matchAll(/from '\.\/([^']+)'/g)) assert.ok(files.has(imported), imported);
      assert.equal(await (await get(`/paint/files/${name}`)).text(), text);
    }
    assert.equal((await get('/paint/files/tsconfig.json')).status, 404);
    assert.equal((await get('/paint/files/..%2fserver.ts')).status, 404);
  });

  it('take a mask once', async () => {
    const { post, begun } = await open();
    const sent = await post(mask);
    assert.equal(sent.status, 200);
    assert.match(await sent.text(), /an Discord gesendet/);
    assert.deepEqual(begun, [mask]);
    assert.equal((await post(mask)).status, 410);
    assert.equal(begun.length, 1);
  });

  it('tell nothing to whoever made a link up', async () => {
    const { get, post, path, begun } = await open();
    const foreign = createPaintLinks({ publicUrl: PUBLIC_URL, key: 'another key' }).linkFor(TICKET);
    const forged = [
      ...[-1, -20, '/paint/'.length, path.indexOf('.') + 1].map((index) => tampered(path, index)),
      new URL(foreign).pathname.replace('/below', ''),
      '/paint/1.2.3',
      '/paint/',
      '/paint/nothing/at/all',
    ];
    const nothing = await (await get('/paint/nothing')).text();
    for (const at of forged) {
      const page = await get(at);
      assert.equal(page.status, 404, at);
      assert.equal(await page.text(), nothing, 'every reason looks the same');
      assert.equal((await get(`${at}/picture`)).status, 404);
      assert.equal((await post(mask, { origin: ORIGIN }, at)).status, 404);
    }
    assert.deepEqual(begun, []);
  });

  it('take no mask from another site, none that is too large, and nothing that is no PNG', async () => {
    const { post, begun } = await open();
    for (const headers of [{}, { origin: 'https://elsewhere.example' }, { origin: 'null' }]) {
      assert.equal((await post(mask, headers as Record<string, string>)).status, 404);
    }
    const padded = Buffer.concat([mask, Buffer.alloc(4 * 1024 * 1024)]);
    assert.equal((await post(padded, { origin: ORIGIN, 'content-length': String(padded.length) })).status, 413);
    assert.equal((await post(padded)).status, 413, 'whatever the request says of its length');
    assert.equal((await post(await photograph(SIZE).jpeg().toBuffer())).status, 415);
    assert.equal((await post(Buffer.alloc(0))).status, 415);
    assert.deepEqual(begun, []);
    assert.equal((await post(mask)).status, 200, 'the link still holds');
  });

  it('end a link while the reply can still take what comes of it, and when another one follows', async () => {
    const late = await open();
    late.time.now += 10 * MINUTE_MS - 1;
    const inTime = await (await late.get(late.path)).text();
    assert.ok(inTime.includes(new Date(late.time.now + 1).toISOString()), 'the page tells of its end');
    late.time.now += 1;
    for (const ended of [await late.get(late.path), await late.post(mask)]) {
      assert.equal(ended.status, 410);
      const text = await ended.text();
      assert.doesNotMatch(text, /hat/);
      assert.match(text, /10 minutes.*press “Paint a mask” there again/);
    }
    assert.equal((await late.get(await late.invite({ ...TICKET, press: '9' }))).status, 200);
    const followed = await open();
    await followed.drafts.invite(TICKET.guild, TICKET.draft, { id: '9', roles: [], address: ADDRESS });
    assert.equal((await followed.get(followed.path)).status, 410);
    assert.equal((await followed.get(`${followed.path}/picture`)).status, 404);
    assert.equal((await followed.post(mask)).status, 410);
    assert.deepEqual([...late.begun, ...followed.begun], []);
  });

  it('ask for patience where the process ends or the store fails, and lose nothing by it', async () => {
    const ending = await open();
    await ending.desk.drain();
    assert.equal((await ending.post(mask)).status, 503);
    assert.ok(await ending.drafts.read(TICKET.guild, TICKET.draft));

    const store = { ...createMemoryDatabase().connect(), read: fail, commit: fail };
    const failing = await open({ store });
    assert.equal((await failing.get(failing.path)).status, 503);
    const answer = await failing.post(mask);
    assert.equal(answer.status, 503);
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    assert.deepEqual(failing.begun, []);
  });

  it('take a mask again whose edit did not begin', async () => {
    const { post, begun, drafts, failures } = await open();
    const before = await drafts.read(TICKET.guild, TICKET.draft);
    failures.push(new Error('no folder'), new Error('still none'));
    assert.equal((await post(mask)).status, 503);
    assert.deepEqual(await drafts.read(TICKET.guild, TICKET.draft), before);
    assert.equal((await post(mask)).status, 503);
    assert.equal((await post(mask)).status, 200);
    assert.deepEqual(begun, [mask]);
    assert.equal((await post(mask)).status, 410);
  });

  it('take a mask again whose edit has to wait', async () => {
    const { post, begun, drafts, obstacles } = await open();
    const before = await drafts.read(TICKET.guild, TICKET.draft);
    obstacles.push({ reason: 'queue-full' });
    const answer = await post(mask);
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /data-says="failed"/);
    assert.deepEqual([begun, await drafts.read(TICKET.guild, TICKET.draft)], [[], before]);
    assert.equal((await post(mask)).status, 200);
    assert.deepEqual(begun, [mask]);
  });

  it('speak the language that a browser asks for where nobody is known', async (t: TestContext) => {
    const { get } = await open();
    const languageOf = async (accepted: string): Promise<string | undefined> =>
      /<html lang="([^"]+)"/.exec(await (await get('/paint/nothing', { 'accept-language': accepted })).text())?.[1];
    assert.equal(await languageOf('fr-CA, en;q=0.5'), 'fr');
    assert.equal(await languageOf('pt-PT'), 'pt-BR');
    assert.equal(await languageOf('tlh, ja;q=0.8'), 'ja');
    assert.equal(await languageOf('tlh'), 'en-US');
    for (const locale of CATALOGUES.keys()) assert.equal(await languageOf(locale), locale);
    t.diagnostic(`${CATALOGUES.size} languages`);
  });
});
