import { WebSocket } from 'ws';
import { BENCH_MODEL } from '../protocol.ts';
import { download, exchange, multipart, sendJson } from './http-client.ts';
import type { PictureReader } from './picture-reader.ts';
import { createPictureReader } from './picture-reader.ts';

/**
 * The least that a bot can do: acknowledge, call, decode, post. It has no limits, no retries, no ledger and no library
 * but the one for the gateway's connection, and it is what the others are measured against.
 */

/** What a relay does beside relaying. The leanest one does nothing. */
export type Durability = {
  /** Leaves a durable fact, as one step of a transfer. */
  commit(interactionId: string, step: 'reserve' | 'dispatch' | 'post' | 'deliver'): void;
  /** Puts a picture on disk before it is used, and looks at what it is. */
  keep(interactionId: string, name: string, bytes: Buffer): Promise<void>;
  /** The pictures of this command are not needed any more. */
  forget(interactionId: string): Promise<void>;
};

const OPCODE = { dispatch: 0, heartbeat: 1, identify: 2, hello: 10, heartbeatAck: 11 } as const;

type Interaction = {
  readonly id: string;
  readonly token: string;
  readonly application_id: string;
  readonly data: {
    readonly name: string;
    readonly options: readonly { readonly name: string; readonly value: string }[];
    readonly resolved?: { readonly attachments: Readonly<Record<string, { readonly url: string }>> };
  };
};

type Payload =
  | { readonly op: typeof OPCODE.hello; readonly t: null; readonly d: { readonly heartbeat_interval: number } }
  | { readonly op: typeof OPCODE.heartbeatAck; readonly t: null }
  | { readonly op: typeof OPCODE.dispatch; readonly t: 'READY' | 'GUILD_CREATE' }
  | { readonly op: typeof OPCODE.dispatch; readonly t: 'INTERACTION_CREATE'; readonly d: Interaction };

export async function startRelay(durability: Durability): Promise<void> {
  const api = `${process.env['DISCORD_API_URL']}/v10`;
  const provider = process.env['OPENAI_BASE_URL'] ?? '';
  const authorization = `Bearer ${process.env['OPENAI_API_KEY']}`;

  async function answer(interaction: Interaction): Promise<void> {
    const { id, token, application_id: application, data } = interaction;
    await sendJson('POST', `${api}/interactions/${id}/${token}/callback`, { type: 5 });
    const reply = `${api}/webhooks/${application}/${token}/messages/@original`;
    if (data.name === 'quota') return sendJson('PATCH', reply, { content: 'You have used nothing.' });

    durability.commit(id, 'reserve');
    const call = data.name === 'edit' ? await editCall(interaction) : imagineCall(interaction);
    durability.commit(id, 'dispatch');
    const reader = await makePicture(call);
    const picture = reader.picture();
    await durability.keep(id, 'image', picture);
    durability.commit(id, 'post');
    const form = multipart([
      { name: 'payload_json', type: 'application/json', value: JSON.stringify({ attachments: [{ id: '0' }] }) },
      { name: 'files[0]', filename: 'image.png', type: 'image/png', value: picture },
    ]);
    await exchange('PATCH', reply, form);
    reader.letGo();
    await durability.forget(id);
    durability.commit(id, 'deliver');
  }

  async function editCall({ id, data }: Interaction): Promise<Call> {
    const fetchPicture = async (name: string): Promise<Buffer> => {
      const bytes = await download(data.resolved?.attachments[optionOf(data, name)]?.url ?? '');
      await durability.keep(id, name, bytes);
      return bytes;
    };
    const [image, mask] = await Promise.all([fetchPicture('image'), fetchPicture('mask')]);
    const form = multipart([
      { name: 'model', value: BENCH_MODEL },
      { name: 'prompt', value: optionOf(data, 'prompt') },
      { name: 'image', filename: 'image.jpg', type: 'image/jpeg', value: image },
      { name: 'mask', filename: 'mask.png', type: 'image/png', value: mask },
    ]);
    return { path: '/images/edits', ...form };
  }

  async function makePicture({ path, headers, body }: Call): Promise<PictureReader> {
    let reader: PictureReader | undefined;
    await exchange('POST', `${provider}${path}`, {
      headers: { ...headers, authorization },
      body,
      onChunk: (chunk) => (reader ??= createPictureReader()).take(chunk),
    });
    if (reader === undefined) throw new Error('the answer was empty');
    return reader;
  }

  connect(await gatewayUrl(api), (interaction) => void answer(interaction).catch(endBadly));
}

type Call = { path: string; headers: Record<string, string>; body: (string | Buffer)[] };

function imagineCall({ data }: Interaction): Call {
  const body = { model: BENCH_MODEL, prompt: optionOf(data, 'prompt'), size: '1024x1024', quality: 'medium' };
  return {
    path: '/images/generations',
    headers: { 'content-type': 'application/json' },
    body: [JSON.stringify(body)],
  };
}

function connect(url: string, onInteraction: (interaction: Interaction) => void): void {
  const socket = new WebSocket(url);
  socket.on('error', endBadly);
  socket.on('message', (data: Buffer) => {
    const payload: Payload = JSON.parse(data.toString());
    if (payload.op === OPCODE.hello) {
      const beat = (): void => socket.send(JSON.stringify({ op: OPCODE.heartbeat, d: null }));
      setInterval(beat, payload.d.heartbeat_interval);
      const properties = { os: 'linux', browser: 'bench', device: 'bench' };
      const identity = { token: process.env['DISCORD_TOKEN'], intents: 0, properties };
      socket.send(JSON.stringify({ op: OPCODE.identify, d: identity }));
    }
    if (payload.t === 'READY') console.log('ready');
    if (payload.t === 'INTERACTION_CREATE') onInteraction(payload.d);
  });
}

async function gatewayUrl(api: string): Promise<string> {
  const answer: { readonly url: string } = JSON.parse((await download(`${api}/gateway/bot`)).toString());
  return answer.url;
}

function optionOf(data: Interaction['data'], name: string): string {
  return data.options.find((option) => option.name === name)?.value ?? '';
}

function endBadly(error: unknown): never {
  console.error(error);
  process.exit(1);
}
