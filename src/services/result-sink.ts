import { closeSync, openSync } from 'node:fs';
import { PRIVATE_FILE_MODE } from '../storage/private-modes.ts';
import { closeDurably, writeAll, type Patience } from './durable-file.ts';
import type { PictureShelf } from './picture-shelf.ts';
import type { ByteSink } from './providers/image-provider.ts';

/**
 * Takes a paid picture in. It is gathered in a buffer of the shelf and written at once when it is whole, so its pieces
 * do not wait for the disk; what is too large for that, or finds no buffer, is written as it comes.
 *
 * Whatever waits for room on a full disk waits where it is.
 */
export function openResultSink(path: string, shelf: PictureShelf, patience: Patience): ByteSink {
  let lent = shelf.lend();
  let gatheredBytes = 0;
  let file: number | undefined;

  /** From here on the picture is written as it comes. */
  async function spill(): Promise<number> {
    file ??= await patience(async () => openSync(path, 'w', PRIVATE_FILE_MODE));
    if (lent !== undefined) await writeAll(file, lent.subarray(0, gatheredBytes), patience);
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
  }

  return {
    findRoom(sizeBytes) {
      const room = lent?.subarray(gatheredBytes);
      return room !== undefined && room.byteLength >= sizeBytes ? room : undefined;
    },
    write(bytes) {
      if (lent === undefined || gatheredBytes + bytes.byteLength > lent.byteLength) return writeThrough(bytes);
      const isThere = bytes.buffer === lent.buffer && bytes.byteOffset === lent.byteOffset + gatheredBytes;
      if (!isThere) lent.set(bytes, gatheredBytes);
      gatheredBytes += bytes.byteLength;
      return undefined;
    },
    async close() {
      const opened = await spill();
      // Closed in any case, and its number may be somebody else's then.
      file = undefined;
      await closeDurably(opened);
      if (lent !== undefined) shelf.put(path, lent, gatheredBytes);
      lent = undefined;
    },
    async discard() {
      letGo();
      if (file !== undefined) closeSync(file);
    },
  };
}
