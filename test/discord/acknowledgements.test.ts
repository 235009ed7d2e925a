import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { Agent } from 'undici';
import { timeOfSnowflake } from '../../src/billing/period.ts';
import { AcknowledgementError, createAcknowledgements } from '../../src/discord/acknowledgements.ts';

const INTERACTION = { id: '1500000000000000001', token: 'canary' };
const DEFERRED = { type: 5 } as const;
const WAIT_MS_MAX = 100;
/** When the interaction came from. */
const BORN_AT = timeOfSnowflake(INTERACTION.id);
const justNow = () => BORN_AT;
/** Too late for another attempt. */
const tooLate = () => BORN_AT + 2_400;

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

/** How one request is answered: with a status of Discord's own trouble, with a cut connection, or with this. */
type Turn = number | 'reset' | { readonly status: number; readonly body: string };

const TAKEN: Turn = 204;
const A_MOMENT: Turn = { status: 429, body: '{"retry_after": 0.05}' };
const ALREADY_ACKNOWLEDGED: Turn = { status: 400, body: '{"message": "Already acknowledged", "code": 40060}' };
const UNKNOWN_INTERACTION: Turn = { status: 404, body: '{"message": "Unknown interaction", "code": 10062}' };

/** A Discord that answers one request after the other in these ways. */
async function serveInTurn(test: TestContext, turns: readonly Turn[]): Promise<{ address: string; bodies: string[] }> {
  const bodies: string[] = [];
  const address = await serve(test, (request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => {
      const turn = turns[bodies.length] ?? assert.fail('nobody has asked so often');
      bodies.push(body);
      if (turn === 'reset') return void request.socket.resetAndDestroy();
      if (typeof turn === 'number') return void response.writeHead(turn).end();
      return void response.writeHead(turn.status, { 'content-type': 'application/json' }).end(turn.body);
    });
  });
  return { address, bodies };
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
    await createAcknowledgements(address, createAgent(t), justNow).send(INTERACTION, DEFERRED);
    const url = `/api/v10/interactions/${INTERACTION.id}/canary/callback`;
    assert.deepEqual(received, [{ method: 'POST', url, body: '{"type":5}', type: 'application/json' }]);
    assert.match(agent, /^DiscordBot \(/);
  });

  it('that Discord refuses fails with what it says, and without the token', async (t) => {
    const address = await serve(t, (_request, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"message": "Unknown interaction", "code": 10062}');
    });
    const sending = createAcknowledgements(address, createAgent(t), justNow).send(INTERACTION, DEFERRED);
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
      await assert.rejects(createAcknowledgements(address, createAgent(t), justNow).send(INTERACTION, DEFERRED), /429/);
      assert.equal(requests, attempts);
    });
  }

  for (const failure of [500, 502, 503, 504, 'reset'] as const) {
    it(`that fails once by ${failure} is sent once more`, async (t) => {
      const { address, bodies } = await serveInTurn(t, [failure, TAKEN]);
      await createAcknowledgements(address, createAgent(t), justNow).send(INTERACTION, DEFERRED);
      assert.deepEqual(bodies, ['{"type":5}', '{"type":5}']);
    });

    it(`that fails twice by ${failure} is not sent a third time`, async (t) => {
      const { address, bodies } = await serveInTurn(t, [failure, failure, TAKEN]);
      const sending = createAcknowledgements(address, createAgent(t), justNow).send(INTERACTION, DEFERRED);
      await assert.rejects(sending, failure === 'reset' ? { code: 'ECONNRESET' } : { isFinal: false });
      assert.equal(bodies.length, 2);
    });

    it(`that fails by ${failure} when it is nearly too late is not sent again`, async (t) => {
      const { address, bodies } = await serveInTurn(t, [failure, TAKEN]);
      const acknowledgements = createAcknowledgements(address, createAgent(t), tooLate);
      await assert.rejects(acknowledgements.send(INTERACTION, DEFERRED));
      assert.equal(bodies.length, 1);
    });

    it(`that somebody has acknowledged after it failed by ${failure} may be our own`, async (t) => {
      const { address } = await serveInTurn(t, [failure, ALREADY_ACKNOWLEDGED]);
      const sending = createAcknowledgements(address, createAgent(t), justNow).send(INTERACTION, DEFERRED);
      await assert.rejects(sending, { message: /40060/, isFinal: false, isAnothers: false });
    });

    it(`that nobody waits for any more after it failed by ${failure} is given up for good`, async (t) => {
      const { address } = await serveInTurn(t, [failure, UNKNOWN_INTERACTION]);
      const sending = createAcknowledgements(address, createAgent(t), justNow).send(INTERACTION, DEFERRED);
      await assert.rejects(sending, { message: /10062/, isFinal: true, isAnothers: false });
    });
  }

  it('that somebody has acknowledged before any attempt of ours could count is not ours', async (t) => {
    for (const before of [[], [A_MOMENT]]) {
      const { address } = await serveInTurn(t, [...before, ALREADY_ACKNOWLEDGED]);
      const sending = createAcknowledgements(address, createAgent(t), justNow).send(INTERACTION, DEFERRED);
      await assert.rejects(sending, { message: /40060/, isFinal: true, isAnothers: true });
    }
  });

  it('that is sent again holds nobody up while it pauses', async (t) => {
    const { address, bodies } = await serveInTurn(t, [503, TAKEN, TAKEN]);
    const acknowledgements = createAcknowledgements(address, createAgent(t), justNow);
    const sending = acknowledgements.send(INTERACTION, DEFERRED);
    await acknowledgements.whenSent();
    await acknowledgements.send({ ...INTERACTION, token: 'other' }, DEFERRED);
    assert.equal(bodies.length, 2, 'the first one still pauses');
    await sending;
  });

  it('that is not answered in time fails, and is not sent again', async (t) => {
    let requests = 0;
    const address = await serve(t, () => void (requests += 1));
    const agent = createAgent(t, { headersTimeout: 50 });
    const acknowledgements = createAcknowledgements(address, agent, tooLate);
    await assert.rejects(acknowledgements.send(INTERACTION, DEFERRED), { code: 'UND_ERR_HEADERS_TIMEOUT' });
    assert.equal(requests, 1);
  });

  it('holds others up until it is on its way, and not until it is answered', async (t) => {
    const received = Promise.withResolvers<void>();
    const address = await serve(t, () => received.resolve());
    const acknowledgements = createAcknowledgements(address, createAgent(t), justNow);
    await acknowledgements.whenSent();
    acknowledgements.send(INTERACTION, DEFERRED).catch(() => undefined);
    await Promise.all([acknowledgements.whenSent(), received.promise]);
    // Nobody has answered yet.
    await acknowledgements.whenSent();
  });

  it('that does not get on its way holds others up for a moment only, whatever becomes of it', async (t) => {
    const failures: (() => void)[] = [];
    const agent = createAgent(t, {
      connect(_options, callback) {
        failures.push(() => callback(new Error('no way'), null));
        if (failures.length > 1) failures.at(-1)?.();
      },
    });
    const acknowledgements = createAcknowledgements('http://127.0.0.1:9/api/v10', agent, tooLate);
    const sending = acknowledgements.send(INTERACTION, DEFERRED);
    const begin = performance.now();
    await acknowledgements.whenSent();
    assert.ok(performance.now() - begin >= WAIT_MS_MAX - 1);
    const waiting = acknowledgements.whenSent();
    failures[0]?.();
    await assert.rejects(sending, /no way/);
    await waiting;
  });
});
