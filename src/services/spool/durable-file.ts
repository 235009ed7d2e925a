import { closeSync, constants, fdatasync, fsync, ftruncateSync, openSync, write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PRIVATE_FILE_MODE } from '../../storage/private-modes.ts';

/**
 * Files that are on the disk when their writing is reported, also after a loss of power.
 *
 * Opening, closing and the writing of a few lines are done at once: the file system does them in memory, and handing
 * them to another thread costs ten times as much. What waits for the disk, or copies a picture, is never done here.
 */

/** For how long a paid result waits for room on a full disk: two minutes, which is time enough to make some. */
const ROOM_ATTEMPTS_MAX = 240;
const ROOM_PAUSE_MS = 500;

/** Decides how often something is tried that a full disk can prevent. */
export type Patience = <Result>(attempt: () => Promise<Result>) => Promise<Result>;

/** Tries again for as long as the disk is full, within bounds. */
export function createPatience(onFull: () => void): Patience {
  return async (attempt) => {
    for (let count = 1; ; count += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!isDiskFull(error) || count === ROOM_ATTEMPTS_MAX) throw error;
        if (count === 1) onFull();
        await sleep(ROOM_PAUSE_MS);
      }
    }
  };
}

export const impatiently: Patience = async (attempt) => attempt();

/**
 * Opens a file to be written from its beginning, making it if it is not there. What is in it is not cut off but written
 * over: the disk then has no room to find and no list to change, and a picture is durable in a third of the time, for
 * half of the CPU.
 */
export function openToOverwrite(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_CREAT, PRIVATE_FILE_MODE);
}

/** Writes all of the bytes to an open file, which a disk that is nearly full takes in parts. */
export async function writeAll(file: number, bytes: Uint8Array, patience: Patience): Promise<void> {
  let offset = 0;
  while (offset < bytes.byteLength) {
    const from = offset;
    offset += await patience(async () => writeSome(file, bytes.subarray(from)));
  }
}

/** Makes what was written to an open file durable. */
export async function syncData(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(file, (error) => (error === null ? resolve() : reject(error)));
  });
}

/**
 * Ends a file that was written: it is durable when this resolves, and closed in any case.
 * @param sizeBytes how much was written; what was in the file behind it is cut off
 */
export async function closeDurably(file: number, sizeBytes: number): Promise<void> {
  try {
    ftruncateSync(file, sizeBytes);
    await syncData(file);
  } finally {
    closeSync(file);
  }
}

export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = openToOverwrite(path);
  try {
    await writeAll(file, bytes, impatiently);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  await closeDurably(file, bytes.byteLength);
}

/** Makes the names of the files in a folder durable, which those of a durable file are not. */
export async function syncNames(directory: string): Promise<void> {
  const folder = openSync(directory, 'r');
  try {
    await new Promise<void>((resolve, reject) => {
      fsync(folder, (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    closeSync(folder);
  }
}

/** @returns how many of the bytes were written, from the first one on */
async function writeSome(file: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(file, bytes, (error, bytesWritten) => (error === null ? resolve(bytesWritten) : reject(error)));
  });
}

/** Whether there is no room left, on the disk or in what this user may take of it. */
export function isDiskFull(error: unknown): boolean {
  return isErrorCode(error, 'ENOSPC') || isErrorCode(error, 'EDQUOT');
}

export function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
