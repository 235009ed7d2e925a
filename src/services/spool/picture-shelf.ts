/**
 * Pictures that came in a moment ago, in memory until they are posted.
 *
 * A result is on disk before it counts, and would be read back twice: its first bytes, to see what it is, and all of
 * it, to send it up. From memory that is ten visits to the disk less for a picture, of which each costs as much as the
 * copying of 200 kB. The buffers are lent again and again, because a new one of this size costs more than filling it;
 * where all are lent, or a picture is larger, the disk serves as well.
 */
export type PictureShelf = {
  /** Lends a buffer of `SHELVED_BYTES_MAX` to gather a picture in; undefined where none is left. */
  lend(): Buffer | undefined;
  /** Takes a buffer back whose picture is not to be kept. */
  giveBack(lent: Buffer): void;
  /** Keeps a picture that is on disk now, in the lent buffer, from its beginning; one that was there before is gone. */
  put(path: string, lent: Buffer, sizeBytes: number): void;
  /** The picture, as long as it is here; not to be used after its folder was cleared. */
  find(path: string): Buffer | undefined;
  /** Lets go of every picture in a folder. */
  clear(folder: string): void;
};

/** Nearly all results are smaller: a picture of 1024 x 1536 pixels has two to three megabytes as a PNG. */
export const SHELVED_BYTES_MAX = 4 * 1024 * 1024;
/**
 * Two come in at a time, and two wait to go out. With six, a hundred in flight were posted no sooner, and while fifty
 * results of 3 MB landed, 20 MB more were in memory. It is only taken for what a picture really fills.
 */
const BUFFERS_MAX = 4;

type Shelved = { readonly lent: Buffer; readonly sizeBytes: number };

export function createPictureShelf(buffersMax: number = BUFFERS_MAX): PictureShelf {
  const free: Buffer[] = [];
  const shelved = new Map<string, Shelved>();
  let madeCount = 0;

  return {
    lend() {
      if (free.length > 0) return free.pop();
      if (madeCount === buffersMax) return undefined;
      madeCount += 1;
      return Buffer.allocUnsafeSlow(SHELVED_BYTES_MAX);
    },
    giveBack: (lent) => void free.push(lent),
    put(path, lent, sizeBytes) {
      const former = shelved.get(path);
      if (former !== undefined) free.push(former.lent);
      shelved.set(path, { lent, sizeBytes });
    },
    find(path) {
      const found = shelved.get(path);
      return found?.lent.subarray(0, found.sizeBytes);
    },
    clear(folder) {
      for (const [path, { lent }] of shelved) {
        if (!path.startsWith(folder)) continue;
        shelved.delete(path);
        free.push(lent);
      }
    },
  };
}
