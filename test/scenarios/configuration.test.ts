import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runBotToItsEnd } from '../../sandbox/bot-process.ts';
import { setStage } from './support.ts';

/** What systemd and others know as "the configuration is wrong": restarting will not help. */
const EXIT_BAD_CONFIGURATION = 78;
const EXIT_FAILURE = 1;

test('without any settings, both that are needed are named, with where to get them', async () => {
  const { exitCode, output } = await runBotToItsEnd({ environment: {} });
  assert.equal(exitCode, EXIT_BAD_CONFIGURATION);
  assert.match(output, /DISCORD_TOKEN: .*discord\.com\/developers/);
  assert.match(output, /OPENAI_API_KEY: .*API key/);
  assert.equal(output.match(/^ {2}[A-Z_]+: /gm)?.length, 2, output);
});

test('everything that is wrong is told at once, with a remedy and without its value', async () => {
  const wrong = {
    DISCORD_TOKEN: ' ',
    DISCORD_API_URL: 'canary://discord',
    OPENAI_BASE_URL: 'canary-provider',
    IMAGE_MODELS: ' , ',
    STORE_URL: 'canary:store',
    HTTP_PORT: 'canary-port',
    ATTACHMENT_ORIGINS: 'https://canary.example/with/a/path',
    RESULT_ORIGINS: 'canary.example',
    DEFAULT_GUILD_BUDGET_USD: 'canary dollars',
    PROVIDER_IMAGES_PER_MINUTE: '-7',
    PROVIDER_CONCURRENCY: '0',
    PROVIDER_TIMEOUT_MS: '99999999',
    MEMBER_REQUESTS_PER_MINUTE: '2.5',
    DRAIN_SECONDS: 'canary seconds',
    MASTER_KEY: 'canary-key-that-is-not-32-bytes',
    LOG_LEVEL: 'canary',
  };
  const { exitCode, output } = await runBotToItsEnd({ environment: wrong });
  assert.equal(exitCode, EXIT_BAD_CONFIGURATION);
  const named = [...output.matchAll(/^ {2}([A-Z_]+): (.+)$/gm)].map(([, name, remedy]) => ({ name, remedy }));
  const names = named.map(({ name }) => name);
  assert.deepEqual(new Set(names), new Set([...Object.keys(wrong), 'OPENAI_API_KEY']), output);
  assert.equal(new Set(names).size, names.length, 'one remedy for each');
  for (const { name, remedy } of named) assert.match(remedy ?? '', /\b(set|name)\b/, name);
  assert.doesNotMatch(output, /canary|99999999/);
});

test('a token that Discord refuses ends the start, and says which setting it was', async (t) => {
  const stage = await setStage(t);
  const environment = stage.environment({ DISCORD_TOKEN: 'canary-token' });
  const { exitCode, output } = await runBotToItsEnd({ environment });
  assert.equal(exitCode, EXIT_FAILURE);
  assert.match(output, /Discord refused DISCORD_TOKEN/);
  assert.doesNotMatch(output, /canary/);
});

test('a data directory that cannot be written to ends the start', async (t) => {
  const stage = await setStage(t);
  const environment = stage.environment({ DATA_DIR: '/dev/null/easel' });
  const { exitCode, output } = await runBotToItsEnd({ environment });
  assert.equal(exitCode, EXIT_FAILURE);
  assert.match(output, /ENOTDIR.*\/dev\/null\/easel/);
  assert.deepEqual(stage.discord.gateway.connectedSessions(), []);
});
