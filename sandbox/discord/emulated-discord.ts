import { once } from 'node:events';
import type { Server } from 'node:http';
import { createApplicationRoutes } from './application-routes.ts';
import { createCallbackRoutes } from './callback-routes.ts';
import { Cdn } from './cdn.ts';
import { createChanges, waitForChange } from './changes.ts';
import { createChannelRoutes } from './channel-routes.ts';
import { createGuildRoutes } from './guild-routes.ts';
import type { EmulatedClock } from './clock.ts';
import { createEmulatedClock } from './clock.ts';
import type { RegisteredCommand } from './command-registry.ts';
import { CommandRegistry } from './command-registry.ts';
import type { Faults } from './faults.ts';
import { createFaults } from './faults.ts';
import { Gateway } from './gateway.ts';
import type { GatewaySession } from './gateway-session.ts';
import type { WaitOptions } from './interaction-handle.ts';
import { InteractionStore } from './interaction.ts';
import { MemberClient } from './member-client.ts';
import type { MemberMessageOptions, UploadOptions } from './member-files.ts';
import { postAsMember, uploadAttachment } from './member-files.ts';
import type { EmulatedAttachment, EmulatedMessage } from './message.ts';
import { MessageStore } from './message-store.ts';
import { createOpenApiCheck } from './open-api.ts';
import type { LoggedRequest, Violation } from './request-log.ts';
import { createDiscordServer } from './server.ts';
import { createSnowflakeSource } from './snowflake.ts';
import type { EmulatorState } from './state.ts';
import { createEmulatorState } from './state.ts';
import { createWebhookRoutes } from './webhook-routes.ts';
import type { EmulatedChannel, EmulatedGuild, EmulatedUser } from './world.ts';
import { World } from './world.ts';

export type EmulatedDiscordOptions = {
  /** The port on 127.0.0.1; a free one when absent. */
  readonly port?: number;
  readonly botName?: string;
  /** The token that bots must present. */
  readonly botToken?: string;
  /** Path of Discord's OpenAPI description; when given, every request body is also checked against it. */
  readonly openApiPath?: string;
  /** Real time in milliseconds since the Unix epoch. */
  readonly realNow?: () => number;
};

