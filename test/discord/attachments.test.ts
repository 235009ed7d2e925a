import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { createAttachmentLoader } from '../../src/discord/attachments.ts';
import { startLocalServer } from '../services/providers/local-server.ts';

const LIMITS = { bytesMax: 64 * 1024, waitMsMax: 300 };
/** Time for every attempt, where none of them waits for anything: a busy machine must not end what should succeed. */
const PATIENT = { ...LIMITS, waitMsMax: 5_000 };

/** A file server on the loopback interface that remembers who came. */
async function openHost(
  t: TestContext,
  answer: (response: ServerResponse) => void = (response) => response.end('a file'),
) {
  const server = await startLocalServer(answer);
  t.after(async () => server[Symbol.asyncDispose]());
  const { origin } = server;
  return { origin, port: new URL(origin).port, paths: () => server.requests.map(({ path }) => path) };
}

/** A loader with short limits that trusts these origins. */
function openLoader(t: TestContext, ...origins: string[]) {
  return openLoaderWith(t, LIMITS, ...origins);
}

function openLoaderWith(t: TestContext, limits: typeof LIMITS, ...origins: string[]) {
  const loader = createAttachmentLoader(origins, limits);
  t.after(async () => loader.close());
  return loader;
}

describe('where attachments may come from', () => {
  test('a listed origin is fetched, whatever the path', async (t) => {
    const host = await openHost(t);
    const loader = openLoaderWith(t, PATIENT, host.origin);
    assert.deepEqual(await loader.load(`${host.origin}/attachments/1/2/a.png?ex=1&hm=2`), Buffer.from('a file'));
    assert.deepEqual(host.paths(), ['/attachments/1/2/a.png?ex=1&hm=2']);
  });

  test('no other address is even asked', async (t) => {
    const trusted = await openHost(t);
    const trap = await openHost(t);
    const loader = openLoader(t, trusted.origin);
    const hostile = [
      `${trap.origin}/a.png`,
      `http://127.0.0.1:${trusted.port}@127.0.0.1:${trap.port}/a.png`,
      `http://somebody@127.0.0.1:${trusted.port}/a.png`,
      `http://:secret@127.0.0.1:${trusted.port}/a.png`,
      `http://localhost:${trusted.port}/a.png`,
      `https://127.0.0.1:${trusted.port}/a.png`,
      `file:///etc/passwd`,
      `data:image/png;base64,AAAA`,
      'not an address',
      '',
    ];
    for (const url of hostile) assert.deepEqual(await loader.load(url), { refused: 'foreign-origin' }, url);
    assert.deepEqual([...trusted.paths(), ...trap.paths()], []);
  });

  test("beside Discord's hosts, nothing that looks like them", async (t) => {
    const loader = openLoader(t, 'https://cdn.discordapp.com', 'https://media.discordapp.net');
    const hostile = [
      'http://169.254.169.254/latest/meta-data/',
      'http://cdn.discordapp.com/a.png',
      'https://cdn.discordapp.com:8443/a.png',
      'https://cdn.discordapp.com.evil.example/a.png',
      'https://cdn.discordapp.com@evil.example/a.png',
      'https://evilcdn.discordapp.com/a.png',
      'https://cdn.discordapp.com./a.png',
      'https://[::ffff:a9fe:a9fe]/a.png',
    ];
    for (const url of hostile) assert.deepEqual(await loader.load(url), { refused: 'foreign-origin' }, url);
  });

  test('a redirect is not followed, not even to where the origin is trusted', async (t) => {
    const target = await openHost(t);
    const host = await openHost(t, (response) => response.writeHead(302, { location: `${target.origin}/x` }).end());
    const loader = openLoaderWith(t, PATIENT, host.origin, target.origin);
    assert.deepEqual(await loader.load(`${host.origin}/a.png`), { refused: 'gone' });
    assert.deepEqual(target.paths(), []);
  });
});

