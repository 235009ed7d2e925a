import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { Agent } from 'undici';
import { AcknowledgementError, createAcknowledgements } from '../../src/discord/acknowledgements.ts';

const INTERACTION = { id: '42', token: 'canary' };
const DEFERRED = { type: 5 } as const;
const WAIT_MS_MAX = 100;

/** A Discord that answers every request in one way. */
async function serve(test: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/api/v10`;
}

function createAgent(test: TestContext, options: Agent.Options = {}): Agent {
  const agent = new Agent(options);
  test.after(async () => agent.destroy());
  return agent;
}

describe('an acknowledgement', () => {
  it('goes to its interaction, as JSON, by a client that Discord knows', async (t) => {
    const received: unknown[] = [];
    let agent = '';
    const address = await serve(t, (request, response) => {
      const { method, url, headers } = request;
      request.setEncoding('utf8').on('data', (body) => {
        received.push({ method, url, body, type: headers['content-type'] });
        agent = headers['user-agent'] ?? '';
        response.writeHead(204).end();
      });
    });
    await createAcknowledgements(address, createAgent(t)).send(INTERACTION, DEFERRED);
    const url = '/api/v10/interactions/42/canary/callback';
    assert.deepEqual(received, [{ method: 'POST', url, body: '{"type":5}', type: 'application/json' }]);
    assert.match(agent, /^DiscordBot \(/);
  });

  it('that Discord refuses fails with what it says, and without the token', async (t) => {
    const address = await serve(t, (_request, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"message": "Unknown interaction", "code": 10062}');
    });
    const sending = createAcknowledgements(address, createAgent(t)).send(INTERACTION, DEFERRED);
    await assert.rejects(sending, (error) => {
      assert.ok(error instanceof AcknowledgementError);
      assert.match(error.message, /404.*10062/);
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
  });

  const limits = [
    ['for a moment is sent once more', '{"retry_after": 0.05}', 2],
    ['for long is not sent again', '{"retry_after": 1.6}', 1],
    ['without saying how long is not sent again', 'busy', 1],
  ] as const;
  for (const [name, body, attempts] of limits) {
    it(`that Discord refuses ${name}`, async (t) => {
      let requests = 0;
      const address = await serve(t, (_request, response) => {
        requests += 1;
        response.writeHead(429, { 'content-type': 'application/json' }).end(body);
      });
      await assert.rejects(createAcknowledgements(address, createAgent(t)).send(INTERACTION, DEFERRED), /429/);
      assert.equal(requests, attempts);
    });
  }

  it('that is not answered in time fails', async (t) => {
    const address = await serve(t, () => undefined);
    const agent = createAgent(t, { headersTimeout: 50 });
    const acknowledgements = createAcknowledgements(address, agent);
    await assert.rejects(acknowledgements.send(INTERACTION, DEFERRED), { code: 'UND_ERR_HEADERS_TIMEOUT' });
  });

  it('holds others up until it is on its way, and not until it is answered', async (t) => {
    const received = Promise.withResolvers<void>();
    const address = await serve(t, () => received.resolve());
    const acknowledgements = createAcknowledgements(address, createAgent(t));
    await acknowledgements.whenSent();
    acknowledgements.send(INTERACTION, DEFERRED).catch(() => undefined);
    await Promise.all([acknowledgements.whenSent(), received.promise]);
    // Nobody has answered yet.
    await acknowledgements.whenSent();
  });

  it('that does not get on its way holds others up for a moment only, whatever becomes of it', async (t) => {
    let fail: (error: Error) => void = assert.fail;
    const agent = createAgent(t, { connect: (_options, callback) => void (fail = (error) => callback(error, null)) });
    const acknowledgements = createAcknowledgements('http://127.0.0.1:9/api/v10', agent);
    const sending = acknowledgements.send(INTERACTION, DEFERRED);
    const begin = performance.now();
    await acknowledgements.whenSent();
    assert.ok(performance.now() - begin >= WAIT_MS_MAX - 1);
    const waiting = acknowledgements.whenSent();
    fail(new Error('no way'));
    await assert.rejects(sending, /no way/);
    await waiting;
  });
});
