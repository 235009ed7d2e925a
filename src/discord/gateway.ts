import type { Interaction, RESTOptions } from 'discord.js';
import { Client, Events, Options, Status } from 'discord.js';
import type { Logger } from 'pino';
import { keepToken } from './discord-rest.ts';
import { askPatientlyForGateway } from './gateway-address.ts';
import { fillInteractionGaps } from './interaction-gaps.ts';

/** The live connection through which Discord tells of commands. */
export type Gateway = {
  readonly applicationId: string;
  /** Whether events are coming in right now. */
  isConnected(): boolean;
  /** Stops the intake. Replies do not need the connection. */
  disconnect(): Promise<void>;
};

/** The gateway could not be entered. The message says what an operator can do. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
}

const LOGIN_WAIT_MS_MAX = 30_000;

/**
 * Connects and waits until commands can come in. No intent is asked for, because interactions need none, and nothing
 * is cached: what a command needs comes with it.
 * @throws {GatewayError} when Discord refuses the token, is not there for a minute, or is there and does not let us in
 */
export async function connectGateway(options: {
  token: string;
  rest: Partial<RESTOptions>;
  onInteraction: (interaction: Interaction) => void;
  /** The connection is lost for good, for example because the token was revoked. */
  onLost: () => void;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): Promise<Gateway> {
  const { token, log } = options;
  const client = new Client({ intents: [], rest: options.rest, makeCache: createEmptyCaches() });
  // Told of a packet just before the library reads it.
  client.on(Events.Raw, (packet: unknown) => fillInteractionGaps(packet, client.application?.id));
  client.on(Events.InteractionCreate, options.onInteraction);
  client.on(Events.Invalidated, options.onLost);
  // An error event that nobody hears would end the process.
  client.on(Events.Error, (error) => log.error({ err: error }, 'gateway error'));
  client.on(Events.Warn, (message) => log.warn({ detail: message }, 'gateway warning'));
  client.on(Events.ShardError, (error) => log.warn({ err: error }, 'gateway connection failed'));
  client.on(Events.ShardDisconnect, ({ code }) => log.warn({ code }, 'gateway disconnected'));
  client.on(Events.ShardResume, () => log.info('gateway resumed'));

  const ready = await login(client, token, askPatientlyForGateway(client.rest, options));
  keepToken(ready.rest);
  return {
    applicationId: ready.application.id,
    isConnected: () => ready.isReady() && ready.ws.shards.every(({ status }) => status === Status.Ready),
    disconnect: async () => ready.destroy(),
  };
}

/** @param addressTold when it is known where the gateway is, and the time to be let in begins */
async function login(client: Client, token: string, addressTold: Promise<void>): Promise<Client<true>> {
  let timer: NodeJS.Timeout | undefined;
  const isReady = new Promise<Client<true>>((resolve) => client.once(Events.ClientReady, resolve));
  // The library would wait for ever for a gateway that accepts connections and then says nothing.
  const isTooLate = new Promise<never>((_resolve, reject) => {
    const error = new GatewayError(
      `Discord's gateway did not let us in within ${LOGIN_WAIT_MS_MAX / 1_000} seconds. ` +
        'Check DISCORD_API_URL, the network, and https://discordstatus.com, then start again.',
    );
    void addressTold.then(() => (timer = setTimeout(() => reject(error), LOGIN_WAIT_MS_MAX)));
  });
  try {
    const loggedIn = client.login(token).then(async () => isReady);
    return await Promise.race([loggedIn, isTooLate]);
  } catch (error) {
    await client.destroy();
    if (error instanceof GatewayError) throw error;
    throw new GatewayError(explainLoginFailure(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function explainLoginFailure(error: unknown): string {
  const isTokenRefused = error instanceof Error && 'code' in error && error.code === 'TokenInvalid';
  return isTokenRefused
    ? 'Discord refused DISCORD_TOKEN. Copy a new one from the "Bot" page of your application at discord.com/developers.'
    : 'Discord cannot be reached. Check DISCORD_API_URL and the network, then start again.';
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
