import { statfsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PRIVATE_FOLDER_MODE } from '../../storage/private-modes.ts';
import type { Patience } from './durable-file.ts';
import { createPatience, isErrorCode, writeDurably } from './durable-file.ts';
import { createFolderNames } from './folder-names.ts';
import type { IdleFolders } from './idle-folders.ts';
import { createIdleFolders } from './idle-folders.ts';
import type { PictureShelf } from './picture-shelf.ts';
import { createPictureShelf } from './picture-shelf.ts';
import type { ByteSink } from '../providers/image-provider.ts';
import type { RecordFile } from './record-file.ts';
import { createRecordFile } from './record-file.ts';
import { openResultSink } from './result-sink.ts';

/**
 * One folder on disk for each job that has not ended: its record, the pictures it was given, the pictures it was paid
 * for, and the receipt. What is here after a crash is what recovery has to finish. Folders are used again: a record that
 * says nothing is none, and a picture is whatever a job before has left there, until it is written.
 */
export type Spool = {
  create(folder: string): Promise<SpoolFolder>;
  folder(folder: string): SpoolFolder;
  /** Gives a folder another name, which only one of several can do; false where it is gone already. */
  rename(from: string, to: string): Promise<boolean>;
  /** The names of all folders. */
  list(): Promise<readonly string[]>;
  /** Whether there is room for the result of another job. */
  hasRoom(): boolean;
  /** Nobody makes pictures any more: those that lie in idle folders, to be written over, are emptied. */
  close(): Promise<void>;
};

export type SpoolFolder = {
  readonly name: string;
  path(name: string): string;
  /** Writes a JSON record that outlives the process, though perhaps not a loss of power: ten times cheaper. */
  writeRecordQuickly(name: string, record: unknown): Promise<void>;
  /**
   * Writes a JSON record so that after a crash there is the old one or the new one, and nothing between. After a loss of
   * power it may be the old one, where the file system keeps names in memory for longer than what is in the files.
   */
  writeRecord(name: string, record: unknown): Promise<void>;
  /**
   * The same for a record of something that is paid for: on a full disk it waits for room, and with it every name in
   * the folder is durable, and that the folder is there.
   * @param patience another one than to wait for room
   */
  writePaidRecord(name: string, record: unknown, patience?: Patience): Promise<void>;
  /** Undefined where there is none, or one of which a crash left only the name or a part. */
  readRecord(name: string): unknown;
  clearRecord(name: string): void;
  writeFile(name: string, bytes: Uint8Array): Promise<void>;
  /** Opens a file for a result, which is paid for: on a full disk its bytes wait for room where they are. */
  openByteSink(name: string): ByteSink;
  /** The bytes of a file from its beginning, in pieces. */
  read(name: string): AsyncIterable<Uint8Array>;
  /** 0 where there is no such file. */
  sizeBytes(name: string): Promise<number>;
  /** The first and the last bytes of a file, so many of each, and its size. */
  inspect(name: string, edgeBytes: number): Promise<FileEdges>;
  /** Removes every file but these. */
  removeOthers(names: readonly string[]): Promise<void>;
  /** Removes what a job before has left in a folder that was made here. */
  removeLeftovers(): Promise<void>;
  remove(): Promise<void>;
  /** Nobody is at work on the folder any more: what is in memory of it is let go. */
  letGo(): void;
};

/** The outermost bytes of a file; of one that is shorter, each is all of it. */
export type FileEdges = { readonly head: Buffer; readonly tail: Buffer; readonly sizeBytes: number };

/** Room for the results that may be under way when the disk begins to run full. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;
/** How much of a file is read at once: a picture in four visits to the disk. */
const READ_BYTES = 512 * 1024;

/**
 * Opens the spool below a directory, creating it if needed.
 * @param onFull hears of every paid result that has to wait for room
 */
