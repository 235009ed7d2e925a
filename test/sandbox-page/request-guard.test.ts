import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { servePage } from './page-fixture.ts';

type Answer = { readonly status: number | undefined; readonly headers: NodeJS.Dict<string | string[]> };

/** Asks with headers that `fetch` does not let one choose. */
async function ask(address: string, path: string, headers: Record<string, string>, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, address), { method, headers }, (incoming) => {
      incoming.resume();
      resolve({ status: incoming.statusCode, headers: incoming.headers });
    });
    outgoing.on('error', reject);
    outgoing.end(method === 'GET' ? undefined : '{}');
  });
}

describe('the page’s door', () => {
  it('opens to the page itself, with a policy that lets nothing foreign in', async (t) => {
    const page = await servePage(t);
    const { status, headers } = await ask(page.address, '/', {});
    assert.equal(status, 200);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.equal(headers['access-control-allow-origin'], undefined);
  });

  it('is closed to a name that somebody else has led here', async (t) => {
    const page = await servePage(t);
    assert.equal((await ask(page.address, '/', { host: 'evil.example' })).status, 403);
    assert.equal(
      (await ask(page.address, '/api/world', { host: `evil.example:${new URL(page.address).port}` })).status,
      403,
    );
  });

  it('is closed to other pages, whatever they ask for', async (t) => {
    const page = await servePage(t);
    const before = page.stage.discord.clock.now();
    const json = { 'content-type': 'application/json' };
    const clock = async (headers: Record<string, string>): Promise<number | undefined> =>
      (await ask(page.address, '/api/clock', { ...json, ...headers }, 'POST')).status;
    assert.equal(await clock({ origin: 'https://evil.example' }), 403);
    assert.equal(await clock({ origin: 'null' }), 403);
    assert.equal(await clock({}), 403);
    assert.equal((await ask(page.address, '/api/world', { 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.equal(
      (await ask(page.address, '/api/events?person=1&channel=1', { origin: 'http://localhost:1' })).status,
      403,
    );
    assert.ok(page.stage.discord.clock.now() - before < 60_000);
  });

  it('lets a link from elsewhere lead to the page, and to nothing else', async (t) => {
    const page = await servePage(t);
    const visit = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    assert.equal((await ask(page.address, '/', visit)).status, 200);
    assert.equal((await ask(page.address, '/api/world', visit)).status, 403);
  });

  it('listens on this machine only', async (t) => {
    const page = await servePage(t);
    assert.equal(new URL(page.address).hostname, '127.0.0.1');
  });
});
