import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';

/** Node's own HTTP client, with nothing on top. */

const agent = new Agent({ keepAlive: true });

export type Answer = { readonly status: number; readonly headers: IncomingMessage['headers'] };

/** Sends what it is given, piece by piece, and hands on what comes back while it arrives. */
export async function exchange(
  method: string,
  url: string,
  options: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: readonly (string | Buffer)[];
    readonly onChunk?: (chunk: Buffer) => void;
  } = {},
): Promise<Answer> {
  const { headers = {}, body = [], onChunk } = options;
  return new Promise((resolve, reject) => {
    const lengthBytes = body.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
    const sending = request(url, { method, agent, headers: { ...headers, 'content-length': String(lengthBytes) } });
    sending.on('error', reject);
    sending.on('response', (response) => {
      const answer = { status: response.statusCode ?? 0, headers: response.headers };
      response.on('data', (chunk: Buffer) => onChunk?.(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (answer.status < 300) resolve(answer);
        else reject(new Error(`${method} ${url} was answered ${answer.status}`));
      });
    });
    for (const piece of body) sending.write(piece);
    sending.end();
  });
}

export async function sendJson(method: string, url: string, body: unknown): Promise<void> {
  await exchange(method, url, { headers: { 'content-type': 'application/json' }, body: [JSON.stringify(body)] });
}

/** A whole body, for what is as long as its header says. */
export async function download(url: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await exchange('GET', url, { onChunk: (chunk) => void chunks.push(chunk) });
  return Buffer.concat(chunks);
}

export type FormPart = { readonly name: string; readonly filename?: string; readonly type?: string } & {
  readonly value: string | Buffer;
};

const BOUNDARY = 'bench-3f1c8a5e0d7b4c2f';

export function multipart(parts: readonly FormPart[]): { headers: Record<string, string>; body: (string | Buffer)[] } {
  const body = parts.flatMap(({ name, filename, type, value }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    const kind = type === undefined ? '' : `\r\ncontent-type: ${type}`;
    return [`--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${file}${kind}\r\n\r\n`, value, '\r\n'];
  });
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: [...body, `--${BOUNDARY}--\r\n`],
  };
}
