/**
 * Measures the one file in a multipart body as it arrives, and keeps nothing of it but its two ends: what is measured
 * is the bot, so the judge must be cheap.
 */
export type UploadMeter = {
  take(chunk: Buffer): void;
  /** The file's length, or what is wrong with the upload. */
  end(): number | string;
};

/** Ahead of a file stands no more than the message as JSON, and behind it neither. */
const END_BYTES_MAX = 16 * 1024;
const FILE_HEAD = /filename="[^"]*"[^]*?\r\n\r\n/;
const PNG_BEGINNING = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PNG_END = Buffer.from([0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);

export function createUploadMeter(contentType: string): UploadMeter {
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/.exec(contentType);
  const separator = `\r\n--${boundary?.[1] ?? boundary?.[2] ?? ''}`;
  let head = Buffer.alloc(0);
  let tail: Buffer[] = [];
  let sizeBytes = 0;

  return {
    take(chunk) {
      sizeBytes += chunk.length;
      if (head.length < END_BYTES_MAX) head = Buffer.concat([head, chunk.subarray(0, END_BYTES_MAX)]);
      tail.push(chunk);
      // Whole chunks are let go of as soon as the ones behind them suffice.
      let behind = tail.reduce((sum, { length }) => sum + length, 0);
      while (tail.length > 1 && behind - (tail[0]?.length ?? 0) >= END_BYTES_MAX) behind -= tail.shift()?.length ?? 0;
    },
    end() {
      const found = FILE_HEAD.exec(head.toString('latin1'));
      if (!found) return 'an upload without a file';
      const begin = found.index + found[0].length;
      const last = Buffer.concat(tail);
      tail = [];
      const endInTail = last.indexOf(separator, Math.max(0, begin - (sizeBytes - last.length)));
      if (endInTail < 0) return 'an upload without an end';
      const isPng =
        head.subarray(begin, begin + PNG_BEGINNING.length).equals(PNG_BEGINNING) &&
        last.subarray(endInTail - PNG_END.length, endInTail).equals(PNG_END);
      return isPng ? sizeBytes - last.length + endInTail - begin : 'an upload that is no whole PNG';
    },
  };
}
