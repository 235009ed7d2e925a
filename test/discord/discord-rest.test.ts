import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { RateLimitError, Routes } from 'discord.js';
import { createDiscordRest } from '../../src/discord/discord-rest.ts';
import { sendUntilSettled } from '../../src/discord/send-attempts.ts';
import type { Answer } from '../services/providers/local-server.ts';
import { answerJson, startLocalServer } from '../services/providers/local-server.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const CHANNEL_MESSAGES = Routes.channelMessages('1300000000000000001');

/** The patient way to a Discord that answers like this. */
async function openRest(t: TestContext, answer: Answer) {
  const server = await startLocalServer(answer);
  t.after(async () => server[Symbol.asyncDispose]());
  const rest = createDiscordRest({ apiUrl: `${server.origin}/api`, token: 'a-token', now: Date.now });
  t.after(async () => rest.close());
  return { server, rest: rest.patient };
}

describe('what Discord took is sent once', () => {
  const unreadable: [string, Answer][] = [
    [
      'an answer that is no JSON',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{'),
    ],
    ['an answer that is empty', (response) => void response.writeHead(201, JSON_TYPE).end()],
    [
      'an answer that breaks off',
      (response) => {
        response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
      },
    ],
  ];
  for (const [name, answer] of unreadable) {
    test(name, async (t) => {
      const { server, rest } = await openRest(t, answer);
      const failures: unknown[] = [];
      const result = await sendUntilSettled(async () => rest.post(CHANNEL_MESSAGES, { body: { content: 'a fox' } }), {
        sleep: async () => undefined,
        onFailure: (error) => failures.push(error),
      });
      assert.deepEqual({ result, failures, sent: server.requests.length }, { result: 'sent', failures: [], sent: 1 });
    });
  }

  test('what is asked for has to be readable all the same', async (t) => {
    const { rest } = await openRest(t, (response) => {
      response.writeHead(200, JSON_TYPE).end('{');
    });
    await assert.rejects(rest.get(CHANNEL_MESSAGES), SyntaxError);
  });
});

describe('how long Discord wants to be left alone', () => {
  const limits: [string, Record<string, string>, string, number][] = [
    ['in the header alone', { 'retry-after': '3' }, '{}', 3_000],
    ['in both', { 'retry-after': '3' }, '{"retry_after": 7.25}', 3_000],
    ['in the body alone', {}, '{"retry_after": 7.25}', 7_250],
    ['in a header that is no number, and in the body', { 'retry-after': 'soon' }, '{"retry_after": 7.25}', 7_250],
    ['in a header that is no number', { 'retry-after': 'soon' }, '{}', 0],
    ['nowhere', {}, 'busy', 0],
  ];
  /** The library adds so much to what Discord says. */
  const OFFSET_MS = 50;

  for (const [name, headers, body, expectedMs] of limits) {
    test(name, async (t) => {
      const { server, rest } = await openRest(t, (response) => {
        response.writeHead(429, { ...JSON_TYPE, ...headers }).end(body);
      });
      await assert.rejects(rest.post(CHANNEL_MESSAGES, { body: { content: 'a fox' } }), (error) => {
        assert.ok(error instanceof RateLimitError);
        assert.equal(error.retryAfter, expectedMs === 0 ? 0 : expectedMs + OFFSET_MS);
        return true;
      });
      assert.equal(server.requests.length, 1, 'the library does not try again by itself');
    });
  }
});

test('the token outlasts a call that was answered with 401', async (t) => {
  let answers = 0;
  const { server, rest } = await openRest(t, (response) => {
    answers += 1;
    if (answers === 1) answerJson(response, 401, { message: '401: Unauthorized', code: 0 });
    else answerJson(response, 200, []);
  });
  await assert.rejects(rest.get(CHANNEL_MESSAGES), /Unauthorized/);
  assert.deepEqual(await rest.get(CHANNEL_MESSAGES), []);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    ['Bot a-token', 'Bot a-token'],
  );
});
