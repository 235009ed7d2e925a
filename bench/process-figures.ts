import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What Linux says about a process and everything that it started, in /proc. */

/** `getconf CLK_TCK` says so on every Linux that Node.js runs on. */
const TICK_MS = 10;
const KIB_PER_MB = 1_000_000 / 1_024;
/** The places of these fields behind the name of the program, which is in brackets; see proc_pid_stat(5). */
const STAT_FIELD = { parent: 1, userTicks: 11, systemTicks: 12, endedUserTicks: 13, endedSystemTicks: 14 } as const;

/** CPU time of the process and its descendants, in milliseconds, those included that have ended. */
export function cpuMs(root: number): number {
  const { userTicks, systemTicks, endedUserTicks, endedSystemTicks } = STAT_FIELD;
  const fields = [userTicks, systemTicks, endedUserTicks, endedSystemTicks];
  const ticks = treeOf(root).flatMap((stat) => fields.map((field) => Number(stat.fields[field])));
  return ticks.reduce((sum, count) => sum + count, 0) * TICK_MS;
}

/** Resident memory now, and the most that there was since `forgetPeak`, in MB. */
export function memoryMb(root: number, kind: 'VmRSS' | 'VmHWM'): number {
  const pattern = new RegExp(`^${kind}:\\s+(\\d+) kB`, 'm');
  const kib = treeOf(root).map(({ pid }) => Number(pattern.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0));
  return kib.reduce((sum, size) => sum + size, 0) / KIB_PER_MB;
}

/** From here on the peak is counted anew. */
export function forgetPeak(root: number): void {
  const RESET_PEAK = '5';
  for (const { pid } of treeOf(root)) writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
}

type Stat = { readonly pid: number; readonly fields: readonly string[] };

function treeOf(root: number): readonly Stat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), fields: statFields(name) }));
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ fields }) => Number(fields[STAT_FIELD.parent]) === pid));
  return tree;
}

function statFields(pid: string): readonly string[] {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** A process may end while it is looked at. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
