import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { pino } from 'pino';
import { createDiscordRest } from '../../src/discord/discord-rest.ts';
import { createReplyEditor } from '../../src/discord/reply-editor.ts';
import { renderText } from '../../src/discord/message-payload.ts';
import type { Answer } from '../services/providers/local-server.ts';
import { answerJson, startLocalServer } from '../services/providers/local-server.ts';
import { until } from '../until.ts';

const target = { applicationId: '1100000000000000001', token: 'a-token' };
const ORIGINAL = '/api/v10/webhooks/1100000000000000001/a-token/messages/@original';

type EditorOptions = {
  readonly stopping?: AbortSignal;
  readonly pause?: (ms: number) => Promise<unknown>;
  readonly now?: () => number;
};

/** An editor of replies, and what a Discord that answers like this was asked by it. Pauses take no time. */
async function openEditor(
  t: TestContext,
  answer: Answer = (response) => answerJson(response, 200, {}),
  options: EditorOptions = {},
) {
  const { stopping = new AbortController().signal, pause = async () => undefined, now = () => 0 } = options;
  const server = await startLocalServer(answer);
  t.after(async () => server[Symbol.asyncDispose]());
  const rest = createDiscordRest({ apiUrl: `${server.origin}/api`, token: 'a-token', now: Date.now });
  t.after(async () => rest.close());
  const log = pino({ level: 'silent' });
  const pausesMs: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    pausesMs.push(ms);
    await pause(ms);
  };
  const replies = createReplyEditor({ rest: rest.patient, newsRest: rest.news, sleep, stopping, now, log });
  return { replies, pausesMs, asked: () => server.requests.map(({ method, path }) => `${method} ${path}`) };
}

test('the reply is called as it is called in the documents', async (t) => {
  const { replies, asked } = await openEditor(t);
  await replies.edit(target, renderText('a fox'));
  await replies.remove(target);
  assert.deepEqual(asked(), [`PATCH ${ORIGINAL}`, `DELETE ${ORIGINAL}`]);
});

test('nothing is said again that may not be repeated', async (t) => {
  const { replies, asked } = await openEditor(t, (response) => answerJson(response, 503, {}));
  const answers = [true, true, false];
  await replies.edit(target, renderText('a question'), async () => answers.shift() ?? assert.fail('asked once more'));
  assert.equal(asked().length, 3);
});

/** How often a reply is tried to be changed before it is given up in a hurry. */
const HURRIED_ATTEMPTS = 6;
const MINUTE_MS = 60_000;
const LATE_ANSWERS_MAX = 200;

test('a last word is tried for as long as a reply can be edited, at a distance, and not for longer', async (t) => {
  const { replies, asked, pausesMs } = await openEditor(t, (response) => answerJson(response, 503, {}));
  await replies.answer(target, renderText('a fox'));
  const late = pausesMs.slice(HURRIED_ATTEMPTS - 1);
  assert.equal(asked().length, HURRIED_ATTEMPTS + late.length);
  assert.ok(late.every((pauseMs) => pauseMs === MINUTE_MS / 2));
  assert.equal(
    late.reduce((sum, pauseMs) => sum + pauseMs, 0),
    15 * MINUTE_MS,
  );
});

test('a last word that Discord takes minutes to refuse is not tried for longer than the reply can be edited', async (t) => {
  let minutes = 0;
  const now = (): number => minutes * MINUTE_MS;
  const busy: Answer = (response) => {
    minutes += 1;
    answerJson(response, 503, {});
  };
  const { replies, asked } = await openEditor(t, busy, { now });
  await replies.answer(target, renderText('a fox'));
  assert.equal(asked().length, 15);
});

test('a last word is not tried any more once Discord has refused it', async (t) => {
  let answers = 0;
  const { replies, asked } = await openEditor(t, (response) => {
    answers += 1;
    if (answers <= HURRIED_ATTEMPTS + 2) answerJson(response, 503, {});
    else answerJson(response, 401, { message: 'Invalid Webhook Token', code: 50_027 });
  });
  await replies.answer(target, renderText('a fox'));
  assert.equal(asked().length, HURRIED_ATTEMPTS + 3);
});

test('what is said where a last word is too large is as patient', async (t) => {
  let answers = 0;
  const { replies, asked } = await openEditor(t, (response) => {
    answers += 1;
    if (answers === 1) answerJson(response, 413, { message: 'Request entity too large', code: 40_005 });
    else answerJson(response, answers <= 1 + HURRIED_ATTEMPTS + 3 ? 503 : 200, {});
  });
  await replies.answer(target, renderText('a fox'), [], renderText('no fox'));
  assert.equal(asked().length, 1 + HURRIED_ATTEMPTS + 4);
});

test('a process that stops gives a last word up, also in the middle of an attempt', async (t) => {
  const stopping = new AbortController();
  let answers = 0;
  const { replies, asked } = await openEditor(
    t,
    (response) => {
      answers += 1;
      if (answers <= HURRIED_ATTEMPTS) answerJson(response, 503, {});
      // This one is never answered.
      else stopping.abort();
    },
    { stopping: stopping.signal },
  );
  await replies.answer(target, renderText('a fox'));
  assert.equal(asked().length, HURRIED_ATTEMPTS + 1);
});

test('what a result may take the place of does not come minutes later', async (t) => {
  const { replies, asked } = await openEditor(t, (response) => answerJson(response, 503, {}));
  await replies.edit(target, renderText('a fox?'));
  assert.equal(asked().length, HURRIED_ATTEMPTS);
});

test('so many last words are late at most that Discord does not block the address', async (t) => {
  const stopping = new AbortController();
  const { replies, pausesMs } = await openEditor(t, (response) => answerJson(response, 503, {}), {
    stopping: stopping.signal,
    pause: async (ms) => (ms === MINUTE_MS / 2 ? once(stopping.signal, 'abort') : undefined),
  });
  const targets = Array.from({ length: LATE_ANSWERS_MAX + 1 }, (_, index) => ({ ...target, token: `token-${index}` }));
  const told = targets.map(async (each) => replies.answer(each, renderText('a fox')));
  // One is given up, and all others wait.
  await Promise.race(told);
  await until(() => pausesMs.length >= targets.length * (HURRIED_ATTEMPTS - 1) + LATE_ANSWERS_MAX);
  stopping.abort();
  await Promise.all(told);
  assert.equal(pausesMs.filter((pauseMs) => pauseMs === MINUTE_MS / 2).length, LATE_ANSWERS_MAX);
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
