/**
 * The outer structure of PNG, JPEG and WebP files: enough of it to tell what a file carries besides its pixels,
 * to leave that out without decoding a single one of them, and mostly to know that the pixels are all there.
 *
 * All of this happens on the event loop, so it ends early in a file that was made to hold that up: one of 50 MB has room
 * for twelve million empty parts. It then counts as malformed, and is left to a decoder, which works on another thread.
 *
 * Sources: the PNG specification (W3C, third edition), ITU-T T.81 (JPEG), the WebP container specification.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
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

/** So many parts are looked at, in 10 ms. The usual encoder of PNG has 8 KB in each, which makes 6,400 of 50 MiB. */
const PARTS_MAX = 10_000;
/**
 * So many stuffed bytes and restart markers are looked at in the scans of a JPEG, in 15 ms. Encoders leave up to 215,000
 * of them in 50 MiB, about as many as chance does.
 */
const SCAN_ESCAPES_MAX = 400_000;

/** How much is checked or copied between two turns of the event loop, in 1 to 3 ms. */
const TURN_BYTES = 4 * 1024 * 1024;

/** Walks the chunks of a PNG, and stops where the file is cut or malformed. */
export function* pngChunks(bytes: Buffer): Generator<PngChunk> {
  let start = PNG_SIGNATURE_BYTES;
  for (let count = 0; count < PARTS_MAX && start + PNG_CHUNK_OVERHEAD_BYTES <= bytes.length; count += 1) {
    const end = start + PNG_CHUNK_OVERHEAD_BYTES + bytes.readUInt32BE(start);
    if (end > bytes.length) return;
    yield { type: bytes.toString('latin1', start + 4, start + 8), start, end };
    start = end;
  }
}

/** Walks the segments of the first picture in a JPEG file, and stops where the file is cut or malformed. */
export function* jpegSegments(bytes: Buffer): Generator<JpegSegment> {
  let start = 2;
  let escapesLeft = SCAN_ESCAPES_MAX;
  for (let count = 0; count < PARTS_MAX && start + 2 <= bytes.length && bytes[start] === 0xff; count += 1) {
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
      const scan = measureScan(bytes, end, escapesLeft);
      if (scan === undefined) return;
      escapesLeft -= scan.escapes;
      start = scan.end;
      yield { marker: JPEG_SCAN_DATA, start: end, end: start };
    }
  }
}

/**
 * Inside scan data a 0xff is followed by zero (a stuffed byte) or by a restart marker; anything else ends it.
 * @returns undefined where there are more of these than the scan may still have.
 */
