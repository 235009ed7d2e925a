import type { FileHandle } from 'node:fs/promises';
import fs, { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { StatementSync } from 'node:sqlite';
import { halfOf, placeOf, replaceMethod, take, takeAtOnce } from './durable-steps.ts';

/**
 * Ends the process by SIGKILL at one chosen durable step: a change of a file below DATA_DIR, or a statement that changes
 * the database. Loaded into the bot by `--import`, so that the bot itself knows nothing of crashes.
 *
 * A step is named by what it does and to what, with ids left out, and by how many times that has happened since the
 * switch was armed: `write spool/JOB/receipt.json #1`. Names hold from one run to the next where plain numbers
 * would not, because a picture arrives in as many pieces as the network likes.
 *
 *   KILL_SWITCH_STEP     the step; without it nothing is killed
 *   KILL_SWITCH_MOMENT   `before` the step, which for written bytes means halfway through them, or `after` it
 *   KILL_SWITCH_FROM     armed from the `start` of the process, from its first `job` on, from the `next job`, which has
 *                        the folder of the first one, or from the `signal` SIGUSR2 on, which it answers by a line
 *   KILL_SWITCH_LOG      a file that gets the name of every step, one in a line
 */

const RECORD_FILE = 'job.json';

function watchFolders(): void {
  for (const name of ['mkdir', 'rename', 'rmdir', 'unlink', 'link', 'copyFile', 'appendFile']) {
    replaceMethod(promises, name, (original) => async (...args) => {
      const place = placeOf(args[0]);
      return place === undefined ? original(...args) : take(`${name} ${place}`, () => original(...args));
    });
  }
  replaceMethod(promises, 'writeFile', (original) => async (path, data, ...options) => {
    const place = placeOf(path);
    const write = (bytes: unknown) => () => original(path, bytes, ...options);
    return place === undefined ? write(data)() : take(`writeFile ${place}`, write(data), write(halfOf(data)));
  });
  replaceMethod(promises, 'rm', (original) => async (path, ...options) => {
    const place = placeOf(path);
    if (place === undefined) return original(path, ...options);
    // A folder is not removed at once but file by file, in no order that could be relied on. The record goes last
    // here, so that what is left over looks as much like a job as it can.
    for (const file of (await filesIn(String(path))).toSorted(recordLast))
      await promises.unlink(join(String(path), file));
    return take(`rm ${place}`, () => original(path, ...options));
  });
}

async function filesIn(path: string): Promise<string[]> {
  return promises.readdir(path).catch(() => []);
}

function recordLast(one: string, other: string): number {
  return Number(one === RECORD_FILE) - Number(other === RECORD_FILE) || one.localeCompare(other);
}

/** What is done at once with folders, and with the ends of files. */
function watchWhatIsDoneAtOnce(): void {
  replaceMethod(fs, 'renameSync', (original) => (...args) => {
    const place = placeOf(args[0]);
    const verb = place?.startsWith('spool/idle-') ? 'take' : 'rename';
    return place === undefined ? original(...args) : takeAtOnce(`${verb} ${place}`, () => original(...args));
  });
  replaceMethod(fs, 'appendFileSync', (original) => (path, data, ...options) => {
    const place = placeOf(path);
    const append = (bytes: unknown) => () => original(path, bytes, ...options);
    if (place === undefined) return append(data)();
    return takeAtOnce(`appendFile ${place}`, append(data), append(halfOf(data)));
  });
}

/** The bytes of files that are known by their numbers. */
function watchNumberedFiles(): void {
  const places = new Map<unknown, string>();
  replaceMethod(fs, 'openSync', (original) => (path, flags, ...options) => {
    const place = placeOf(path);
    const open = (): unknown => original(path, flags, ...options);
    const file = place === undefined || flags === 'r' ? open() : takeAtOnce(`open ${place}`, open);
    if (place !== undefined) places.set(file, place);
    return file;
  });
  replaceMethod(fs, 'closeSync', (original) => (file) => {
    places.delete(file);
    return original(file);
  });
  replaceMethod(fs, 'ftruncateSync', (original) => (file, sizeBytes) => {
    const place = places.get(file);
    const cutOff = (): unknown => original(file, sizeBytes);
    return place === undefined ? cutOff() : takeAtOnce(`cut ${place}`, cutOff);
  });
  replaceMethod(fs, 'writeSync', (original) => (file, bytes, offset, length, position) => {
    const place = places.get(file);
    const write = (byteCount: number) => () => original(file, bytes, offset, byteCount, position);
    if (place === undefined) return original(file, bytes, offset, length, position);
    return takeAtOnce(`write ${place}`, write(Number(length)), write(Math.floor(Number(length) / 2)));
  });
  for (const [name, verb] of [
    ['open', 'empty'],
    ['write', 'write'],
    ['fdatasync', 'datasync'],
    ['fsync', 'sync'],
  ] as const) {
    replaceMethod(fs, name, (original) => (target, ...args) => {
      const place = name === 'open' ? placeOf(target) : places.get(target);
      const callback = args.pop();
      if (typeof callback !== 'function') throw new TypeError('whoever waits for a file is called back');
      const call =
        (...input: unknown[]) =>
        async () =>
          new Promise<unknown[]>((resolve) => {
            original(target, ...input, (...results: unknown[]) => resolve(results));
          });
      if (place === undefined) return original(target, ...args, callback);
      const byHalf = name === 'write' ? call(halfOf(args[0])) : undefined;
      return void take(`${verb} ${place}`, call(...args), byHalf).then((results) => {
        Reflect.apply(callback, undefined, Array.isArray(results) ? results : []);
      });
    });
  }
}

/** The bytes of files. Closing a file is no step: it changes nothing that a crash of the process could show. */
async function watchFiles(): Promise<void> {
  const places = new WeakMap<object, string>();
  replaceMethod(promises, 'open', (original) => async (path, flags, ...options) => {
    const place = placeOf(path);
    const open = async (): Promise<unknown> => original(path, flags, ...options);
    if (place === undefined) return open();
    const file = flags === undefined || flags === 'r' ? await open() : await take(`open ${place}`, open);
    if (typeof file === 'object' && file !== null) places.set(file, place);
    return file;
  });
  const anyFile: FileHandle = await promises.open(import.meta.filename);
  const fileMethods: unknown = Object.getPrototypeOf(anyFile);
  await anyFile.close();
  if (typeof fileMethods !== 'object' || fileMethods === null) throw new TypeError('open files have no methods');
  for (const name of ['write', 'sync', 'datasync']) {
    replaceMethod(fileMethods, name, (original) => {
      return async function watched(...args) {
        const place = typeof this === 'object' && this !== null ? places.get(this) : undefined;
        const act = (): unknown => Reflect.apply(original, this, args);
        if (place === undefined) return act();
        const [bytes, offset, length] = args;
        const actByHalf = (): unknown => Reflect.apply(original, this, [bytes, offset, Math.floor(Number(length) / 2)]);
        return take(`${name} ${place}`, act, name === 'write' ? actByHalf : undefined);
      };
    });
  }
}

const CHANGING_STATEMENT = /^\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|COMMIT)\b/i;
/** The type of the first entry among the rows that a commit writes, which are JSON within JSON. */
const ENTRY_TYPE = /\\"type\\":\\"(\w+)\\"/;

function watchDatabase(): void {
  for (const name of ['all', 'get', 'run']) {
    replaceMethod(StatementSync.prototype, name, (original) => {
      return function watched(...args) {
        const verb = this instanceof StatementSync ? CHANGING_STATEMENT.exec(this.sourceSQL)?.[1] : undefined;
        if (verb === undefined) return Reflect.apply(original, this, args);
        const [, entryType = ''] = ENTRY_TYPE.exec(args.join(' ')) ?? [];
        return takeAtOnce(`${verb} ${entryType}`.trim(), () => Reflect.apply(original, this, args));
      };
    });
  }
}

await watchFiles();
watchFolders();
watchWhatIsDoneAtOnce();
watchNumberedFiles();
watchDatabase();
// Modules that import the functions by name see the watched ones from here on.
syncBuiltinESMExports();
