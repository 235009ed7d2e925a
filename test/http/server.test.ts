import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHttpServer } from '../../src/http/server.ts';
import { silentLog } from '../services/job-fixture.ts';

/** Less than anybody would wait for a process to stop. */
const CLOSING_MS_MAX = 6_000;

type Options = Parameters<typeof startHttpServer>[0];

const answerLate: Options['painter'] = (_request, response) => {
  setTimeout(() => response.end('late, and whole'), 1_000);
};

async function start(changes: Partial<Options> = {}) {
  return startHttpServer({
    host: '127.0.0.1',
    port: 0,
    health: { isReady: async () => true },
    metrics: { render: async () => ({ text: 'easel_jobs 1\n', contentType: 'text/plain; version=0.0.4' }) },
    painter: undefined,
    log: silentLog,
    ...changes,
  });
}

async function open(context: TestContext, changes: Partial<Options> = {}) {
  const server = await start(changes);
  context.after(async () => server.close());
  return async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
}

describe('the HTTP server', () => {
  it('answers the tools of an operator', async (context) => {
    const ask = await open(context);
    const json = { status: 200, type: 'application/json' };
    assert.deepEqual(await ask('/healthz'), { ...json, text: '{"status":"ok"}' });
    assert.deepEqual(await ask('/readyz?from=probe'), { ...json, text: '{"status":"ready"}' });
    assert.deepEqual(await ask('/healthz', 'HEAD'), { ...json, text: '' });
    const metrics = await ask('/metrics');
    assert.deepEqual(metrics, { status: 200, type: 'text/plain; version=0.0.4', text: 'easel_jobs 1\n' });
  });

  it('listens at its host and nowhere else', async (context) => {
    const server = await start({ host: '127.0.0.1' });
    context.after(async () => server.close());
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
    const elsewhere = connect(server.port, '127.0.0.2');
    context.after(() => elsewhere.destroy());
    await assert.rejects(once(elsewhere, 'connect'), { code: 'ECONNREFUSED' });
  });

  it('says when commands cannot come in', async (context) => {
    const ask = await open(context, { health: { isReady: async () => false } });
    assert.equal((await ask('/readyz')).status, 503);
    assert.equal((await ask('/healthz')).status, 200);
  });

  it('has nothing else, and takes nothing', async (context) => {
    const ask = await open(context);
    for (const path of ['/', '/paint', '/metrics/all']) assert.equal((await ask(path)).status, 404, path);
    assert.equal((await ask('/healthz', 'POST')).status, 404);
  });

  it('outlives an answer that cannot be made', async (context) => {
    const ask = await open(context, { metrics: { render: async () => Promise.reject(new Error('not loaded')) } });
    assert.equal((await ask('/metrics')).status, 500);
    assert.equal((await ask('/healthz')).status, 200);
  });

  it('leaves what is below the path of the painter to it, where there is one', async (context) => {
    const ask = await open(context, { painter: (request, response) => void response.end(request.url) });
    assert.equal((await ask('/paint/token?x=1')).text, '/paint/token?x=1');
    assert.equal((await ask('/painting')).status, 404);
  });

  it('stops while somebody has a connection and says nothing, and answers the others before', async (context) => {
    const server = await start({ painter: answerLate });
    const openings = [
      '',
      'GET /healthz HTTP/1.1\r\n',
      'POST /paint/token HTTP/1.1\r\nHost: easel\r\nContent-Length: 9\r\n\r\n',
    ];
    for (const opening of openings) {
      const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
      context.after(() => socket.destroy());
      await once(socket, 'connect');
      socket.write(opening);
    }
    const answer = fetch(`http://127.0.0.1:${server.port}/paint/token`);
    await sleep(200);
    const limit = AbortSignal.timeout(CLOSING_MS_MAX);
    await Promise.race([server.close(), once(limit, 'abort').then(() => assert.fail('it is still open'))]);
    assert.equal(await (await answer).text(), 'late, and whole');
  });
});
