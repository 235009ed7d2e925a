import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { IncomingBody, ReadBody, TakeBytes, Taken } from './incoming-body.ts';

/** What `identity` asks not to be sent, for the gateways that do not listen. */
const DECOMPRESSORS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
]);

/** @returns how to read a body as it was before it was compressed for the way */
export function decompress(body: IncomingBody, contentEncoding: string | string[] | undefined): ReadBody {
  const createDecompressor = DECOMPRESSORS.get(String(contentEncoding ?? '').toLowerCase());
  if (createDecompressor === undefined) return async (take) => body.read(take);
  return async (take) => readThrough(body, createDecompressor(), take);
}

/**
 * What becomes of the body becomes of what is unpacked, for as long as somebody takes it. Behind that nothing is read any
 * more, and a connection that breaks then has broken nothing.
 */
async function readThrough(body: IncomingBody, decompressor: Transform, take: TakeBytes): Promise<void> {
  const feeding = body.read(async (bytes): Promise<Taken> => {
    // Where the other end is over, it tells why, and the callback may bring the same as an error.
    await new Promise((resolve) => void decompressor.write(bytes, resolve));
    return 'more';
  });
  feeding.then(
    () => decompressor.end(),
    (error: Error) => decompressor.destroy(error),
  );
  try {
    await takeAll(decompressor, take);
  } finally {
    decompressor.destroy();
    body.close();
  }
}

async function takeAll(decompressor: Transform, take: TakeBytes): Promise<void> {
  for await (const bytes of decompressor) {
    if ((await take(bytes)) === 'enough') return;
  }
}