/** Discord on 127.0.0.1: what bots connect to over HTTP and WebSocket, and the members' side in process. */
export type EmulatedDiscord = {
  /** For the bot's REST option `api`, such as `http://127.0.0.1:41234/api`. */
  readonly apiUrl: string;
  /** Origin of every attachment's address. */
  readonly cdnOrigin: string;
  readonly gatewayUrl: string;
  readonly botToken: string;
  readonly applicationId: string;
  readonly clock: EmulatedClock;
  /** Guilds, channels, roles, users and members: add and change them here. */
  readonly world: World;
  readonly faults: Faults;
  /** Sessions, reconnects and broken connections. */
  readonly gateway: Gateway;
  /** What members do: commands, buttons, selects, modals. */
  readonly members: MemberClient;
  readonly requests: readonly LoggedRequest[];
  readonly violations: readonly Violation[];
  /** The actions of `members`, at hand: see MemberClient. */
  readonly invoke: MemberClient['invoke'];
  readonly autocomplete: MemberClient['autocomplete'];
  readonly messageMenu: MemberClient['messageMenu'];
  readonly click: MemberClient['click'];
  readonly select: MemberClient['select'];
  readonly submitModal: MemberClient['submitModal'];
  uploadAttachment(options: UploadOptions): EmulatedAttachment;
  /** An address for the attachment that works for a day of the emulator's clock. */
  attachmentUrl(attachment: EmulatedAttachment): string;
  postAsMember(options: MemberMessageOptions): EmulatedMessage;
  /** A message as it now stands, deleted or not. */
  message(id: string): EmulatedMessage | undefined;
  /** The messages of a channel that exist now, oldest first, private ones included (see `visibleTo`). */
  channelMessages(channel: EmulatedChannel): EmulatedMessage[];
  /** The messages between the bot and a user. */
  directMessages(user: EmulatedUser): EmulatedMessage[];
  registeredCommands(): readonly RegisteredCommand[];
  /** Removes the bot from a guild; sessions with the Guilds intent hear GUILD_DELETE. */
  removeGuild(guild: EmulatedGuild): void;
  /** Resolves once a bot is connected and identified whose session is none of those in `besides`. */
  botConnected(options?: WaitOptions & { readonly besides?: readonly GatewaySession[] }): Promise<void>;
  /** Resolves with the first value of `probe` that is neither undefined nor false; rejects after `timeoutMs` of real time. */
  waitFor<T>(probe: () => T | undefined | false, timeoutMs?: number): Promise<T>;
  /** Calls `listener` whenever something may have changed, until the returned function is called. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
};

const DEFAULT_BOT_TOKEN = 'MTI3MDAwMDAwMDAwMDAwMDAwMQ.Emul8d.a-token-that-opens-nothing-but-the-emulator';
const DEFAULT_WAIT_MS = 5000;
/** Signs CDN addresses; a fixed one, because nothing here is secret. */
const CDN_SECRET = 'emulated-cdn';

/** Starts an emulated Discord; resolves once it listens. */
export async function createEmulatedDiscord(options: EmulatedDiscordOptions = {}): Promise<EmulatedDiscord> {
  const state = createState(options);
  const now = (): number => state.clock.now();
  const faults = createFaults();
  const requests: LoggedRequest[] = [];
  const violations: Violation[] = [];
  let origin = '';
  const gatewayUrl = (): string => origin.replace('http', 'ws');
  const gateway = new Gateway({ ...state, url: gatewayUrl });
  const server = createDiscordServer({
    ...state,
    routes: [
      ...createApplicationRoutes(state, gateway),
      ...createCallbackRoutes(state),
      ...createWebhookRoutes(state),
      ...createChannelRoutes(state),
      ...createGuildRoutes(state),
    ],
    faults,
    requests,
    violations,
    now,
    checkOpenApi: options.openApiPath === undefined ? undefined : createOpenApiCheck(options.openApiPath),
  });
  server.on('upgrade', (request, stream, head) => gateway.accept(request, stream, head));
  origin = await listen(server, options.port ?? 0);
  state.cdn.origin = origin;
  return {
    ...describeWorld(state, gateway),
    apiUrl: `${origin}/api`,
    cdnOrigin: origin,
    gatewayUrl: gatewayUrl(),
    faults,
    gateway,
    requests,
    violations,
    close: async () => {
      gateway.close();
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function createState(options: EmulatedDiscordOptions): EmulatorState {
  const clock = createEmulatedClock(options.realNow);
  const now = (): number => clock.now();
  const nextId = createSnowflakeSource(now);
  const changes = createChanges();
  const world = new World(nextId, options.botName ?? 'Easel');
  const cdn = new Cdn({ now, nextId, secret: CDN_SECRET });
  return createEmulatorState({
    // A bot's user and its application have had the same id since 2016.
    applicationId: world.bot.id,
    botToken: options.botToken ?? DEFAULT_BOT_TOKEN,
    clock,
    nextId,
    changes,
    world,
    cdn,
    messages: new MessageStore({ world, cdn, changes, now, nextId }),
    interactions: new InteractionStore(),
    commands: new CommandRegistry(nextId),
  });
}

/** The members' side and what can be looked at. */
function describeWorld(state: EmulatorState, gateway: Gateway) {
  const members = new MemberClient(state, gateway);
  const channelMessages = (channel: EmulatedChannel): EmulatedMessage[] =>
    state.messages.all().filter(({ channelId, deletedAtMs }) => channelId === channel.id && deletedAtMs === undefined);
  return {
    botToken: state.botToken,
    applicationId: state.applicationId,
    clock: state.clock,
    world: state.world,
    members,
    invoke: members.invoke.bind(members),
    autocomplete: members.autocomplete.bind(members),
    messageMenu: members.messageMenu.bind(members),
    click: members.click.bind(members),
    select: members.select.bind(members),
    submitModal: members.submitModal.bind(members),
    uploadAttachment: (upload: UploadOptions) => uploadAttachment(state, upload),
    attachmentUrl: (attachment: EmulatedAttachment) => state.cdn.signedUrl(attachment),
    postAsMember: (message: MemberMessageOptions) => postAsMember(state, message),
    message: (id: string) => state.messages.getEver(id),
    channelMessages,
    directMessages: (user: EmulatedUser) => channelMessages(state.world.directChannel(user)),
    registeredCommands: () => state.commands.all(),
    removeGuild(guild: EmulatedGuild) {
      guild.botPresent = false;
      gateway.dispatchGuildEvent('GUILD_DELETE', guild.id, { id: guild.id });
      state.changes.announce();
    },
    async botConnected({
      timeoutMs = DEFAULT_WAIT_MS,
      besides = [],
    }: WaitOptions & { readonly besides?: readonly GatewaySession[] } = {}) {
      const isThere = (): boolean => gateway.connectedSessions().some((session) => !besides.includes(session));
      await waitForChange(state.changes, isThere, () => 'a connected bot', timeoutMs);
    },
    waitFor: <T>(probe: () => T | undefined | false, timeoutMs = DEFAULT_WAIT_MS): Promise<T> =>
      waitForChange(state.changes, probe, () => probe.name || 'a condition', timeoutMs),
    onChange: (listener: () => void) => state.changes.subscribe(listener),
  };
}

async function listen(server: Server, port: number): Promise<string> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The emulator has no port.');
  return `http://127.0.0.1:${address.port}`;
}
