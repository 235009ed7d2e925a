/**
 * A small multipart/form-data reader. It keeps what a strict server has to judge and ordinary readers smooth over:
 * whether a part had a file name, and which content type it truly stated.
 */

export type Part = {
  readonly name: string;
  /** Undefined where the part stated none; such a part is a plain field. */
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
};

const headerEnd = '\r\n\r\n';
const partCountMax = 64;

/** Thrown for a body that is not multipart/form-data. */
export class MalformedMultipart extends Error {
  override readonly name = 'MalformedMultipart';
}

function parameterOf(header: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(header);
  return match?.[1];
}

function readPart(block: Buffer): Part {
  const end = block.indexOf(headerEnd);
  if (end < 0) throw new MalformedMultipart('A part has no end of its headers.');
  const headers = new Map<string, string>();
  for (const line of block.toString('utf8', 0, end).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const disposition = headers.get('content-disposition') ?? '';
  const name = parameterOf(disposition, 'name');
  if (!disposition.startsWith('form-data') || name === undefined) {
    throw new MalformedMultipart('A part has no form-data name.');
  }
  return {
    name,
    filename: parameterOf(disposition, 'filename'),
    contentType: headers.get('content-type')?.split(';')[0]?.trim().toLowerCase(),
    bytes: block.subarray(end + headerEnd.length),
  };
}

/**
 * Splits a body into its parts, in order, without copying their bytes.
 * @throws {MalformedMultipart}
 */
export function readMultipart(body: Buffer, contentType: string): Part[] {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const delimiter = boundary?.[1] ?? boundary?.[2];
  if (delimiter === undefined) throw new MalformedMultipart('The content type has no boundary.');
  const opening = `--${delimiter}`;
  if (!body.subarray(0, opening.length).equals(Buffer.from(opening))) {
    throw new MalformedMultipart('The body does not begin with its boundary.');
  }
  const parts: Part[] = [];
  let position = opening.length;
  while (body.toString('latin1', position, position + 2) === '\r\n') {
    const next = body.indexOf(`\r\n${opening}`, position);
    if (next < 0) throw new MalformedMultipart('The last part does not end.');
    if (parts.length === partCountMax) throw new MalformedMultipart(`There are more than ${partCountMax} parts.`);
    parts.push(readPart(body.subarray(position + 2, next)));
    position = next + 2 + opening.length;
  }
  if (body.toString('latin1', position, position + 2) !== '--') {
    throw new MalformedMultipart('The closing boundary is missing.');
  }
  return parts;
}
