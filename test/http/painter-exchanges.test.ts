import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createPainterListener } from '../../src/http/painter.ts';
import { startHttpServer } from '../../src/http/server.ts';
import { photograph } from '../fixtures/pictures.ts';
import { paintedMask } from '../scenarios/painting.ts';
import { silentLog } from '../services/job-fixture.ts';
import { until } from '../until.ts';
import { ORIGIN, preparePainter, SIZE, TICKET } from './painter-fixture.ts';

/** More than the system takes in for a connection that is not read. */
const photo = await photograph({ width: 2048, height: 2048 }).png({ compressionLevel: 0 }).toBuffer();
const WAIT_MS_MAX = 10_000;

/** The painter behind a real server, with links to as many drafts as are wanted. */
async function serve(context: TestContext, exchangeMsMax?: number) {
  const painter = await preparePainter({ photo });
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    health: { isReady: async () => true },
    metrics: { render: async () => ({ text: '', contentType: 'text/plain' }) },
    painter: createPainterListener('/paint', { ...painter.parts, log }, exchangeMsMax),
    log: silentLog,
  });
  const sockets: Socket[] = [];
  context.after(async () => {
    sockets.forEach((socket) => socket.destroy());
    await server.close();
  });

  /** Says something over a connection, and reads nothing of what comes back. */
  function say(text: string): Socket {
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    socket.pause().write(text);
    return socket;
  }

  return {
    ...painter,
    logged,
    lookAt: (path: string) => say(`GET ${path}/picture HTTP/1.1\r\nHost: easel\r\n\r\n`),
    /** Half a mask, of which the server has taken notice. */
    beginToSend: async (path: string, isChunked = false): Promise<Socket> => {
      const length = isChunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 1000';
      const headers = ['Host: easel', `Origin: ${ORIGIN}`, length, 'Expect: 100-continue'];
      const socket = say([`POST ${path} HTTP/1.1`, ...headers, '', isChunked ? '4\r\nhalf\r\n' : 'half'].join('\r\n'));
      await once(socket.resume(), 'data');
      return socket;
    },
    get: async (path: string) => fetch(`http://127.0.0.1:${server.port}${path}/picture`),
    post: async (path: string, body: Buffer) =>
      fetch(`http://127.0.0.1:${server.port}${path}`, {
        method: 'POST',
        headers: { origin: ORIGIN },
        body: new Uint8Array(body),
      }),
    inviteMany: async (count: number): Promise<readonly string[]> => {
      const paths: string[] = [];
      while (paths.length < count) paths.push(await painter.invite({ ...TICKET, draft: `${paths.length + 9}` }));
      return paths;
    },
  };
}

async function whenClosed(socket: Socket): Promise<void> {
  if (!socket.resume().closed) await once(socket, 'close', { signal: AbortSignal.timeout(WAIT_MS_MAX) });
}

describe('what goes over the links of the painter', () => {
  it('is one picture at a time, which is there once and then gone', async (context) => {
    const { path, loads, lookAt, get } = await serve(context);
    const unread = Array.from({ length: 12 }, () => lookAt(path));
    await Promise.all(unread.slice(0, -1).map(whenClosed));
    assert.equal(loads.length, 1, 'whoever asks again while it is read gets the same');
    const again = await get(path);
    assert.equal(again.status, 200, 'a page that is loaded again has its picture');
    assert.equal((await again.arrayBuffer()).byteLength, Number(again.headers.get('content-length')));
    await Promise.all(unread.map(whenClosed));
    await until(() => loads.every(({ length }) => length === 0));
  });

  it('is a few pictures in all, and whoever comes too late may try again', async (context) => {
    const { inviteMany, lookAt, loads, get } = await serve(context);
    const [late = '', ...early] = await inviteMany(7);
    const [first] = early.map(lookAt);
    await until(() => loads.length === early.length);
    const refused = await get(late);
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
    first?.destroy();
    await until(() => loads.some(({ length }) => length === 0));
    const picture = await get(late);
    assert.equal(picture.status, 200);
    assert.ok((await picture.arrayBuffer()).byteLength > 0);
  });

  it('is cut off where nobody reads it', async (context) => {
    const { path, loads, lookAt } = await serve(context, 500);
    lookAt(path);
    await until(() => loads.length === 1);
    await until(() => loads.every(({ length }) => length === 0));
  });

  it('is one mask at a time, the newest, and a few in all', async (context) => {
    const { inviteMany, beginToSend, post, begun } = await serve(context);
    const mask = await paintedMask(SIZE, (x) => x < 20);
    const [late = '', again = '', ...others] = await inviteMany(9);
    const halves = await Promise.all([again, ...others].map(async (path) => beginToSend(path)));
    assert.equal((await post(late, mask)).status, 503);
    assert.equal((await post(again, mask)).status, 200, 'whoever sends again has given up on the first time');
    await Promise.all(halves.slice(0, 1).map(whenClosed));
    assert.equal((await post(late, mask)).status, 200);
    assert.equal(begun.length, 2);
  });

  it('is nothing to look into where somebody goes in the middle of it', async (context) => {
    for (const isChunked of [false, true]) {
      const { path, beginToSend, logged } = await serve(context);
      const socket = await beginToSend(path, isChunked);
      socket.destroy();
      await until(() => logged.length > 0);
      assert.match(logged.join(), /^{"level":20,/);
    }
  });

  it('is no mask that does not come to its end', async (context) => {
    const { path, beginToSend, begun } = await serve(context, 500);
    await whenClosed(await beginToSend(path));
    assert.deepEqual(begun, []);
  });
});
