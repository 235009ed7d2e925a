import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Changes } from './changes.ts';
import { GATEWAY_CLOSE, GATEWAY_OPCODE, GatewaySession, sendOperation } from './gateway-session.ts';
import type { EmulatedGuild, World } from './world.ts';
import type { WireObject } from './world-wire.ts';
import { guildToWire, userToWire } from './world-wire.ts';

/** The interval Discord itself asks for. */
const HEARTBEAT_INTERVAL_MS = 41_250;
/** Sessions whose clients vanished are forgotten once so many newer ones exist. */
const SESSIONS_MAX = 100;
const INTENT_GUILDS = 1 << 0;
/** Members, presences and message content need approval. */
const PRIVILEGED_INTENTS = (1 << 1) | (1 << 8) | (1 << 15);
/** Bits 0 to 16, 20, 21, 24 and 25 are intents. */
const KNOWN_INTENTS = 0x1ffff | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);
/** A guild's shard is (id >> 22) modulo the number of shards. */
const SHARD_SHIFT = 22n;
/** No shard serves more; Discord recommends as many as leave each of them room to grow. */
const GUILDS_PER_SHARD_MAX = 2_500;
const GUILDS_PER_SHARD_RECOMMENDED = 1_000;

const identifyData = z.object({
  token: z.string(),
  intents: z.number().int().min(0),
  properties: z.object({ os: z.string(), browser: z.string(), device: z.string() }),
  shard: z.tuple([z.number().int().min(0), z.number().int().min(1)]).optional(),
});
const resumeData = z.object({ token: z.string(), session_id: z.string(), seq: z.number().int().min(0) });
const payload = z.object({ op: z.number().int(), d: z.unknown() });

/** To which sessions an event goes: the one that identified last, or every connected one of the shard. */
export type Delivery = 'latest' | 'all';

export type GatewayOptions = {
  readonly world: World;
  readonly changes: Changes;
  readonly applicationId: string;
  readonly botToken: string;
  /** Where clients find this gateway again to resume. */
  readonly url: () => string;
};

/** The WebSocket side of Discord, for any number of bot processes at once. */
export class Gateway {
  /** Set to false and new connections are closed before HELLO, as by a gateway that is being restarted. */
  greetsClients = true;
  /** Whether whoever identifies is let in; otherwise they hear nothing. */
  letsClientsIn = true;
  /** Whoever identifies for more guilds than that is told that sharding is required. */
  guildsPerShardMax = GUILDS_PER_SHARD_MAX;
  /** How many shards Discord recommends, where it is not left to the number of guilds. */
  shardsRecommended: number | undefined;
  /** How many shards may identify within five seconds. */
  concurrentIdentifiesMax = 1;
  /** How an interaction goes out. Other emulations of Discord leave things out of it that Discord never does. */
  writeInteraction: (interaction: unknown) => unknown = (interaction) => interaction;
  readonly #options: GatewayOptions;
  readonly #server = new WebSocketServer({ noServer: true });
  #sessions: GatewaySession[] = [];

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** Takes over an HTTP upgrade. */
  accept(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, stream, head, (socket) => this.#greet(socket));
  }

  /** Where clients find this gateway. */
  url(): string {
    return this.#options.url();
  }

  /** How many shards a bot had better open. */
  recommendShards(): number {
    const guilds = this.#guildsOf().length;
    return this.shardsRecommended ?? Math.max(1, Math.ceil(guilds / GUILDS_PER_SHARD_RECOMMENDED));
  }

  /** Sessions with a living connection, the oldest first. */
  connectedSessions(): readonly GatewaySession[] {
    return this.#sessions.filter((session) => session.isConnected);
  }

