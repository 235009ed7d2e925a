import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { access, mkdir, open, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ByteSink } from './providers/image-provider.ts';

/**
 * One folder on disk for each job that has not ended: its record, the pictures it was given, the pictures it was paid
 * for, and the receipt. What is here after a crash is what recovery has to finish.
 */
export type Spool = {
  create(folder: string): Promise<SpoolFolder>;
  folder(folder: string): SpoolFolder;
  /** Gives a folder another name, which only one of several can do; false where it is gone already. */
  rename(from: string, to: string): Promise<boolean>;
  /** The names of all folders. */
  list(): Promise<readonly string[]>;
  /** Whether there is room for the result of another job. */
  hasRoom(): Promise<boolean>;
};

export type SpoolFolder = {
  readonly name: string;
  path(name: string): string;
  /** Writes a JSON record so that after a crash there is the old one or the new one, and nothing between. */
  writeRecord(name: string, record: unknown): Promise<void>;
  /** Writes a JSON record that outlives the process, though perhaps not a loss of power: ten times cheaper. */
  writeRecordQuickly(name: string, record: unknown): Promise<void>;
  readRecord(name: string): Promise<unknown>;
  writeFile(name: string, bytes: Uint8Array): Promise<void>;
  openByteSink(name: string): Promise<ByteSink>;
  has(name: string): Promise<boolean>;
  /** The first bytes of a file and its size. */
  inspect(name: string, headBytes: number): Promise<{ readonly head: Buffer; readonly sizeBytes: number }>;
  /** Moves a file out of the spool, to a place that outlives the job. */
  moveOut(name: string, destination: string): Promise<void>;
  removeFile(name: string): Promise<void>;
  remove(): Promise<void>;
};

/** Members' pictures and prompts are nobody else's business on this machine. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Room for the results that may be under way when the disk begins to run full. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;

/** Opens the spool below a directory, creating it if needed. */
export async function openSpool(directory: string, freeBytesMin: number = FREE_BYTES_MIN): Promise<Spool> {
  await mkdir(directory, { recursive: true, mode: FOLDER_MODE });
  return {
    async create(name) {
      await mkdir(join(directory, name), { mode: FOLDER_MODE });
      return createFolder(directory, name);
    },
    folder: (name) => createFolder(directory, name),
    async rename(from, to) {
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
      return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    },
    async hasRoom() {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize >= freeBytesMin;
    },
  };
}

function createFolder(directory: string, folderName: string): SpoolFolder {
  const folder = join(directory, folderName);
  const pathOf = (name: string): string => join(folder, name);
  return {
    name: folderName,
    path: pathOf,
    async writeRecord(name, record) {
      const temporary = pathOf(`${name}.new`);
      await writeDurably(temporary, Buffer.from(JSON.stringify(record)));
      await rename(temporary, pathOf(name));
      await syncFolder(folder);
    },
    async writeRecordQuickly(name, record) {
      await writeFile(pathOf(`${name}.new`), JSON.stringify(record), { mode: FILE_MODE });
      await rename(pathOf(`${name}.new`), pathOf(name));
    },
    async readRecord(name) {
      try {
        return JSON.parse(await readFile(pathOf(name), 'utf8')) as unknown;
      } catch (error) {
        if (isErrorCode(error, 'ENOENT')) return undefined;
        throw error;
      }
    },
    writeFile: async (name, bytes) => writeDurably(pathOf(name), bytes),
    openByteSink: async (name) => createFileSink(await open(pathOf(name), 'w', FILE_MODE)),
    async has(name) {
      return access(pathOf(name), constants.R_OK).then(
        () => true,
        () => false,
      );
    },
    async inspect(name, headBytes) {
      const file = await open(pathOf(name), 'r');
      try {
        const { size } = await file.stat();
        const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
        return { head: buffer.subarray(0, bytesRead), sizeBytes: size };
      } finally {
        await file.close();
      }
    },
    async moveOut(name, destination) {
      await mkdir(dirname(destination), { recursive: true, mode: FOLDER_MODE });
      await rename(pathOf(name), destination);
    },
    removeFile: async (name) => rm(pathOf(name), { force: true }),
    remove: async () => rm(folder, { recursive: true, force: true }),
  };
}

function createFileSink(file: FileHandle): ByteSink {
  return {
    async write(bytes) {
      let offset = 0;
      while (offset < bytes.byteLength) {
        offset += (await file.write(bytes, offset, bytes.byteLength - offset)).bytesWritten;
      }
    },
    async close() {
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
    },
    discard: async () => file.close(),
  };
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const sink = createFileSink(await open(path, 'w', FILE_MODE));
  try {
    await sink.write(bytes);
  } finally {
    await sink.close();
  }
}

/** A new name is durable only when the folder that holds it is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
