import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { isErrorCode, openToOverwrite, syncData } from './durable-file.ts';

/**
 * A JSON record that is written again and again, each time as a line after the one before: the last whole line counts.
 *
 * A crash in the middle of a line leaves the one before. What a cleared record said is written over with blanks, and the
 * next one is written over those: nothing is made, renamed, cut off or removed, so a durable record is one block to the
 * disk. With a new file each time, on a file system without a journal the search for its place among those of the files
 * that were removed lately took a fifth of all the bot's work.
 */
export type RecordFile = {
  /** @param isDurable whether it outlives a loss of power, and not only the process */
  write(record: unknown, isDurable: boolean): Promise<void>;
  /** Makes durable what was written. */
  flush(): Promise<void>;
  /** Undefined where there is none, or one of which a crash left only the name or a part. */
  read(): unknown;
  /** There is no record any more. */
  clear(): void;
};

const LINE_END = '\n';
/** At the beginning it says that there is no record: every line begins with the end of one, the first as well. */
const BLANK = ' ';
const BLANKS_AT_END = / +$/;

/** @param isUnused whether it is known that nothing was ever written, or all of it cleared */
export function createRecordFile(path: string, isUnused: boolean): RecordFile {
  /** Where the next line goes, in bytes; undefined where somebody has to look. */
  let end = isUnused ? 0 : undefined;

  function findEnd(): number {
    const text = readText(path);
    if (text.startsWith(BLANK)) clear();
    return end ?? Buffer.byteLength(text.replace(BLANKS_AT_END, ''));
  }

  function clear(): void {
    const usedBytes = end ?? Buffer.byteLength(readText(path));
    // Should the process die meanwhile, the first byte alone says that the record is cleared.
    if (usedBytes > 0) {
      const file = openToOverwrite(path);
      try {
        overwrite(file, Buffer.alloc(usedBytes, BLANK), 0);
      } finally {
        closeSync(file);
      }
    }
    end = 0;
  }

  return {
    async write(record, isDurable) {
      const line = Buffer.from(`${LINE_END}${JSON.stringify(record)}${LINE_END}`);
      const start = end ?? findEnd();
      // A line that came to be only in part is looked for by the next one.
      end = undefined;
      const file = openToOverwrite(path);
      try {
        overwrite(file, line, start);
        end = start + line.byteLength;
        if (isDurable) await syncData(file);
      } finally {
        closeSync(file);
      }
    },
    async flush() {
      const file = openSync(path, 'r');
      try {
        await syncData(file);
      } finally {
        closeSync(file);
      }
    },
    read() {
      const line = lastWholeLine(readText(path));
      return line === undefined ? undefined : (JSON.parse(line) as unknown);
    },
    clear,
  };
}

function overwrite(file: number, bytes: Uint8Array, start: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    done += writeSync(file, bytes, done, bytes.byteLength - done, start + done);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return '';
    throw error;
  }
}

function lastWholeLine(text: string): string | undefined {
  if (text.startsWith(BLANK)) return undefined;
  const lines = text.split(LINE_END);
  // Earlier versions put a record into a file of its own, with no line's end before or after it.
  const whole = lines.length === 1 ? lines : lines.slice(0, -1);
  return whole.findLast((line) => line !== '');
}
