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
  const replies = createReplyEditor({ rest: rest.patient, sleep: async () => undefined, log });
  return { replies, asked: () => server.requests.map(({ method, path }) => `${method} ${path}`) };
}

test('the reply is called as it is called in the documents', async (t) => {
  const { replies, asked } = await openEditor(t);
  await replies.edit(target, renderText('a fox'));
  await replies.remove(target);
  assert.deepEqual(asked(), [`PATCH ${ORIGINAL}`, `DELETE ${ORIGINAL}`]);
});
