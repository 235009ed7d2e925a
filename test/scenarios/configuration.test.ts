import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runBotToItsEnd } from '../../sandbox/bot-process.ts';
import { formatUsd } from '../../src/billing/money.ts';
import { readConfig, secretsOf } from '../../src/config.ts';
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
    PUBLIC_URL: 'https://canary.example/?page',
    ATTACHMENT_ORIGINS: 'https://canary.example/with/a/path',
    RESULT_ORIGINS: 'canary.example',
    DEFAULT_GUILD_BUDGET_USD: 'canary dollars',
    PROVIDER_IMAGES_PER_MINUTE: '-7',
    PROVIDER_CONCURRENCY: '0',
    PROVIDER_TIMEOUT_MS: '99999999',
    MEMBER_REQUESTS_PER_MINUTE: '2.5',
    DRAIN_SECONDS: 'canary seconds',
    RECOVERY_SECONDS: '0',
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

test('an address with a version, and a token with the word before it, are what they are without', () => {
  const plain = { DISCORD_TOKEN: 'token', OPENAI_API_KEY: 'key', DISCORD_API_URL: 'http://discord.test/api' };
  const config = readConfig(plain);
  for (const url of ['/v10', '/v10/', '/', '/v9']) {
    const written = { ...plain, DISCORD_TOKEN: ' Bot token', DISCORD_API_URL: plain.DISCORD_API_URL + url };
    assert.deepEqual(readConfig(written), config, url);
  }
});

test('the ceiling of all budgets is that of a server for which nobody decided anything as well', () => {
  const required = { DISCORD_TOKEN: 'token', OPENAI_API_KEY: 'key' };
  const defaultBudget = (settings: Record<string, string>): string =>
    formatUsd(readConfig({ ...required, ...settings }).DEFAULT_GUILD_BUDGET_USD, 2);
  assert.equal(defaultBudget({}), '$10.00');
  assert.equal(defaultBudget({ MAX_GUILD_BUDGET_USD: '5' }), '$5.00');
  assert.equal(defaultBudget({ MAX_GUILD_BUDGET_USD: '50' }), '$10.00');
  assert.equal(defaultBudget({ DEFAULT_GUILD_BUDGET_USD: '30', MAX_GUILD_BUDGET_USD: '25.50' }), '$25.50');
  assert.equal(defaultBudget({ MAX_GUILD_BUDGET_USD: '0' }), '$0.00');
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

test('a store that cannot be reached ends the start, and says which setting it was, without its password', async (t) => {
  const stage = await setStage(t);
  for (const scheme of ['postgres', 'redis']) {
    const storeUrl = `${scheme}://easel:canary%2Fpassword@127.0.0.1:1/0`;
    const environment = stage.environment({ STORE_URL: storeUrl, LOG_LEVEL: 'trace' });
    const { exitCode, output } = await runBotToItsEnd({ environment });
    assert.equal(exitCode, EXIT_FAILURE);
    assert.match(output, /could not be opened: check that STORE_URL.*ECONNREFUSED/);
    assert.doesNotMatch(output, /canary/);
  }
  assert.deepEqual(stage.discord.gateway.connectedSessions(), []);
});

test('a store in memory is for one bot at a time, which says how little it keeps', async (t) => {
  const stage = await setStage(t, { environment: { STORE_URL: 'memory:' } });
  const bot = await stage.startBot();
  assert.match(bot.output, /forgotten when this process ends/);
  const { exitCode, output } = await runBotToItsEnd({ environment: stage.environment() });
  assert.equal(exitCode, EXIT_FAILURE);
  assert.match(output, /another process uses this store/);
});

test('a password in STORE_URL is a secret, however it is written', () => {
  assert.deepEqual(new Set(secretsIn('rediss://:can%2Fary@redis.example:6380/1')), new Set(['can%2Fary', 'can/ary']));
  assert.deepEqual(
    new Set(secretsIn('postgresql:///ledger?host=/run/postgresql&user=easel&password=can%2Fary')),
    new Set(['can%2Fary', 'can/ary']),
  );
  assert.deepEqual(secretsIn('postgres://easel@db.example/ledger'), []);
  assert.deepEqual(secretsIn('sqlite:/data/easel:sqlite@1'), []);
});

function secretsIn(storeUrl: string): readonly string[] {
  const required = { DISCORD_TOKEN: 'token', OPENAI_API_KEY: 'key' };
  return secretsOf(readConfig({ ...required, STORE_URL: storeUrl })).filter((secret) => !/^(token|key)$/.test(secret));
}
