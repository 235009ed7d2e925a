import { closeSync } from 'node:fs';
import type { Patience } from './durable-file.ts';
import { closeDurably, openToOverwrite, writeAll } from './durable-file.ts';
import type { PictureShelf } from './picture-shelf.ts';
import type { ByteSink } from '../providers/image-provider.ts';

/**
 * Takes a paid picture in. It is gathered in a buffer of the shelf and written at once when it is whole, so its pieces
 * do not wait for the disk; what is too large for that, or finds no buffer, is written as it comes.
 *
 * Whatever waits for room on a full disk waits where it is.
 * @param onFile hears when the file is there, which it never is for a picture that breaks off before it fills its buffer
 */
export function openResultSink(
  path: string,
  shelf: PictureShelf,
  patience: Patience,
  onFile: () => void = () => undefined,
): ByteSink {
  let lent = shelf.lend();
  let sizeBytes = 0;
  let file: number | undefined;

  /** From here on the picture is written as it comes. */
  async function spill(): Promise<number> {
    if (file === undefined) {
      file = await patience(async () => openToOverwrite(path));
      onFile();
    }
    if (lent !== undefined) await writeAll(file, lent.subarray(0, sizeBytes), patience);
    return file;
  }

  function letGo(): void {
    if (lent !== undefined) shelf.giveBack(lent);
    lent = undefined;
  }

  async function writeThrough(bytes: Uint8Array): Promise<void> {
    const opened = await spill();
    letGo();
    await writeAll(opened, bytes, patience);
    sizeBytes += bytes.byteLength;
  }

  return {
    findRoom(wantedBytes) {
      const room = lent?.subarray(sizeBytes);
      return room !== undefined && room.byteLength >= wantedBytes ? room : undefined;
    },
    write(bytes) {
      if (lent === undefined || sizeBytes + bytes.byteLength > lent.byteLength) return writeThrough(bytes);
      const isThere = bytes.buffer === lent.buffer && bytes.byteOffset === lent.byteOffset + sizeBytes;
      if (!isThere) lent.set(bytes, sizeBytes);
      sizeBytes += bytes.byteLength;
      return undefined;
    },
    async close() {
      const opened = await spill();
      // Closed in any case, and its number may be somebody else's then.
      file = undefined;
      await closeDurably(opened, sizeBytes);
      if (lent !== undefined) shelf.put(path, lent, sizeBytes);
      lent = undefined;
    },
    async discard() {
      letGo();
      if (file !== undefined) closeSync(file);
    },
  };
}
