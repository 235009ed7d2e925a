import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { startHttpServer } from '../../src/http/server.ts';
import { silentLog } from '../services/job-fixture.ts';

type Options = Parameters<typeof startHttpServer>[0];

async function open(context: TestContext, changes: Partial<Options> = {}) {
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    health: { isReady: async () => true },
    metrics: { render: async () => ({ text: 'easel_jobs 1\n', contentType: 'text/plain; version=0.0.4' }) },
    painter: undefined,
    log: silentLog,
    ...changes,
  });
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
});
