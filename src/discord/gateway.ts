import type { Interaction, RESTOptions } from 'discord.js';
import { Client, Events, Options, Status } from 'discord.js';
import type { Logger } from 'pino';
import { within } from '../services/time-limit.ts';
import { untilAborted } from '../services/until-aborted.ts';
import { keepToken } from './discord-rest.ts';
import type { GatewayInformation } from './gateway-address.ts';
import { askPatientlyForGateway } from './gateway-address.ts';
import { explainClose, explainLoginFailure, GatewayError } from './gateway-error.ts';
import { fillInteractionGaps } from './interaction-gaps.ts';

/** The live connection through which Discord tells of commands. */
export type Gateway = {
  /**
   * Connects, with as many shards as Discord recommends, and waits until commands can come in on all of them.
   * @returns undefined where it was left before that
   * @throws {GatewayError} when Discord refuses the token, is not there for a minute, or is there and does not let us in
   */
  connect(): Promise<Entered | undefined>;
  /** Whether events are coming in right now, from every server. */
  isConnected(): boolean;
  /** Stops the intake, also where it has not begun yet. Replies do not need the connection. */
  disconnect(): Promise<void>;
};

export type Entered = {
  readonly applicationId: string;
  /** Over so many connections Discord spreads the servers. */
  readonly shards: number;
};

/** With one shard. Every further turn of identifying adds its own. */
const LOGIN_WAIT_MS_MAX = 30_000;
/** Discord lets as many shards in as it says, every five seconds; the library adds up to one and a half to that. */
const IDENTIFY_TURN_MS_MAX = 6_500;
/** To say goodbye takes a moment. */
const LEAVING_WAIT_MS_MAX = 2_000;

/**
 * The way into Discord. No intent is asked for, because interactions need none, and nothing is cached: what a command
 * needs comes with it.
 */
export function createGateway(options: {
  token: string;
  rest: Partial<RESTOptions>;
  /** Called from the first shard on, while others may not be in yet. */
  onInteraction: (interaction: Interaction) => void;
  /** The connection is lost for good, for example because the token was revoked. Told why once. */
  onLost: (reason: string) => void;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): Gateway {
  const { token, sleep, log } = options;
  const client = new Client({ intents: [], shards: 'auto', rest: options.rest, makeCache: createEmptyCaches() });
  // Told of a packet just before the library reads it.
  client.on(Events.Raw, (packet: unknown) => fillInteractionGaps(packet, client.application?.id));
  const leaving = new AbortController();
  client.on(Events.InteractionCreate, (interaction) => {
    // A shard that was left while it was let in comes back once more.
    if (!leaving.signal.aborted) options.onInteraction(interaction);
  });
  logEvents(client, log);

  const refused = Promise.withResolvers<never>();
  // Nobody listens before and after the connection is made.
  refused.promise.catch(() => undefined);
  let lose = (error: GatewayError): void => refused.reject(error);
  // The library gives up a shard only where Discord will not have it back; the others would go on as if it were not missed.
  client.once(Events.ShardDisconnect, ({ code }) => lose(new GatewayError(explainClose(code, client.ws.shards.size))));

  return {
    async connect() {
      const ready = await untilAborted(leaving.signal, async () => {
        const told = askPatientlyForGateway(client.rest, { leaving: leaving.signal, sleep, log });
        return login(client, { token, refused: refused.promise, told });
      });
      if (!ready) return undefined;
      lose = ({ message }) => options.onLost(message);
      keepToken(ready.rest);
      return { applicationId: ready.application.id, shards: ready.ws.shards.size };
    },
    isConnected: () => client.isReady() && client.ws.shards.every(({ status }) => status === Status.Ready),
    async disconnect() {
      leaving.abort();
      refused.reject(new GatewayError('The gateway was left.'));
      await leave(client);
    },
  };
}

function logEvents(client: Client, log: Logger): void {
  // An error event that nobody hears would end the process.
  client.on(Events.Error, (error) => log.error({ err: error }, 'gateway error'));
  client.on(Events.Warn, (message) => log.warn({ detail: message }, 'gateway warning'));
  client.on(Events.ShardError, (error, shard) => log.warn({ err: error, shard }, 'gateway connection failed'));
  client.on(Events.ShardDisconnect, ({ code }, shard) => log.warn({ code, shard }, 'gateway disconnected'));
  client.on(Events.ShardResume, (shard) => log.info({ shard }, 'gateway resumed'));
}

/**
 * @param attempt.refused rejects when Discord will not have us
 * @param attempt.told when it is known where the gateway is, and the time to be let in begins
 */
async function login(
  client: Client,
  attempt: { token: string; refused: Promise<never>; told: Promise<GatewayInformation> },
): Promise<Client<true>> {
  const { token, refused, told } = attempt;
  let timer: NodeJS.Timeout | undefined;
  const isReady = untilReady(client);
  // The library would wait for ever for a gateway that accepts connections and then says nothing.
  const isTooLate = new Promise<never>((_resolve, reject) => {
    void told.then((information) => {
      const waitMs = loginWaitMs(information);
      timer = setTimeout(() => reject(new GatewayError(explainWait(waitMs))), waitMs);
    });
  });
  try {
    const loggedIn = client.login(token).then(async () => isReady);
    return await Promise.race([refused, loggedIn, isTooLate]);
  } catch (error) {
    await leave(client);
    if (error instanceof GatewayError) throw error;
    throw new GatewayError(explainLoginFailure(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Closes the connections. Where one of them still waits for the gateway's first words, the library connects it anew and
 * never comes to an end of closing it, so that it is not waited for any longer than all others need.
 */
async function leave(client: Client): Promise<void> {
  await within(LEAVING_WAIT_MS_MAX, async () => client.destroy());
}

function loginWaitMs({ shards, session_start_limit: limit }: GatewayInformation): number {
  const turns = Math.ceil(shards / limit.max_concurrency);
  return LOGIN_WAIT_MS_MAX + (turns - 1) * IDENTIFY_TURN_MS_MAX;
}

function explainWait(waitMs: number): string {
  return (
    `Discord's gateway did not let us in within ${Math.ceil(waitMs / 1_000)} seconds. ` +
    'Check DISCORD_API_URL, the network, and https://discordstatus.com, then start again.'
  );
}

/** Resolves when every shard has been let in. */
async function untilReady(client: Client): Promise<Client<true>> {
  // The library keeps commands back until the last shard is in, and that is longer than anybody's command lives.
  client.once(Events.ShardReady, () => client.ws['triggerClientReady']());
  const letIn = new Set<number>();
  return new Promise((resolve) => {
    client.on(Events.ShardReady, (shard) => {
      letIn.add(shard);
      if (client.isReady() && letIn.size === client.ws.shards.size) resolve(client);
    });
  });
}

function createEmptyCaches() {
  return Options.cacheWithLimits({
    ...Options.DefaultMakeCacheSettings,
    ApplicationCommandManager: 0,
    DMMessageManager: 0,
    GuildMemberManager: 0,
    GuildMessageManager: 0,
    MessageManager: 0,
    PresenceManager: 0,
    ThreadManager: 0,
    // The bot's own user is the one entry that the library cannot do without.
    UserManager: { maxSize: 1, keepOverLimit: (user) => user.id === user.client.user.id },
    VoiceStateManager: 0,
  });
}