export async function openSpool(
  directory: string,
  freeBytesMin: number = FREE_BYTES_MIN,
  onFull: () => void = () => undefined,
): Promise<Spool> {
  await mkdir(directory, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  const idle = createIdleFolders(directory);
  const shared = { shelf: createPictureShelf(), patiently: createPatience(onFull), idle };
  return {
    async create(name) {
      const durableNames = idle.take(name);
      if (durableNames === undefined) await mkdir(join(directory, name), { mode: PRIVATE_FOLDER_MODE });
      return createFolder(join(directory, name), shared, durableNames ?? new Set());
    },
    folder: (name) => createFolder(join(directory, name), shared),
    async rename(from, to) {
      // Of a request that came to both processes, each has an idle folder. What was over in it, is over.
      if (idle.has(to)) {
        await rm(join(directory, from), { recursive: true, force: true });
        return false;
      }
      try {
        await rename(join(directory, from), join(directory, to));
        return true;
      } catch (error) {
        if (isErrorCode(error, 'ENOENT')) return false;
        throw error;
      }
    },
    async list() {
      const entries = await readdir(directory, { withFileTypes: true });
      const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
      return names.filter((name) => !idle.has(name));
    },
    hasRoom() {
      const { bavail, bsize } = statfsSync(directory);
      return bavail * bsize >= freeBytesMin;
    },
    close: async () => idle.emptyAll(),
  };
}

type Shared = { readonly shelf: PictureShelf; readonly patiently: Patience; readonly idle: IdleFolders };

/**
 * @param durableNames for a folder that this process made or cleared, those of its files whose names would outlive a loss
 * of power; left out for any other folder, of which nothing is known
 */
function createFolder(
  folder: string,
  { shelf, patiently, idle }: Shared,
  durableNames?: ReadonlySet<string>,
): SpoolFolder {
  const isMadeHere = durableNames !== undefined;
  const names = createFolderNames(folder, durableNames);
  const records = new Map<string, RecordFile>();
  let ownership: Promise<unknown> | undefined;

  function pathOf(name: string): string {
    return join(folder, name);
  }

  function pathToWrite(name: string): string {
    names.note(name);
    return pathOf(name);
  }

  function recordOf(name: string): RecordFile {
    const record = records.get(name) ?? createRecordFile(pathOf(name), isMadeHere);
    records.set(name, record);
    return record;
  }

  function recordToWrite(name: string): RecordFile {
    pathToWrite(name);
    return recordOf(name);
  }

  /** Before its pictures change: with a loss of power, the job before might come back, and find those of this one. */
  async function makeOwnerDurable(): Promise<void> {
    if (names.isUsedAgain) ownership ??= Promise.all([...records.values()].map(async (record) => record.flush()));
    await ownership;
  }

  async function removeOthers(kept: readonly string[]): Promise<void> {
    const others = (await readdir(folder)).filter((name) => !kept.includes(name));
    for (const name of others) names.forget(name);
    await Promise.all(others.map(async (name) => rm(pathOf(name), { force: true })));
  }

  async function retire(): Promise<void> {
    // What was not made here may be known elsewhere, to somebody who fetches its pictures or takes it over.
    if (isMadeHere) {
      // Here it is known where each of them ends; whoever empties the folder would have to read them.
      for (const record of records.values()) record.clear();
      if (await idle.keep(basename(folder), names.durable, new Set(records.keys()))) return;
    }
    await removeOthers([]);
    await rmdir(folder);
  }

  return {
    name: basename(folder),
    path: pathOf,
    writeRecordQuickly: async (name, record) => recordToWrite(name).write(record, false),
    writeRecord: async (name, record) => recordToWrite(name).write(record, true),
    async writePaidRecord(name, record, patience = patiently) {
      await patience(async () => recordToWrite(name).write(record, true));
      await names.makeDurable();
    },
    readRecord: (name) => recordOf(name).read(),
    clearRecord: (name) => recordOf(name).clear(),
    async writeFile(name, bytes) {
      await makeOwnerDurable();
      await writeDurably(pathToWrite(name), bytes);
    },
    openByteSink: (name) => openResultSink(pathOf(name), shelf, patiently, () => names.note(name)),
    async *read(name) {
      const shelved = shelf.find(pathOf(name));
      if (shelved === undefined) yield* readPieces(pathOf(name));
      else yield shelved;
    },
    sizeBytes: async (name) => (await unlessMissing(stat(pathOf(name))))?.size ?? 0,
    async inspect(name, edgeBytes) {
      const shelved = shelf.find(pathOf(name));
      if (shelved === undefined) return inspectFile(pathOf(name), edgeBytes);
      const tail = shelved.subarray(Math.max(0, shelved.byteLength - edgeBytes));
      return { head: shelved.subarray(0, edgeBytes), tail, sizeBytes: shelved.byteLength };
    },
    removeOthers,
    async removeLeftovers() {
      if (isMadeHere) await removeOthers([...names.written]);
    },
    async remove() {
      shelf.clear(folder);
      await unlessMissing(retire());
    },
    letGo: () => shelf.clear(folder),
  };
}

/** A file that is not there is as good as an empty one: there is nothing in it either. */
async function inspectFile(path: string, edgeBytes: number): Promise<FileEdges> {
  const file = await unlessMissing(open(path, 'r'));
  if (!file) return { head: Buffer.alloc(0), tail: Buffer.alloc(0), sizeBytes: 0 };
  const read = async (position: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(edgeBytes), 0, edgeBytes, position);
    return buffer.subarray(0, bytesRead);
  };
  try {
    const { size } = await file.stat();
    return { head: await read(0), tail: await read(Math.max(0, size - edgeBytes)), sizeBytes: size };
  } finally {
    await file.close();
  }
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      // A new buffer each time: whoever sends the piece before may not be through with it.
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Undefined where the file or folder is not there. */
async function unlessMissing<Result>(work: Promise<Result>): Promise<Result | undefined> {
  return work.catch((error: unknown) => {
    if (isErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  });
}
