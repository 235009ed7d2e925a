import { appendFileSync } from 'node:fs';
import { relative, sep } from 'node:path';

/** Counts and names the durable steps of a process, and ends it at the one that was chosen; see kill-switch.ts. */

type Moment = 'before' | 'after';

/** What a process says that was armed by a signal: from here on its steps are counted. */
export const ARMED_LINE = 'the kill switch is armed';
export type Method = (this: unknown, ...args: unknown[]) => unknown;

const { DATA_DIR: dataDirectory = '', KILL_SWITCH_STEP: fatalStep, KILL_SWITCH_LOG: logPath } = process.env;
const fatalMoment = process.env['KILL_SWITCH_MOMENT'];

/** The first job of a process has a folder made for it, and the next ones take one that was used before. */
const ARMING_STEPS: Readonly<Record<string, string>> = { job: 'mkdir spool/JOB', 'next job': 'take spool/idle-JOB' };

const armingStep = ARMING_STEPS[process.env['KILL_SWITCH_FROM'] ?? ''];

const timesSeen = new Map<string, number>();
let isArmed = process.env['KILL_SWITCH_FROM'] === 'start';

if (process.env['KILL_SWITCH_FROM'] === 'signal') {
  process.once('SIGUSR2', () => {
    isArmed = true;
    process.stdout.write(`${ARMED_LINE}\n`);
  });
}

/** Counts a step and answers its full name; undefined while the switch is not armed. */
function count(name: string): string | undefined {
  isArmed ||= name === armingStep;
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
export async function take(name: string, act: () => unknown, actByHalf?: () => unknown): Promise<unknown> {
  const step = count(name);
  if (isFatal(step, 'before')) {
    await actByHalf?.();
    die();
  }
  const result = await act();
  if (isFatal(step, 'after')) die();
  return result;
}

/** The same for a step that is taken at once. */
export function takeAtOnce(name: string, act: () => unknown, actByHalf?: () => unknown): unknown {
  const step = count(name);
  if (isFatal(step, 'before')) {
    actByHalf?.();
    die();
  }
  const result = act();
  if (isFatal(step, 'after')) die();
  return result;
}

/** Where a path lies below the data directory, with ids left out; undefined where it lies elsewhere. */
export function placeOf(path: unknown): string | undefined {
  const place = relative(dataDirectory, String(path));
  if (place === '' || place.startsWith('..')) return undefined;
  return place
    .split(sep)
    .join('/')
    .replace(/\d{15,}(\.[0-9a-f-]{36})?/, 'JOB')
    .replace(/[0-9a-f-]{36}/, 'PROCESS')
    .replace(/\d{4}-\d{2}-\d{2}/, 'DAY');
}

export function halfOf(data: unknown): string | Uint8Array {
  if (typeof data === 'string') return data.slice(0, data.length / 2);
  if (data instanceof Uint8Array) return data.subarray(0, data.length / 2);
  throw new TypeError('only text and bytes are written');
}

export function replaceMethod(holder: object, name: string, replace: (original: Method) => Method): void {
  const found: unknown = Reflect.get(holder, name);
  if (typeof found !== 'function') throw new TypeError(`there is no method ${name}`);
  const original: Method = function callOriginal(...args) {
    return Reflect.apply(found, this, args);
  };
  Object.defineProperty(holder, name, { value: replace(original), writable: true, configurable: true });
}
