import type { AnswerEnd, AnswerReading } from '../../../src/services/providers/image-answer-reader.ts';

/**
 * Hands a body over, cut at the given positions, as a connection would bring it.
 * @param failure how the connection ends after the last byte, where it does not end well
 */
export async function readInPieces(
  reading: AnswerReading,
  bytes: Buffer,
  cuts: readonly number[],
  failure?: Error,
): Promise<AnswerEnd> {
  try {
    let start = 0;
    for (const cut of [...cuts, bytes.length]) {
      if ((await reading.take(bytes.subarray(start, cut))) === 'enough') return reading.finish();
      start = cut;
    }
    if (failure !== undefined) throw failure;
    return reading.finish();
  } finally {
    reading.dispose();
  }
}
