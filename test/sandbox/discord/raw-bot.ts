import { WebSocket } from 'ws';
import { createChanges, waitForChange } from '../../../sandbox/discord/changes.ts';
import type { EmulatedDiscord } from '../../../sandbox/discord/emulated-discord.ts';

/** A gateway event or operation as it came over the wire. */
export type ReceivedOperation = {
  readonly op: number;
  readonly t: string | null;
  readonly s: number | null;
  readonly d: unknown;
};

/** A bot reduced to the wire: one gateway connection whose messages are kept. */
export type RawBot = {
  readonly received: readonly ReceivedOperation[];
  /** The close code, once the connection has ended. */
  closeCode(): number | undefined;
  events(name: string): ReceivedOperation[];
  send(op: number, d: unknown): void;
  waitFor<T>(probe: () => T | undefined | false, what: string): Promise<T>;
  close(code?: number): void;
};

const WAIT_MS = 2000;

/** Opens a connection without identifying. */
export function openGateway(discord: EmulatedDiscord): RawBot {
  const socket = new WebSocket(`${discord.gatewayUrl}?v=10&encoding=json`);
  const changes = createChanges();
  const received: ReceivedOperation[] = [];
  let closeCode: number | undefined;
  socket.on('message', (data: Buffer) => {
    received.push(JSON.parse(data.toString('utf8')));
    changes.announce();
  });
  socket.on('close', (code) => {
    closeCode = code;
    changes.announce();
  });
  return {
    received,
    closeCode: () => closeCode,
    events: (name) => received.filter(({ t }) => t === name),
    send: (op, d) => socket.send(JSON.stringify({ op, d })),
    waitFor: (probe, what) => waitForChange(changes, probe, () => what, WAIT_MS),
    close: (code) => socket.close(code),
  };
}

/** Opens a connection and identifies; resolves at READY. */
export async function connectRawBot(
  discord: EmulatedDiscord,
  options: { intents?: number; shard?: [number, number] } = {},
): Promise<RawBot> {
  const bot = openGateway(discord);
  await bot.waitFor(() => bot.received.some(({ op }) => op === 10), 'HELLO');
  bot.send(2, {
    token: discord.botToken,
    intents: options.intents ?? 0,
    properties: { os: 'linux', browser: 'raw', device: 'raw' },
    ...(options.shard === undefined ? {} : { shard: options.shard }),
  });
  await bot.waitFor(() => bot.events('READY').length > 0, 'READY');
  return bot;
}

/** An answer of the REST interface. */
export type RawAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON body, or undefined for an empty one. */
  readonly body: unknown;
};

/** Calls the REST interface as the bot; with `files`, as multipart. */
export async function call(
  discord: EmulatedDiscord,
  method: string,
  path: string,
  json?: unknown,
  files: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[] = [],
  authorization = `Bot ${discord.botToken}`,
): Promise<RawAnswer> {
  const headers: Record<string, string> = { authorization };
  let body: FormData | string | undefined;
  if (files.length > 0) {
    const form = new FormData();
    files.forEach(({ name, bytes }, index) => form.append(`files[${index}]`, new Blob([bytes]), name));
    form.append('payload_json', JSON.stringify(json ?? {}));
    body = form;
  } else if (json !== undefined) {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(json);
  }
  const response = await fetch(`${discord.apiUrl}/v10${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** What stands in a JSON value at a path of keys and indices; undefined where the path leads nowhere. */
export function at(json: unknown, ...path: readonly (string | number)[]): unknown {
  let node = json;
  for (const step of path) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = Object.getOwnPropertyDescriptor(node, step)?.value;
  }
  return node;
}

/** The status and JSON code of an answer, for one comparison. */
export function verdict(answer: RawAnswer): { status: number; code: unknown } {
  return { status: answer.status, code: at(answer.body, 'code') };
}

/** The body of a successful answer; throws with the refusal otherwise. */
export function successBody(answer: RawAnswer): unknown {
  if (answer.status !== 200) throw new Error(JSON.stringify(answer));
  return answer.body;
}
