import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { InputFile } from './image-provider.ts';

/**
 * How much is sent at once. Every piece goes through the streams of the SDK, of undici and of the socket, which takes
 * longer than to send a kilobyte: as one piece for each field and 256 kB of a file, an edit was 31 of them, and is 3.
 */
const PIECE_SIZE_BYTES = 1024 * 1024;

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

type OpenFile = { readonly handle: FileHandle; readonly sizeBytes: number };
type OpenPart = { readonly head: Buffer; readonly file?: OpenFile };

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
    body: readPieces(listSections(parts, tail), sizeBytes),
    close,
  };
}

const LINE_END = Buffer.from('\r\n');

async function openPart(field: FormField, boundary: string): Promise<OpenPart> {
  const start = `--${boundary}\r\ncontent-disposition: form-data; name="${escapeParameter(field.name)}"`;
  if ('value' in field) return { head: Buffer.from(`${start}\r\n\r\n${field.value}`) };
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

/** What the form is made of, one behind the other. */
function listSections(parts: readonly OpenPart[], tail: Buffer): readonly (Buffer | OpenFile)[] {
  return [...parts.flatMap(({ head, file }) => [head, ...(file === undefined ? [] : [file]), LINE_END]), tail];
}

/** The sections as pieces of one size, whatever begins or ends within one; only the last piece is smaller. */
async function* readPieces(sections: readonly (Buffer | OpenFile)[], sizeBytes: number): AsyncGenerator<Uint8Array> {
  let remainingBytes = sizeBytes;
  let piece = Buffer.alloc(0);
  let filledBytes = 0;
  for (const section of sections) {
    const sectionBytes = 'handle' in section ? section.sizeBytes : section.length;
    for (let position = 0; position < sectionBytes;) {
      if (filledBytes === piece.length) {
        // A new buffer each time: the socket still holds the former one.
        piece = Buffer.allocUnsafeSlow(Math.min(PIECE_SIZE_BYTES, remainingBytes));
        filledBytes = 0;
      }
      const lengthBytes = Math.min(sectionBytes - position, piece.length - filledBytes);
      const place = piece.subarray(filledBytes, filledBytes + lengthBytes);
      const readBytes = await readSection(section, position, place);
      position += readBytes;
      filledBytes += readBytes;
      remainingBytes -= readBytes;
      if (filledBytes === piece.length) yield piece;
    }
  }
}

/** Fills a place from a section, or a part of it. @returns how many bytes were written */
async function readSection(section: Buffer | OpenFile, position: number, place: Buffer): Promise<number> {
  if (!('handle' in section)) return section.copy(place, 0, position);
  const { bytesRead } = await section.handle.read(place, 0, place.length, position);
  if (bytesRead === 0) throw new Error('A picture became shorter while it was being sent.');
  return bytesRead;
}

/** As browsers do it: https://html.spec.whatwg.org/#multipart-form-data */
function escapeParameter(value: string): string {
  return value.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}
