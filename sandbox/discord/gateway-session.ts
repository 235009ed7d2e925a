import type { WebSocket } from 'ws';

/** Operations of the gateway protocol, version 10. */
export const GATEWAY_OPCODE = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presenceUpdate: 3,
  voiceStateUpdate: 4,
  resume: 6,
  reconnect: 7,
  requestGuildMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

/** Why the gateway closes a connection (close event codes). */
export const GATEWAY_CLOSE = {
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  sessionTimedOut: 4009,
  invalidShard: 4010,
  shardingRequired: 4011,
  invalidIntents: 4013,
  disallowedIntents: 4014,
} as const;

/** How many events a session keeps for a client that resumes. */
const REPLAY_EVENTS_MAX = 1000;

type DispatchedEvent = {
  readonly sequence: number;
  readonly name: string;
  readonly data: unknown;
};

/** One identified session; it outlives its socket, so that a client can resume it. */
export class GatewaySession {
  readonly id: string;
  readonly intents: number;
  readonly shardId: number;
  readonly shardCount: number;
  #socket: WebSocket | undefined;
  #sequence = 0;
  #events: DispatchedEvent[] = [];

  constructor(options: { id: string; intents: number; shardId: number; shardCount: number; socket: WebSocket }) {
    this.id = options.id;
    this.intents = options.intents;
    this.shardId = options.shardId;
    this.shardCount = options.shardCount;
    this.#socket = options.socket;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** Sends an event, and keeps it for a resume; without a socket it is only kept. */
  dispatch(name: string, data: unknown): void {
    this.#sequence += 1;
    const event: DispatchedEvent = { sequence: this.#sequence, name, data };
    this.#events.push(event);
    if (this.#events.length > REPLAY_EVENTS_MAX) this.#events.shift();
    this.#sendEvent(event);
  }

  /** Takes a new socket and sends everything after `sequence`; false when that is no longer known. */
  resume(socket: WebSocket, sequence: number): boolean {
    const oldest = this.#events[0]?.sequence ?? 1;
    if (sequence > this.#sequence || sequence < oldest - 1) return false;
    this.#socket = socket;
    for (const event of this.#events) if (event.sequence > sequence) this.#sendEvent(event);
    this.dispatch('RESUMED', { _trace: [] });
    return true;
  }

  /** Sends an operation other than an event. */
  send(opcode: number, data: unknown): void {
    if (this.#socket !== undefined) sendOperation(this.#socket, opcode, data);
  }

  detach(socket: WebSocket): void {
    if (this.#socket === socket) this.#socket = undefined;
  }

  /** Cuts the connection without a close frame, as a broken network does. */
  cut(): void {
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  /** Ends the connection with a code of Discord's. */
  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  #sendEvent(event: DispatchedEvent): void {
    if (this.#socket === undefined) return;
    this.#socket.send(JSON.stringify({ op: GATEWAY_OPCODE.dispatch, s: event.sequence, t: event.name, d: event.data }));
  }
}

export function sendOperation(socket: WebSocket, opcode: number, data: unknown): void {
  socket.send(JSON.stringify({ op: opcode, d: data, s: null, t: null }));
}