function measureScan(
  bytes: Buffer,
  from: number,
  escapesMax: number,
): { readonly end: number; readonly escapes: number } | undefined {
  let at = bytes.indexOf(0xff, from);
  for (let escapes = 0; escapes <= escapesMax; escapes += 1) {
    if (at === -1 || at + 1 >= bytes.length) return { end: bytes.length, escapes };
    const next = bytes.readUInt8(at + 1);
    const isRestart = next >= 0xd0 && next <= 0xd7;
    if (next !== 0x00 && !isRestart) return { end: at, escapes };
    at = bytes.indexOf(0xff, at + 2);
  }
  return undefined;
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
export async function withoutMetadata(format: 'png' | 'jpeg' | 'webp', bytes: Buffer): Promise<PlainFile | undefined> {
  const plain = { png: plainPng, jpeg: plainJpeg, webp: plainWebp } as const;
  return await plain[format](bytes);
}

async function plainPng(bytes: Buffer): Promise<PlainFile | undefined> {
  if (bytes.length < PNG_SIGNATURE_BYTES + PNG_CHUNK_OVERHEAD_BYTES + 13) return undefined;
  const isTruecolor = PNG_TRUECOLOR_TYPES.includes(bytes.readUInt8(PNG_COLOR_TYPE_OFFSET));
  if (!isTruecolor || bytes.readUInt8(PNG_BIT_DEPTH_OFFSET) !== 8) return undefined;

  const kept: Stretch[] = [{ start: 0, end: PNG_SIGNATURE_BYTES }];
  let turnEnd = TURN_BYTES;
  for (const chunk of pngChunks(bytes)) {
    const { type } = chunk;
    // A transparent colour is part of what the pixels mean, and has no place in a plain file. What is damaged need not
    // be of the type that it says, so a decoder has to look at it.
    if (type === 'tRNS' || !isIntact(bytes, chunk)) return undefined;
    if (type === 'IHDR' || type === 'IDAT' || type === 'IEND') keep(kept, chunk);
    if (type === 'IEND') return { bytes: await join(kept, bytes), isProvenWhole: true };
    if (chunk.end >= turnEnd) {
      turnEnd = chunk.end + TURN_BYTES;
      await nextTurn();
    }
  }
  return undefined;
}

/** Whether a chunk is what its checksum says; 2 MB take half a millisecond. */
function isIntact(bytes: Buffer, { start, end }: PngChunk): boolean {
  const checksumAt = end - PNG_CHECKSUM_BYTES;
  return crc32(bytes.subarray(start + PNG_LENGTH_BYTES, checksumAt)) === bytes.readUInt32BE(checksumAt);
}

async function plainJpeg(bytes: Buffer): Promise<PlainFile | undefined> {
  const kept: Stretch[] = [{ start: 0, end: 2 }];
  let isSequential = false;
  let scans = 0;
  for (const segment of jpegSegments(bytes)) {
    if (isNeededForPixels(segment)) keep(kept, segment);
    isSequential ||= JPEG_SEQUENTIAL_FRAMES.includes(segment.marker);
    if (segment.marker === JPEG_START_OF_SCAN) scans += 1;
    if (segment.marker === JPEG_END_OF_IMAGE) {
      return { bytes: await join(kept, bytes), isProvenWhole: isSequential && scans === 1 };
    }
  }
  return undefined;
}

/** Parts of a file that follow on each other; offsets are in bytes. */
type Stretch = { readonly start: number; readonly end: number };

/** Thousands of parts are mostly a single stretch, for there is hardly ever anything to leave out between them. */
function keep(kept: Stretch[], { start, end }: Stretch): void {
  const last = kept.at(-1);
  if (last?.end === start) kept[kept.length - 1] = { start: last.start, end };
  else kept.push({ start, end });
}

/** Where nothing was left out, the whole is returned as it is, and takes no more memory. */
async function join(kept: readonly Stretch[], whole: Buffer): Promise<Buffer> {
  return sizeBytesOf(kept) === whole.length ? whole : await copyOf(kept, whole);
}

async function copyOf(kept: readonly Stretch[], whole: Buffer): Promise<Buffer> {
  const copy = Buffer.allocUnsafe(sizeBytesOf(kept));
  let filled = 0;
  let turnEnd = TURN_BYTES;
  for (const { start, end } of kept) {
    for (let from = start; from < end; from += TURN_BYTES) {
      filled += whole.copy(copy, filled, from, Math.min(from + TURN_BYTES, end));
      if (filled < turnEnd) continue;
      turnEnd = filled + TURN_BYTES;
      await nextTurn();
    }
  }
  return copy;
}

function sizeBytesOf(kept: readonly Stretch[]): number {
  return kept.reduce((sum, { start, end }) => sum + end - start, 0);
}

function isNeededForPixels({ marker, start, end }: JpegSegment): boolean {
  // JFIF and Adobe headers say which colour model the components are in.
  if (marker === JPEG_APP0) return end - start === JFIF_PLAIN_BYTES;
  if (marker === JPEG_APP14) return true;
  return marker !== JPEG_COMMENT && (marker < JPEG_APP0 || marker > JPEG_APP15);
}

async function plainWebp(bytes: Buffer): Promise<PlainFile | undefined> {
  if (bytes.length < 20) return undefined;
  // The simple forms hold one chunk of pixels; everything else, alpha beside lossy pixels too, is the extended form.
  const chunk = bytes.toString('latin1', 12, 16);
  if (chunk !== 'VP8 ' && chunk !== 'VP8L') return undefined;
  const chunkBytes = bytes.readUInt32LE(16);
  const end = 20 + chunkBytes + (chunkBytes % 2);
  if (end > bytes.length) return undefined;
  const plain = await copyOf([{ start: 0, end }], bytes);
  plain.writeUInt32LE(end - 8, 4);
  return { bytes: plain, isProvenWhole: false };
}