  /**
   * Sends an event `times` times and returns how many sessions it went to.
   * A session whose connection broke gets it when it resumes, as long as no connected one is there.
   */
  dispatch(
    name: string,
    data: unknown,
    options: { guildId?: string | undefined; delivery?: Delivery; times?: number } = {},
  ): number {
    const inShard = this.#sessions.filter((session) => isInShard(session, options.guildId));
    const connected = inShard.filter((session) => session.isConnected);
    const reachable = connected.length > 0 ? connected : inShard;
    const targets = options.delivery === 'all' ? reachable : reachable.slice(-1);
    const written = name === 'INTERACTION_CREATE' ? this.writeInteraction(data) : data;
    for (const session of targets) {
      for (let count = 0; count < (options.times ?? 1); count += 1) session.dispatch(name, written);
    }
    return targets.length;
  }

  /** Sends a guild event to every session that asked for guilds. */
  dispatchGuildEvent(name: string, guildId: string, data: WireObject): void {
    for (const session of this.#sessions) {
      const wantsGuilds = (session.intents & INTENT_GUILDS) !== 0;
      if (wantsGuilds && isInShard(session, guildId)) session.dispatch(name, data);
    }
  }

  /** Asks every client to reconnect and resume. */
  requestReconnect(): void {
    for (const session of this.connectedSessions()) session.send(GATEWAY_OPCODE.reconnect, null);
  }

  /** Tells every client that its session is gone; a resumable one may come back. */
  invalidateSessions(options: { resumable: boolean }): void {
    for (const session of this.connectedSessions()) session.send(GATEWAY_OPCODE.invalidSession, options.resumable);
    if (!options.resumable) this.#sessions = [];
  }

  /** Cuts every connection without a word; the sessions stay resumable. */
  cutConnections(): void {
    for (const session of this.connectedSessions()) session.cut();
  }

  close(): void {
    this.#sessions = [];
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #greet(socket: WebSocket): void {
    if (!this.greetsClients) return socket.close(1001);
    sendOperation(socket, GATEWAY_OPCODE.hello, { heartbeat_interval: HEARTBEAT_INTERVAL_MS, _trace: [] });
    let session: GatewaySession | undefined;
    socket.on('message', (message) => {
      const parsed = payload.safeParse(parseMessage(message));
      if (!parsed.success) return socket.close(GATEWAY_CLOSE.decodeError, 'Error while decoding payload.');
      const { op, d } = parsed.data;
      switch (op) {
        case GATEWAY_OPCODE.heartbeat:
          return sendOperation(socket, GATEWAY_OPCODE.heartbeatAck, null);
        case GATEWAY_OPCODE.identify:
          if (session !== undefined) return socket.close(GATEWAY_CLOSE.alreadyAuthenticated, 'Already authenticated.');
          if (this.letsClientsIn) session = this.#identify(socket, d);
          return;
        case GATEWAY_OPCODE.resume:
          if (session !== undefined) return socket.close(GATEWAY_CLOSE.alreadyAuthenticated, 'Already authenticated.');
          session = this.#resume(socket, d);
          return;
        case GATEWAY_OPCODE.presenceUpdate:
        case GATEWAY_OPCODE.voiceStateUpdate:
        case GATEWAY_OPCODE.requestGuildMembers:
          if (session === undefined) socket.close(GATEWAY_CLOSE.notAuthenticated, 'Not authenticated.');
          return;
        default:
          socket.close(GATEWAY_CLOSE.unknownOpcode, 'Unknown opcode.');
      }
    });
    socket.on('close', (code) => {
      session?.detach(socket);
      // A client that says goodbye (1000 or 1001) ends its session; any other end leaves it resumable.
      if (code === 1000 || code === 1001) this.#sessions = this.#sessions.filter((other) => other !== session);
      this.#options.changes.announce();
    });
    socket.on('error', () => socket.terminate());
  }

