import type { FileHandle } from 'node:fs/promises';
import { appendFileSync, promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, relative, sep } from 'node:path';
import { StatementSync } from 'node:sqlite';

/**
 * Ends the process by SIGKILL at one chosen durable step: a change of a file below DATA_DIR, or a statement that changes
 * the database. Loaded into the bot by `--import`, so that the bot itself knows nothing of crashes.
 *
 * A step is named by what it does and to what, with ids left out, and by how many times that has happened since the
 * switch was armed: `rename spool/JOB/receipt.json.new #1`. Names hold from one run to the next where plain numbers
 * would not, because a picture arrives in as many pieces as the network likes.
 *
 *   KILL_SWITCH_STEP     the step; without it nothing is killed
 *   KILL_SWITCH_MOMENT   `before` the step, which for written bytes means halfway through them, or `after` it
 *   KILL_SWITCH_FROM     armed from the `start` of the process, or from the next `job` on
 *   KILL_SWITCH_LOG      a file that gets the name of every step, one in a line
 */

type Moment = 'before' | 'after';
type Method = (this: unknown, ...args: unknown[]) => unknown;

const { DATA_DIR: dataDirectory = '', KILL_SWITCH_STEP: fatalStep, KILL_SWITCH_LOG: logPath } = process.env;
const fatalMoment = process.env['KILL_SWITCH_MOMENT'];

/** A job begins with a folder of its own. */
const FIRST_STEP_OF_A_JOB = 'mkdir spool/JOB';
const RECORD_FILE = 'job.json';

const timesSeen = new Map<string, number>();
let isArmed = process.env['KILL_SWITCH_FROM'] === 'start';

/** Counts a step and answers its full name; undefined while the switch is not armed. */
function count(name: string): string | undefined {
  isArmed ||= name === FIRST_STEP_OF_A_JOB;
  if (!isArmed) return undefined;
  const times = (timesSeen.get(name) ?? 0) + 1;
  timesSeen.set(name, times);
  const step = `${name} #${times}`;
  if (logPath !== undefined) appendFileSync(logPath, `${step}\n`);
  return step;
}

function isFatal(step: string | undefined, moment: Moment): boolean {
  return step !== undefined && step === fatalStep && moment === fatalMoment;
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Takes one durable step, or dies on the way. */
async function take(name: string, act: () => unknown, actByHalf?: () => unknown): Promise<unknown> {
  const step = count(name);
  if (isFatal(step, 'before')) {
    await actByHalf?.();
    die();
  }
  const result = await act();
  if (isFatal(step, 'after')) die();
  return result;
}

/** Where a path lies below the data directory, with ids left out; undefined where it lies elsewhere. */
function placeOf(path: unknown): string | undefined {
  const place = relative(dataDirectory, String(path));
  if (place === '' || place.startsWith('..')) return undefined;
  return place
    .split(sep)
    .join('/')
    .replace(/\d{15,}(\.[0-9a-f-]{36})?/, 'JOB')
    .replace(/[0-9a-f-]{36}/, 'PROCESS')
    .replace(/\d{4}-\d{2}-\d{2}/, 'DAY');
}

function halfOf(data: unknown): string | Uint8Array {
  if (typeof data === 'string') return data.slice(0, data.length / 2);
  if (data instanceof Uint8Array) return data.subarray(0, data.length / 2);
  throw new TypeError('only text and bytes are written');
}

function replaceMethod(holder: object, name: string, replace: (original: Method) => Method): void {
  const found: unknown = Reflect.get(holder, name);
  if (typeof found !== 'function') throw new TypeError(`there is no method ${name}`);
  const original: Method = function callOriginal(...args) {
    return Reflect.apply(found, this, args);
  };
  Object.defineProperty(holder, name, { value: replace(original), writable: true, configurable: true });
}

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

const CHANGING_STATEMENT = /^\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP)\b/i;
/** The type of the first entry among the rows that a commit writes, which are JSON within JSON. */
const ENTRY_TYPE = /\\"type\\":\\"(\w+)\\"/;

function watchDatabase(): void {
  for (const name of ['all', 'get', 'run']) {
    replaceMethod(StatementSync.prototype, name, (original) => {
      return function watched(...args) {
        const verb = this instanceof StatementSync ? CHANGING_STATEMENT.exec(this.sourceSQL)?.[1] : undefined;
        if (verb === undefined) return Reflect.apply(original, this, args);
        const [, entryType = ''] = ENTRY_TYPE.exec(args.join(' ')) ?? [];
        const step = count(`${verb} ${entryType}`.trim());
        if (isFatal(step, 'before')) die();
        const result = Reflect.apply(original, this, args);
        if (isFatal(step, 'after')) die();
        return result;
      };
    });
  }
}

await watchFiles();
watchFolders();
watchDatabase();
// Modules that import the functions by name see the watched ones from here on.
syncBuiltinESMExports();
