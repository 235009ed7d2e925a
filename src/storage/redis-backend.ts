import KeyvRedis, { createClient } from '@keyv/redis';
import type { AtomicChange, Backend, StoreLog } from './backend.ts';
import { requireText } from './backend.ts';
import { withinDeadline } from './deadline.ts';

const CONNECT_WAIT_MS_MAX = 5_000;
const ANSWER_WAIT_MS_MAX = 5_000;
const RECONNECT_PAUSE_MS_MAX = 2_000;
const FIRST_RECONNECT_PAUSE_MS = 50;

/**
 * Compare-and-set of several keys. Runs as one step on the server: nobody else comes between the comparison and the
 * writes. Keyv's own `set` can neither compare nor write two keys at once.
 */
const COMMIT_SCRIPT = `
local current = redis.call('GET', KEYS[1])
if ARGV[1] == 'absent' then
  if current then return 0 end
elseif current ~= ARGV[2] then
  return 0
end
for index = 2, #KEYS do redis.call('SET', KEYS[index], ARGV[index + 1]) end
return 1
`;

/**
 * Redis or Valkey: safe among many processes on many machines, as long as it never evicts a key and writes every
 * command to disk before it answers.
 */
export async function openRedisBackend(url: string, namespace: string, log: StoreLog): Promise<Backend> {
  const client = await connect(url, log);
  // Both, or a failed write would be reported as done.
  const adapter = new KeyvRedis<string>(client, { throwOnConnectError: true, throwOnErrors: true });
  adapter.namespace = namespace;

  /** Whatever does not answer is cut off, so that the next one gets a connection that may be better. */
  async function answered<Result>(attempt: () => Promise<Result>): Promise<Result> {
    return withinDeadline(ANSWER_WAIT_MS_MAX, attempt, () => {
      log.warn('Redis does not answer; the connection is given up and made anew');
      if (client.isOpen) client.destroy();
    });
  }

  async function commit({ guardKey, expected, rows }: AtomicChange): Promise<boolean> {
    // A connection that was given up is made anew by whoever comes first.
    await adapter.getClient();
    const nameOf = (key: string): string => adapter.createKeyPrefix(key, namespace);
    const answer = await client.eval(COMMIT_SCRIPT, {
      keys: [nameOf(guardKey), ...rows.map(({ key }) => nameOf(key))],
      arguments: [expected === undefined ? 'absent' : 'present', expected ?? '', ...rows.map(({ value }) => value)],
    });
    return answer === 1;
  }

  return {
    readText: async (key) => requireText(key, await answered(async () => adapter.get(key))),
    async readTexts(keys) {
      const answers = await answered(async () => adapter.getMany([...keys]));
      return keys.map((key, index) => requireText(key, answers[index]));
    },
    commitTexts: async (change) => answered(async () => commit(change)),
    async remove(key) {
      await answered(async () => adapter.delete(key));
    },
    weaknesses: async () => answered(async () => findWeaknesses(client)),
    close: async () => answered(async () => adapter.disconnect()),
  };
}

type RedisClient = Awaited<ReturnType<typeof connect>>;

async function connect(url: string, log: StoreLog) {
  let wasReady = false;
  let isLost = false;
  const client = createClient({
    url,
    // Without a connection every command fails at once; it would otherwise wait for one for ever.
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_WAIT_MS_MAX,
      // Whoever could never be reached is a mistake to be told of; whoever was lost comes back.
      reconnectStrategy: (retries, cause) => (wasReady ? pauseBeforeReconnect(retries) : cause),
    },
  });
  client.on('error', (error: unknown) => {
    if (wasReady && !isLost)
      log.warn({ err: error }, 'the connection to Redis is lost; requests are denied without it');
    isLost = true;
  });
  client.on('ready', () => {
    if (wasReady && isLost) log.info('the connection to Redis is back');
    wasReady = true;
    isLost = false;
  });
  await client.connect();
  return client;
}

function pauseBeforeReconnect(retries: number): number {
  const pauseMs = Math.min(FIRST_RECONNECT_PAUSE_MS * 2 ** retries, RECONNECT_PAUSE_MS_MAX);
  return pauseMs * (1 - Math.random() / 2);
}

/** What Redis has to be told in its own settings before it can be trusted with money. */
const DURABLE_SETTINGS = [
  { name: 'maxmemory-policy', wanted: 'noeviction', danger: 'budgets and bills can be evicted' },
  { name: 'appendonly', wanted: 'yes', danger: 'what was booked is lost when Redis goes down' },
  { name: 'appendfsync', wanted: 'always', danger: 'what was booked last can be lost when Redis goes down' },
] as const;

async function findWeaknesses(client: RedisClient): Promise<string[]> {
  const names = DURABLE_SETTINGS.map(({ name }) => name);
  const settings = await readSettings(client, names);
  if (!settings) {
    const wanted = DURABLE_SETTINGS.map((setting) => `${setting.name} ${setting.wanted}`).join(', ');
    return [`Redis does not let its settings be read, so they could not be checked: make sure of ${wanted}`];
  }
  return DURABLE_SETTINGS.filter(({ name, wanted }) => settings.get(name) !== wanted).map(
    ({ name, wanted, danger }) =>
      `Redis runs with ${name} ${settings.get(name) ?? 'unknown'}: ${danger}; set ${name} ${wanted}`,
  );
}

/** The settings by name; undefined where the server keeps them to itself, as those of many hosts do. */
async function readSettings(
  client: RedisClient,
  names: readonly string[],
): Promise<ReadonlyMap<string, string | undefined> | undefined> {
  try {
    const settings = new Map<string, string | undefined>();
    // One by one, because before version 7 there was no asking for several.
    for (const name of names) settings.set(name, (await client.configGet(name))[name]);
    return settings;
  } catch {
    return undefined;
  }
}
