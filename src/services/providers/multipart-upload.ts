import { randomUUID } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { InputFile } from './image-provider.ts';

/** How much of a file is read at once. */
const READ_SIZE_BYTES = 256 * 1024;

/** One field of a form. */
export type FormField =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly file: InputFile };

/** A multipart form whose files stay on disk until their bytes are sent. */
export type MultipartUpload = {
  /** `content-type` with the boundary, and `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes of the form; can be read once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the files. */
  close(): Promise<void>;
};

type OpenPart = { readonly head: Buffer; readonly file?: { readonly handle: FileHandle; readonly sizeBytes: number } };

/**
 * Opens every file of a form, so that nothing is sent where one is missing, and measures it.
 * @throws the file system's error, with all files closed again
 */
export async function openMultipartUpload(fields: readonly FormField[]): Promise<MultipartUpload> {
  const boundary = `easel-${randomUUID()}`;
  const parts: OpenPart[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(parts.flatMap(({ file }) => (file === undefined ? [] : [file.handle.close()])));
  };
  try {
    for (const field of fields) {
      parts.push(await openPart(field, boundary));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const tail = Buffer.from(`--${boundary}--\r\n`);
  const sizeBytes = parts.reduce(
    (total, { head, file }) => total + head.length + (file?.sizeBytes ?? 0) + LINE_END.length,
    tail.length,
  );
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': `${sizeBytes}` },
    body: readParts(parts, tail),
    close,
  };
}

const LINE_END = Buffer.from('\r\n');

async function openPart(field: FormField, boundary: string): Promise<OpenPart> {
  const start = `--${boundary}\r\ncontent-disposition: form-data; name="${escapeParameter(field.name)}"`;
  if ('value' in field) {
    return { head: Buffer.from(`${start}\r\n\r\n${field.value}`) };
  }
  const { path, name, contentType } = field.file;
  const head = Buffer.from(`${start}; filename="${escapeParameter(name)}"\r\ncontent-type: ${contentType}\r\n\r\n`);
  const handle = await open(path, 'r');
  try {
    return { head, file: { handle, sizeBytes: (await handle.stat()).size } };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function* readParts(parts: readonly OpenPart[], tail: Buffer): AsyncGenerator<Uint8Array> {
  for (const { head, file } of parts) {
    yield head;
    if (file !== undefined) {
      yield* readFile(file.handle, file.sizeBytes);
    }
    yield LINE_END;
  }
  yield tail;
}

async function* readFile(handle: FileHandle, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let position = 0;
  while (position < sizeBytes) {
    // A new buffer each time: the socket still holds the former one.
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_SIZE_BYTES, sizeBytes - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) {
      throw new Error('A picture became shorter while it was being sent.');
    }
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** As browsers do it: https://html.spec.whatwg.org/#multipart-form-data */
function escapeParameter(value: string): string {
  return value.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}
