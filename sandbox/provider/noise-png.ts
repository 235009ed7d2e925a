/** PNG files of any exact weight, for load tests: noise where there are pixels to fill, padding beyond. */
import { randomFillSync } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';
import type { ImageSize } from './model-catalogue.ts';

const deflateAsync = promisify(deflate);

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const bytesPerPixel = 3;
const chunkOverheadBytes = 12;
const serialBytes = 4;

/** A private, ancillary chunk, which decoders skip. */
const paddingChunk = 'paDd';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function header({ width, height }: ImageSize): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  const bitDepth = 8;
  const colourTypeRgb = 2;
  data.set([bitDepth, colourTypeRgb, 0, 0, 0], 8);
  return chunk('IHDR', data);
}

/** Rows of RGB, of which as many begin as noise as it takes to reach the weight; noise does not compress. */
async function pixels({ width, height }: ImageSize, noiseBytes: number): Promise<Buffer> {
  const rowBytes = 1 + width * bytesPerPixel;
  const raw = Buffer.alloc(rowBytes * height);
  randomFillSync(raw, 0, Math.min(noiseBytes, raw.length));
  // The first byte of each row names its filter; 0 is none.
  for (let row = 0; row < height; row += 1) raw[row * rowBytes] = 0;
  return deflateAsync(raw, { level: 1 });
}

/** Room for headers, for the compressed rest of the picture, and for the serial number. */
function reservedBytes(size: ImageSize): number {
  const compressedRestMax = Math.ceil((size.width * size.height * bytesPerPixel) / 100);
  return 1024 + compressedRestMax;
}

export type NoisePngSource = {
  /** @throws {RangeError} when the weight is too small for the picture */
  make(size: ImageSize): Promise<Buffer>;
};

/**
 * A source of PNG files that weigh exactly `sizeBytes`. The costly part is made once for each picture size, the
 * latest only is kept; a serial number makes every file different from all others.
 */
export function createNoisePngSource(sizeBytes: number): NoisePngSource {
  let kept: { readonly key: string; readonly body: Promise<Buffer> } | undefined;
  let serial = 0;

  async function makeBody(size: ImageSize): Promise<Buffer> {
    const noiseBytes = Math.max(0, sizeBytes - reservedBytes(size));
    const data = chunk('IDAT', await pixels(size, noiseBytes));
    const parts = [signature, header(size), data];
    const tailBytes = chunkOverheadBytes + serialBytes + chunkOverheadBytes;
    const written = parts.reduce((sum, part) => sum + part.length, 0) + tailBytes;
    const padding = sizeBytes - written - chunkOverheadBytes;
    if (padding < 0)
      throw new RangeError(`A PNG of ${size.width}x${size.height} does not fit into ${sizeBytes} bytes.`);
    return Buffer.concat([...parts, chunk(paddingChunk, randomFillSync(Buffer.alloc(padding)))]);
  }

  return {
    async make(size) {
      const key = `${size.width}x${size.height}`;
      if (kept?.key !== key) kept = { key, body: makeBody(size) };
      const body = await kept.body;
      serial += 1;
      const serialData = Buffer.alloc(serialBytes);
      serialData.writeUInt32BE(serial);
      return Buffer.concat([body, chunk(paddingChunk, serialData), chunk('IEND', Buffer.alloc(0))]);
    },
  };
}