  #identify(socket: WebSocket, data: unknown): GatewaySession | undefined {
    const parsed = identifyData.safeParse(data);
    if (!parsed.success) {
      socket.close(GATEWAY_CLOSE.decodeError, 'Error while decoding payload.');
      return undefined;
    }
    const { token, intents, shard } = parsed.data;
    const [shardId, shardCount] = shard ?? [0, 1];
    const refusal = this.#refuseIdentify(token, intents, shardId, shardCount);
    if (refusal !== undefined) {
      socket.close(...refusal);
      return undefined;
    }
    const session = new GatewaySession({ id: randomUUID().replaceAll('-', ''), intents, shardId, shardCount, socket });
    this.#sessions = [...this.#sessions, session].slice(-SESSIONS_MAX);
    this.#welcome(session);
    this.#options.changes.announce();
    return session;
  }

  #refuseIdentify(
    token: string,
    intents: number,
    shardId: number,
    shardCount: number,
  ): [code: number, reason: string] | undefined {
    if (token !== this.#options.botToken) return [GATEWAY_CLOSE.authenticationFailed, 'Authentication failed.'];
    if (shardId >= shardCount) return [GATEWAY_CLOSE.invalidShard, 'Invalid shard.'];
    if ((intents & ~KNOWN_INTENTS) !== 0) return [GATEWAY_CLOSE.invalidIntents, 'Invalid intents.'];
    if ((intents & PRIVILEGED_INTENTS) !== 0) return [GATEWAY_CLOSE.disallowedIntents, 'Disallowed intents.'];
    const served = this.#guildsOf({ shardId, shardCount });
    if (served.length > this.guildsPerShardMax) return [GATEWAY_CLOSE.shardingRequired, 'Sharding required.'];
    return undefined;
  }

  /** The guilds that the bot is in, or those of them that a shard serves. */
  #guildsOf(shard: Shard = { shardId: 0, shardCount: 1 }): EmulatedGuild[] {
    const guilds = [...this.#options.world.guilds.values()];
    return guilds.filter(({ id, botPresent }) => botPresent && isInShard(shard, id));
  }

  #welcome(session: GatewaySession): void {
    const { world, applicationId } = this.#options;
    const guilds = this.#guildsOf(session);
    session.dispatch('READY', {
      v: 10,
      user: { ...userToWire(world.bot), verified: true, mfa_enabled: false, email: null },
      guilds: guilds.map((guild) => ({ id: guild.id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: this.url(),
      session_type: 'normal',
      shard: [session.shardId, session.shardCount],
      application: { id: applicationId, flags: 0 },
      private_channels: [],
      relationships: [],
      user_settings: {},
      _trace: [],
    });
    // The guilds are named to everybody, and told about to those who asked for them.
    if ((session.intents & INTENT_GUILDS) === 0) return;
    for (const guild of guilds) session.dispatch('GUILD_CREATE', guildToWire(world, guild));
  }

  #resume(socket: WebSocket, data: unknown): GatewaySession | undefined {
    const parsed = resumeData.safeParse(data);
    if (!parsed.success) {
      socket.close(GATEWAY_CLOSE.decodeError, 'Error while decoding payload.');
      return undefined;
    }
    if (parsed.data.token !== this.#options.botToken) {
      socket.close(GATEWAY_CLOSE.authenticationFailed, 'Authentication failed.');
      return undefined;
    }
    const session = this.#sessions.find(({ id }) => id === parsed.data.session_id);
    if (session?.resume(socket, parsed.data.seq) !== true) {
      sendOperation(socket, GATEWAY_OPCODE.invalidSession, false);
      return undefined;
    }
    this.#options.changes.announce();
    return session;
  }
}

type Shard = Pick<GatewaySession, 'shardId' | 'shardCount'>;

function isInShard({ shardId, shardCount }: Shard, guildId: string | undefined): boolean {
  return shardId === shardOf(guildId, shardCount);
}

/** The shard that hears of a guild; of direct messages and everything else outside a guild, it is the first one. */
export function shardOf(guildId: string | undefined, shardCount: number): number {
  return guildId === undefined ? 0 : Number((BigInt(guildId) >> SHARD_SHIFT) % BigInt(shardCount));
}

function parseMessage(message: Buffer | ArrayBuffer | Buffer[]): unknown {
  const bytes = Array.isArray(message) ? Buffer.concat(message) : Buffer.from(new Uint8Array(message));
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
