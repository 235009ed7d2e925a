import type { IncomingMessage } from 'node:http';
import { refusals } from './api-refusal.ts';

/** Discord refuses any request above 25 MiB, whatever the guild's own limit. */
const REQUEST_BYTES_MAX = 25 * 1024 * 1024;

/** A part of a multipart body that carries a file. */
export type UploadedFile = {
  /** n of the part's name `files[n]`. */
  readonly index: number;
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: Buffer;
};

/** A request body as its route sees it. */
export type RequestBody = {
  /** The JSON body, or the `payload_json` part; undefined when there is none. */
  readonly json: unknown;
  readonly files: readonly UploadedFile[];
};

/** Reads the whole body; refuses what is too large (40005) once it is read, so that the client can finish sending. */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('The request stream must not be decoded.');
    sizeBytes += chunk.length;
    if (sizeBytes <= REQUEST_BYTES_MAX) chunks.push(Buffer.from(chunk));
  }
  if (sizeBytes > REQUEST_BYTES_MAX) throw refusals.tooLarge();
  return Buffer.concat(chunks);
}

/** Splits a body by its content type: JSON, or multipart with `payload_json` and `files[n]`. */
export async function parseRequestBody(contentType: string | undefined, bytes: Buffer): Promise<RequestBody> {
  if (bytes.length === 0) return { json: undefined, files: [] };
  if (contentType?.startsWith('multipart/form-data')) return parseMultipart(contentType, bytes);
  return { json: parseJson(bytes.toString('utf8')), files: [] };
}

async function parseMultipart(contentType: string, bytes: Buffer): Promise<RequestBody> {
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => {
      throw refusals.invalidForm([
        { path: [], code: 'INVALID_MULTIPART', message: 'The multipart body is malformed.' },
      ]);
    });
  let json: unknown;
  const files: UploadedFile[] = [];
  for (const [name, value] of form) {
    const index = /^files\[(\d{1,2})\]$/.exec(name)?.[1];
    if (name === 'payload_json') {
      json = parseJson(typeof value === 'string' ? value : await value.text());
    } else if (index !== undefined && typeof value !== 'string') {
      files.push({
        index: Number(index),
        filename: value.name,
        contentType: value.type,
        bytes: Buffer.from(await value.arrayBuffer()),
      });
    } else {
      throw refusals.invalidForm([{ path: [name], code: 'UNKNOWN_PART', message: 'This part has no meaning here.' }]);
    }
  }
  return { json, files };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusals.invalidJson();
  }
}
