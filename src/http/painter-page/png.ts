import type { Mask } from './mask.ts';

/**
 * The mask as a PNG: transparent where the picture may change. It is written here, bit by bit, because browsers that
 * protect their people from being recognised change the pixels that a page reads back from a canvas.
 */
export async function encodeMask(mask: Mask): Promise<Blob> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, mask.width);
  header.setUint32(4, mask.height);
  header.setUint8(8, BIT_DEPTH);
  header.setUint8(9, PALETTE);
  return new Blob(
    [
      SIGNATURE,
      chunk('IHDR', new Uint8Array(header.buffer)),
      chunk('PLTE', COLOURS),
      chunk('tRNS', ALPHA_OF_COLOURS),
      chunk('IDAT', await compress(rowsOf(mask))),
      chunk('IEND', new Uint8Array()),
    ],
    { type: 'image/png' },
  );
}

type Bytes = Uint8Array<ArrayBuffer>;

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const BIT_DEPTH = 1;
const PALETTE = 3;
/** What stays has the colour of the paint: masks in black or white alone could be meant either way. */
const COLOURS = Uint8Array.of(255, 64, 160, 255, 255, 255);
/** The first colour stays and is seen, the second may change and is not. */
const ALPHA_OF_COLOURS = Uint8Array.of(255, 0);

/** Eight pixels a byte, the first in the highest bit, and before each row the word that it is written as it is. */
function rowsOf({ width, height, pixels }: Mask): Bytes {
  const rowLength = 1 + Math.ceil(width / 8);
  const rows = new Uint8Array(rowLength * height);
  for (let y = 0; y < height; y += 1) {
    const start = y * rowLength + 1;
    for (let x = 0; x < width; x += 1) {
      if (pixels[y * width + x] === 1) rows[start + (x >> 3)] = (rows[start + (x >> 3)] ?? 0) | (0x80 >> (x & 7));
    }
  }
  return rows;
}

/** In the form that PNG wants, which is the one that browsers call by the name of what is inside. */
async function compress(bytes: Bytes): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The length of what is inside, a name, what is inside, and a checksum of both. */
function chunk(name: string, content: Bytes): Bytes {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, checksum(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

/** CRC-32, as PNG has it. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
