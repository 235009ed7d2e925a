import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { access, mkdir, open, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  /** The same for a record of something that is paid for: on a full disk it waits for room. */
  writePaidRecord(name: string, record: unknown): Promise<void>;
  /** Writes a JSON record that outlives the process, though perhaps not a loss of power: ten times cheaper. */
  writeRecordQuickly(name: string, record: unknown): Promise<void>;
  readRecord(name: string): Promise<unknown>;
  writeFile(name: string, bytes: Uint8Array): Promise<void>;
  /** Opens a file for a result, which is paid for: on a full disk its bytes wait for room where they are. */
  openByteSink(name: string): Promise<ByteSink>;
  has(name: string): Promise<boolean>;
  /** The first bytes of a file and its size. */
  inspect(name: string, headBytes: number): Promise<{ readonly head: Buffer; readonly sizeBytes: number }>;
  /** Moves a file out of the spool, to a place that outlives the job. */
  moveOut(name: string, destination: string): Promise<void>;
  removeFile(name: string): Promise<void>;
  /** Removes every file but these. */
  removeOthers(names: readonly string[]): Promise<void>;
  remove(): Promise<void>;
};

/** Members' pictures and prompts are nobody else's business on this machine. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Room for the results that may be under way when the disk begins to run full. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;

/** For how long a paid result waits for room on a full disk: two minutes, which is time enough to make some. */
const ROOM_ATTEMPTS_MAX = 240;
const ROOM_PAUSE_MS = 500;

/**
 * Opens the spool below a directory, creating it if needed.
 * @param onFull hears of every paid result that has to wait for room
 */
export async function openSpool(
  directory: string,
  freeBytesMin: number = FREE_BYTES_MIN,
  onFull: () => void = () => undefined,
): Promise<Spool> {
  await mkdir(directory, { recursive: true, mode: FOLDER_MODE });
  const patiently = createPatience(onFull);
  return {
    async create(name) {
      await mkdir(join(directory, name), { mode: FOLDER_MODE });
      return createFolder(directory, name, patiently);
    },
    folder: (name) => createFolder(directory, name, patiently),
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

function createFolder(directory: string, folderName: string, patiently: Patience): SpoolFolder {
  const folder = join(directory, folderName);
  const pathOf = (name: string): string => join(folder, name);

  async function writeRecord(name: string, record: unknown): Promise<void> {
    const temporary = pathOf(`${name}.new`);
    await writeDurably(temporary, Buffer.from(JSON.stringify(record)));
    await rename(temporary, pathOf(name));
    await syncFolder(folder);
  }

  return {
    name: folderName,
    path: pathOf,
    writeRecord,
    writePaidRecord: async (name, record) => patiently(async () => writeRecord(name, record)),
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
    async openByteSink(name) {
      const file = await patiently(async () => open(pathOf(name), 'w', FILE_MODE));
      return createFileSink(file, patiently);
    },
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
    async removeOthers(names) {
      const others = (await readdir(folder)).filter((name) => !names.includes(name));
      await Promise.all(others.map(async (name) => rm(pathOf(name), { force: true })));
    },
    remove: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** Decides how often something is tried that a full disk can prevent. */
type Patience = <Result>(attempt: () => Promise<Result>) => Promise<Result>;

/** Tries again for as long as the disk is full, within bounds. */
function createPatience(onFull: () => void): Patience {
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

const impatiently: Patience = async (attempt) => attempt();

function createFileSink(file: FileHandle, patience: Patience): ByteSink {
  return {
    async write(bytes) {
      let offset = 0;
      while (offset < bytes.byteLength) {
        const from = offset;
        const { bytesWritten } = await patience(async () => file.write(bytes, from, bytes.byteLength - from));
        offset += bytesWritten;
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
  const sink = createFileSink(await open(path, 'w', FILE_MODE), impatiently);
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

/** Whether there is no room left, on the disk or in what this user may take of it. */
export function isDiskFull(error: unknown): boolean {
  return isErrorCode(error, 'ENOSPC') || isErrorCode(error, 'EDQUOT');
}

function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
