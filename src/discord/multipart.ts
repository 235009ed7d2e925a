import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';

const CHUNK_BYTES = 256 * 1024;
/** Discord limits a whole request, too; some room is left for everything that is not a file. */
const REQUEST_BYTES_MAX = 25 * 1024 * 1024;
const REQUEST_OVERHEAD_BYTES = 64 * 1024;

/** What all files of one message may take together. */
export const REQUEST_FILES_BYTES_MAX = REQUEST_BYTES_MAX - REQUEST_OVERHEAD_BYTES;

/** A file that goes up with a message. */
export type Upload = {
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Opens it from its beginning; once for every attempt to send it. */
  readonly open: () => AsyncIterable<Uint8Array>;
};

export function uploadFromFile(path: string, file: Omit<Upload, 'open'>): Upload {
  return { ...file, open: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }) };
}

export function uploadFromBytes(name: string, contentType: string, bytes: Uint8Array): Upload {
  return { name, contentType, sizeBytes: bytes.length, open: () => Readable.from([bytes]) };
}

/** A request body that is read while it is sent. It can be read once. */
export type MultipartBody = {
  readonly headers: { readonly 'content-type': string; readonly 'content-length': string };
  readonly body: AsyncIterable<Uint8Array>;
};

/**
 * A message with files in the form that Discord takes. Files go from disk to the socket in pieces: however large a
 * result is, it never stands in memory whole.
 */
export function createMultipart(payload: unknown, uploads: readonly Upload[]): MultipartBody {
  const boundary = `easel-${randomUUID()}`;
  const open = (headers: string): string => `--${boundary}\r\n${headers}\r\n\r\n`;
  // What stands between two files goes out in one piece, because every piece is a visit to the socket.
  let text =
    open('content-disposition: form-data; name="payload_json"\r\ncontent-type: application/json') +
    `${JSON.stringify(payload)}\r\n`;
  const parts = uploads.map((upload, index) => {
    const { name, contentType } = upload;
    const disposition = `content-disposition: form-data; name="files[${index}]"; filename="${name}"`;
    const before = Buffer.from(text + open(`${disposition}\r\ncontent-type: ${contentType}`));
    text = '\r\n';
    return { before, upload };
  });
  const end = Buffer.from(`${text}--${boundary}--\r\n`);
  const partsBytes = parts.reduce((sum, { before, upload }) => sum + before.length + upload.sizeBytes, 0);

  async function* write(): AsyncGenerator<Uint8Array> {
    for (const { before, upload } of parts) {
      yield before;
      yield* upload.open();
    }
    yield end;
  }

  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(partsBytes + end.length),
    },
    body: write(),
  };
}
