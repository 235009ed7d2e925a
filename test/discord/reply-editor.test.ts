import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { pino } from 'pino';
import { createDiscordRest } from '../../src/discord/discord-rest.ts';
import { createReplyEditor } from '../../src/discord/reply-editor.ts';
import { renderText } from '../../src/discord/result-message.ts';
import type { Answer } from '../services/providers/local-server.ts';
import { answerJson, startLocalServer } from '../services/providers/local-server.ts';

const target = { applicationId: '1100000000000000001', token: 'a-token' };
const ORIGINAL = '/api/v10/webhooks/1100000000000000001/a-token/messages/@original';

/** An editor of replies, and what a Discord that answers like this was asked by it. */
async function openEditor(t: TestContext, answer: Answer = (response) => answerJson(response, 200, {})) {
  const server = await startLocalServer(answer);
  t.after(async () => server[Symbol.asyncDispose]());
  const rest = createDiscordRest({ apiUrl: `${server.origin}/api`, token: 'a-token' });
  t.after(async () => rest.close());
  const log = pino({ level: 'silent' });
  const replies = createReplyEditor({ rest: rest.patient, newsRest: rest.news, sleep: async () => undefined, log });
  return { replies, asked: () => server.requests.map(({ method, path }) => `${method} ${path}`) };
}

test('the reply is called as it is called in the documents', async (t) => {
  const { replies, asked } = await openEditor(t);
  await replies.edit(target, renderText('a fox'));
  await replies.remove(target);
  assert.deepEqual(asked(), [`PATCH ${ORIGINAL}`, `DELETE ${ORIGINAL}`]);
});

test('a reply that says something is not covered by the news that nobody answered', async (t) => {
  const { replies, asked } = await openEditor(t, (response) =>
    answerJson(response, 200, { content: '', components: [{ type: 10, content: 'a fox is on its way' }] }),
  );
  await replies.fillEmpty(target, renderText('nobody answered'));
  assert.deepEqual(asked(), [`GET ${ORIGINAL}`]);
});

test('an empty reply is filled in one attempt, also where it cannot be looked at', async (t) => {
  const empty = await openEditor(t, (response) =>
    answerJson(response, 200, { content: '', components: [], flags: 128 }),
  );
  await empty.replies.fillEmpty(target, renderText('nobody answered'));
  assert.deepEqual(empty.asked(), [`GET ${ORIGINAL}`, `PATCH ${ORIGINAL}`]);

  const silent = await openEditor(t, (response) => answerJson(response, 503, {}));
  await silent.replies.fillEmpty(target, renderText('nobody answered'));
  assert.deepEqual(silent.asked(), [`GET ${ORIGINAL}`, `PATCH ${ORIGINAL}`]);
});
