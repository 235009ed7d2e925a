import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Stage } from '../../sandbox/stage.ts';
import { answerJson, startLocalServer } from '../services/providers/local-server.ts';
import { ask } from './requests.ts';
import { setStage } from './support.ts';

const BOT_TOKEN = 'canary-bot.Token.with-everything_it-may-have';
const API_KEY = 'canary-key+with/other"signs';
const MASTER_KEY = Buffer.from('a canary of exactly 32 bytes, so').toString('base64');
const REPLY_TOKEN = 'canary-of-a-reply.Token_with-dots';
const CANARIES = [BOT_TOKEN, API_KEY, MASTER_KEY, REPLY_TOKEN];

/** Loaded before the bot: signals make it fail where nobody catches it, with the whole environment in the message. */
const CLUMSY_CODE = `data:text/javascript,${encodeURIComponent(`
  const leak = () => new Error(Object.values(process.env).join(' '), { cause: process.env.OPENAI_API_KEY });
  process.on('SIGHUP', () => void Promise.reject(leak()));
  process.on('SIGUSR2', () => { throw leak(); });
`)}`;

/** A key as providers show it to whoever used it wrongly. */
function masked(key: string): string {
  return `${key.slice(0, 10)}***${key.slice(-4)}`;
}

/** A provider that repeats the caller's key in whatever it says. */
async function openTactlessProvider(t: TestContext) {
  const answers: ((response: ServerResponse, key: string) => void)[] = [
    (response, key) => answerJson(response, 401, { error: { message: `Incorrect API key: ${key}.`, code: 'wrong' } }),
    (response, key) => answerJson(response, 401, { error: { message: masked(key), type: key, code: key } }),
    (response, key) => response.writeHead(500, { 'x-request-id': key }).end(`<html>${key}</html>`),
    (response, key) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<html>${key}</html>`),
    (response, key) => response.writeHead(302, { location: `/${encodeURIComponent(key)}` }).end(),
    (response) => response.socket?.resetAndDestroy(),
  ];
  let count = 0;
  const server = await startLocalServer((response, { method, headers }) => {
    const key = (headers.authorization ?? '').replace('Bearer ', '');
    if (method === 'GET') return void response.writeHead(401).end(`the key is ${key}`);
    answers[count % answers.length]?.(response, key);
    count += 1;
  });
  t.after(async () => server[Symbol.asyncDispose]());
  return { baseUrl: `${server.origin}/v1`, requests: server.requests, answerCount: answers.length };
}

/** Everything that the bot has written below its data directory. */
async function filesOf({ dataDirectory }: Stage): Promise<string[]> {
  const entries = await readdir(dataDirectory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => `${name}: ${await readFile(join(parentPath, name), 'latin1')}`),
  );
}

function assertClean(place: string, text: string, secrets: readonly string[] = CANARIES): void {
  for (const secret of secrets) {
    // As it is, as JSON writes it, and in the disguises in which it may have travelled.
    const disguises = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
    for (const disguise of [
      ...disguises,
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('hex'),
    ]) {
      assert.ok(!text.includes(disguise), `${place} shows a secret near: ${around(text, disguise)}`);
    }
  }
}

function around(text: string, part: string): string {
  const at = text.indexOf(part);
  return text.slice(Math.max(0, at - 120), at + part.length + 40);
}

test('however it fails, no secret is shown, logged or kept', async (t) => {
  const provider = await openTactlessProvider(t);
  const stage = await setStage(t, {
    discord: { botToken: BOT_TOKEN },
    environment: {
      OPENAI_API_KEY: API_KEY,
      OPENAI_BASE_URL: provider.baseUrl,
      MASTER_KEY,
      LOG_LEVEL: 'trace',
      // As it stands in the address of whatever is sent to a reply.
      ADDRESS_OF_A_REPLY: `https://discord.com/api/v10/webhooks/1270000000000000001/${REPLY_TOKEN}/messages/@original`,
    },
  });
  const { discord } = stage;
  const bot = await stage.startBot({ preload: [CLUMSY_CODE] });
  const interactionTokens: string[] = [];
  for (let answer = 0; answer < provider.answerCount; answer += 1) {
    const body = { message: `Discord is tactless, too: ${BOT_TOKEN}`, code: 0 };
    discord.faults.add({ kind: 'status', status: 500, body, route: 'PATCH original' });
    const { interaction } = await ask(stage, stage, 'imagine', { prompt: `attempt ${answer}` });
    interactionTokens.push(interaction.token);
  }
  discord.faults.add({ kind: 'status', status: 403, body: { message: BOT_TOKEN, code: 50001 }, route: 'callback' });
  const refused = discord.invoke({ command: 'quota', member: stage.member, channel: stage.channel });
  await discord.waitFor(() => bot.logLines.some(({ job }) => job === refused.id));
  interactionTokens.push(refused.token);

  bot.signal('SIGHUP');
  await discord.waitFor(() => bot.output.includes('nobody listened'));
  bot.signal('SIGUSR2');
  await bot.ended();
  assert.equal(bot.exit?.code, 1);
  assert.match(bot.output, /an error that nobody caught/);

  assertClean('the log', bot.output, [...CANARIES, ...interactionTokens]);
  for (const file of await filesOf(stage)) assertClean('a file', file);
  for (const request of discord.requests) assertClean('a request to Discord', JSON.stringify(request));
  for (const message of discord.channelMessages(stage.channel)) assertClean('a message', JSON.stringify(message));
  for (const { body } of provider.requests) assertClean('a request to the provider', body.toString('latin1'));
  assert.match(bot.output, /\[redacted\]/, 'there was something to hide');
});
