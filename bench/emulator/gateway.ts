import type { Server } from 'node:http';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { APPLICATION_ID, BOT_USER, guildCreate, guildId } from './world.ts';

/** As much of Discord's gateway as it takes to keep a bot connected and to hand it commands. */
export type BenchGateway = {
  dispatch(name: string, data: unknown): void;
};

const OPCODE = { dispatch: 0, heartbeat: 1, identify: 2, hello: 10, heartbeatAck: 11 } as const;
const HEARTBEAT_INTERVAL_MS = 41_250;
const INTENT_GUILDS = 1;

type Payload = { readonly op?: number; readonly d?: { readonly intents?: number } };

/** Serves the bot that came last, in one shard, however many servers it is in. */
export function createGateway(server: Server, guilds: () => number): BenchGateway {
  const sockets = new WebSocketServer({ server, path: '/gateway' });
  let current: WebSocket | undefined;
  let sequence = 0;

  function send(socket: WebSocket, name: string, data: unknown): void {
    sequence += 1;
    socket.send(JSON.stringify({ op: OPCODE.dispatch, s: sequence, t: name, d: data }));
  }

  function letIn(socket: WebSocket, intents: number): void {
    current = socket;
    const indexes = Array.from({ length: guilds() }, (_, index) => index);
    send(socket, 'READY', {
      v: 10,
      user: BOT_USER,
      guilds: indexes.map((index) => ({ id: guildId(index), unavailable: true })),
      session_id: 'bench',
      resume_gateway_url: 'ws://127.0.0.1:9',
      application: { id: APPLICATION_ID, flags: 0 },
      shard: [0, 1],
    });
    if ((intents & INTENT_GUILDS) === 0) return;
    for (const index of indexes) send(socket, 'GUILD_CREATE', guildCreate(index));
  }

  sockets.on('connection', (socket) => {
    socket.send(JSON.stringify({ op: OPCODE.hello, d: { heartbeat_interval: HEARTBEAT_INTERVAL_MS } }));
    socket.on('message', (data: Buffer) => {
      const payload: Payload = JSON.parse(data.toString());
      if (payload.op === OPCODE.heartbeat) socket.send(JSON.stringify({ op: OPCODE.heartbeatAck }));
      if (payload.op === OPCODE.identify) letIn(socket, payload.d?.intents ?? 0);
    });
  });

  return {
    dispatch(name, data) {
      if (!current) throw new Error('no bot is connected');
      send(current, name, data);
    },
  };
}