describe('how much of an attachment is read', () => {
  test('a body without end is cut at the limit', async (t) => {
    let sentBytes = 0;
    const host = await openHost(t, (response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024))) sentBytes += 16 * 1024;
      };
      response.on('drain', write);
      write();
    });
    const loader = openLoaderWith(t, PATIENT, host.origin);
    const refusal = { refused: 'too-large', limitBytes: LIMITS.bytesMax };
    assert.deepEqual(await loader.load(host.origin), refusal);
    const sentWhenRefused = sentBytes;
    assert.deepEqual(await loader.load(`${host.origin}/again`), refusal, 'the loader goes on working');
    assert.ok(sentWhenRefused < 16 * 1024 * 1024, `${sentWhenRefused} bytes went out`);
  });

  test('a file that says it is too large is not read at all', async (t) => {
    const host = await openHost(t, (response) => {
      response.writeHead(200, { 'content-length': LIMITS.bytesMax + 1 }).flushHeaders();
    });
    const loader = openLoaderWith(t, PATIENT, host.origin);
    assert.deepEqual(await loader.load(host.origin), { refused: 'too-large', limitBytes: LIMITS.bytesMax });
  });

  test('a file of exactly the limit is taken', async (t) => {
    const host = await openHost(t, (response) => response.end(Buffer.alloc(LIMITS.bytesMax, 7)));
    const bytes = await openLoaderWith(t, PATIENT, host.origin).load(host.origin);
    assert.ok(Buffer.isBuffer(bytes) && bytes.equals(Buffer.alloc(LIMITS.bytesMax, 7)));
  });

  test('a file that is gone', async (t) => {
    const host = await openHost(t, (response) => response.writeHead(404).end('no longer available'));
    assert.deepEqual(await openLoaderWith(t, PATIENT, host.origin).load(host.origin), { refused: 'gone' });
  });

  test('a file that comes as it is, because nothing else was asked for', async (t) => {
    const encodings: unknown[] = [];
    const host = await startLocalServer((response, { headers }) => {
      encodings.push(headers['accept-encoding']);
      response.end('a file');
    });
    t.after(async () => host[Symbol.asyncDispose]());
    await openLoaderWith(t, PATIENT, host.origin).load(host.origin);
    assert.deepEqual(encodings, ['identity']);
  });

  const brief: [string, (response: ServerResponse) => void][] = [
    ['a server that is out of breath', (response) => response.writeHead(503).end('busy')],
    ['a server that was asked too often', (response) => response.writeHead(429).end('busy')],
    ['a connection that breaks', (response) => response.socket?.resetAndDestroy()],
    [
      'a connection that breaks in the middle',
      (response) => {
        response.writeHead(200, { 'content-length': 6 }).write('a f', () => response.socket?.resetAndDestroy());
      },
    ],
  ];
  for (const [name, fail] of brief) {
    test(`${name}: tried again, a few times`, async (t) => {
      let answers = 0;
      const once = await openHost(t, (response) => ((answers += 1) === 1 ? fail(response) : response.end('a file')));
      const loader = openLoaderWith(t, PATIENT, once.origin);
      assert.deepEqual(await loader.load(once.origin), Buffer.from('a file'));
      const always = await openHost(t, fail);
      const refused = await openLoaderWith(t, PATIENT, always.origin).load(always.origin);
      assert.deepEqual(refused, { refused: 'unreachable' });
      assert.equal(always.paths().length, 3);
    });
  }

  test('a file that is gone is asked for once', async (t) => {
    const host = await openHost(t, (response) => response.writeHead(404).end());
    await openLoaderWith(t, PATIENT, host.origin).load(host.origin);
    assert.equal(host.paths().length, 1);
  });

  const unreachable: [string, (response: ServerResponse) => void][] = [
    ['fewer bytes than announced', (response) => response.writeHead(200, { 'content-length': 100 }).write('short')],
    ['no answer at all', () => undefined],
    ['a connection that breaks', (response) => response.socket?.resetAndDestroy()],
    [
      'a byte at a time',
      (response) => {
        response.writeHead(200, { 'content-length': 1_000 });
        const beat = setInterval(() => response.write('.'), LIMITS.waitMsMax / 10);
        response.on('close', () => clearInterval(beat));
      },
    ],
  ];
  for (const [name, answer] of unreachable) {
    test(`${name}: given up when the time is over`, async (t) => {
      const host = await openHost(t, answer);
      assert.deepEqual(await openLoader(t, host.origin).load(host.origin), { refused: 'unreachable' });
    });
  }

  test('nobody listens', async (t) => {
    const { port } = await openHost(t);
    const vacant = `http://127.0.0.2:${port}`;
    assert.deepEqual(await openLoader(t, vacant).load(`${vacant}/a.png`), { refused: 'unreachable' });
  });
});
