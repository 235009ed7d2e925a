/**
 * What a file is, told by its first bytes alone: names and declared types are the sender's claims.
 *
 * Only the kinds named here ever reach a decoder, so nothing that a decoder would also open (SVG with its scripts
 * and links, PDF) gets that far.
 */

import { JPEG_APP2, JPEG_START_OF_SCAN, jpegSegments, pngChunks } from './image-containers.ts';

/**
 * Kinds that can be decoded. `mpo` is a JPEG followed by further pictures (stereo cameras, phones' gain maps),
 * which providers refuse as it is.
 */
export type ReadableKind = 'png' | 'jpeg' | 'mpo' | 'webp' | 'gif' | 'avif' | 'tiff';

/** Images that are known, and are not opened. */
export type UnreadableKind = 'heic' | 'bmp' | 'svg' | 'jxl';

export type RecognizedKind = ReadableKind | UnreadableKind | 'pdf' | 'unknown';

const READABLE_KINDS: readonly string[] = [
  'png',
  'jpeg',
  'mpo',
  'webp',
  'gif',
  'avif',
  'tiff',
] satisfies ReadableKind[];

/** Fixed beginnings; a `?` stands for any byte. */
const SIGNATURES: readonly { readonly kind: RecognizedKind; readonly beginning: string }[] = [
  { kind: 'png', beginning: '\x89PNG\r\n\x1a\n' },
  { kind: 'webp', beginning: 'RIFF????WEBP' },
  { kind: 'gif', beginning: 'GIF87a' },
  { kind: 'gif', beginning: 'GIF89a' },
  { kind: 'tiff', beginning: 'II*\0' },
  { kind: 'tiff', beginning: 'MM\0*' },
  { kind: 'jxl', beginning: '\xff\x0a' },
  { kind: 'jxl', beginning: '\0\0\0\x0cJXL \r\n\x87\n' },
  { kind: 'pdf', beginning: '%PDF-' },
];

const AVIF_BRANDS = ['avif', 'avis'];
const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'msf1'];
/** A file names a handful of brands; more than this many bytes of them is not a picture. */
const BRANDS_BYTES_MAX = 512;

/** The sizes that a bitmap's information header can have, in bytes: they tell it from a text that begins with BM. */
const BMP_HEADER_SIZES_BYTES = [12, 40, 52, 56, 64, 108, 124];

/** How far into a text the `<svg` may be, behind a declaration and comments. */
const SVG_SEARCH_BYTES = 1024;

/** Tells what the bytes are, and never throws: what is too short or strange is `unknown`. */
export function recognizeImage(bytes: Buffer): RecognizedKind {
  const known = SIGNATURES.find(({ beginning }) => beginsWith(bytes, beginning));
  if (known !== undefined) return known.kind;
  if (beginsWith(bytes, '\xff\xd8\xff')) return holdsSeveralPictures(bytes) ? 'mpo' : 'jpeg';
  if (beginsWith(bytes, '????ftyp')) return recognizeBrands(bytes);
  if (beginsWith(bytes, 'BM') && bytes.length >= 18 && BMP_HEADER_SIZES_BYTES.includes(bytes.readUInt32LE(14))) {
    return 'bmp';
  }
  return isSvg(bytes) ? 'svg' : 'unknown';
}

/** Whether a decoder may be given the bytes. */
export function isReadable(kind: RecognizedKind): kind is ReadableKind {
  return READABLE_KINDS.includes(kind);
}

/** The last chunk of a PNG, whose checksum is always the same. */
const PNG_END = Buffer.from('IEND\xae\x42\x60\x82', 'latin1');
const JPEG_END = Buffer.from([0xff, 0xd9]);
/** How much of a RIFF file stands before that which its length counts. */
const RIFF_HEADER_BYTES = 8;

/**
 * Whether a file of this kind reaches as far as its end, told by its outermost bytes alone. Something may stand behind
 * the end, as some encoders pad their files. Of a kind that is not asked for here it is believed.
 */
export function hasEnd(
  kind: RecognizedKind,
  { head, tail, sizeBytes }: { readonly head: Buffer; readonly tail: Buffer; readonly sizeBytes: number },
): boolean {
  switch (kind) {
    case 'png':
      return tail.includes(PNG_END);
    case 'jpeg':
    case 'mpo':
      // Pixels cannot have these two bytes in them.
      return tail.includes(JPEG_END);
    case 'webp': {
      // Some encoders count a byte at the end that evens the length out, and do not write it.
      const missingBytes = RIFF_HEADER_BYTES + head.readUInt32LE(4) - sizeBytes;
      return missingBytes <= 1;
    }
    default:
      return true;
  }
}

/** Whether a PNG carries an animation, which decoders that know only PNG pass over in silence. */
export function isAnimatedPng(bytes: Buffer): boolean {
  for (const { type } of pngChunks(bytes)) {
    if (type === 'acTL') return true;
    if (type === 'IDAT') return false;
  }
  return false;
}

function beginsWith(bytes: Buffer, beginning: string): boolean {
  if (bytes.length < beginning.length) return false;
  for (let index = 0; index < beginning.length; index += 1) {
    if (beginning[index] !== '?' && beginning.charCodeAt(index) !== bytes[index]) return false;
  }
  return true;
}

/** The Multi-Picture Format (CIPA DC-007) announces itself in an APP2 segment ahead of the pixels. */
function holdsSeveralPictures(bytes: Buffer): boolean {
  for (const { marker, start } of jpegSegments(bytes)) {
    if (marker === JPEG_APP2 && bytes.toString('latin1', start + 4, start + 8) === 'MPF\0') return true;
    if (marker === JPEG_START_OF_SCAN) return false;
  }
  return false;
}

/** AVIF and HEIC share a container (ISO/IEC 23008-12); the brands after `ftyp` tell them apart. */
function recognizeBrands(bytes: Buffer): 'avif' | 'heic' | 'unknown' {
  const end = Math.min(bytes.readUInt32BE(0), bytes.length, BRANDS_BYTES_MAX);
  const brands = [bytes.toString('latin1', 8, 12)];
  for (let offset = 16; offset + 4 <= end; offset += 4) brands.push(bytes.toString('latin1', offset, offset + 4));
  // Both kinds may name the common brand mif1, so the one that says AVIF outright is asked first.
  if (brands.some((brand) => AVIF_BRANDS.includes(brand))) return 'avif';
  return brands.some((brand) => HEIC_BRANDS.includes(brand)) ? 'heic' : 'unknown';
}

function isSvg(bytes: Buffer): boolean {
  const text = bytes
    .toString('utf8', 0, SVG_SEARCH_BYTES)
    .replace(/^\uFEFF/, '')
    .trimStart()
    .toLowerCase();
  return text.startsWith('<svg') || (/^<(\?xml|!--|!doctype svg)/.test(text) && text.includes('<svg'));
}
