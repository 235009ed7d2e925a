import { join } from 'node:path';

/**
 * Starts the program over in the same process, with settings that Node.js takes only while it starts.
 *
 * - Space for short-lived objects: left to itself it grows to 64 MB. Pictures arrive in pieces that lie outside of it,
 *   so it fills slowly, nothing is swept, and every 64 MB of pieces bring on a full collection instead: twenty for
 *   three hundred pictures. With 8 MB there were five, and 100 MB less in memory; with 4 MB an idle bot has 8 MB less.
 * - How far the heap may grow until it is collected whole. With 75 % at the most, a hundred pictures in flight take 55 MB
 *   less than where V8 decides, for a twentieth more CPU; with 30 % it is a quarter more.
 * - How many threads collect and compile beside the program. With two instead of four, which mostly wake each other, an
 *   edit takes 7 % less CPU; with one, 14 MB more are in memory at the peak.
 * - The cache of compiled code: with it, a start needs neither TypeScript's stripper nor most of the compiler, which is
 *   half of its time and 18 MB.
 */

/** The last one keeps a warning out of the log, about the stripping of types that the painter's page is served with. */
const FLAGS = [
  '--max-semi-space-size=4',
  '--heap-growing-percent=75',
  '--v8-pool-size=2',
  '--disable-warning=ExperimentalWarning',
];

/** What of the process is looked at and used; only the systems that can replace a running program have `execve`. */
type Relaunchable = Pick<NodeJS.Process, 'argv' | 'env' | 'execArgv' | 'execPath'> & {
  readonly execve?: typeof process.execve;
};

/**
 * Does not return where it starts over. The process stays the same one, for whoever started it and waits for it; the
 * second time its own flags tell that nothing more is to be done. Flags that an operator chose are left as they are.
 */
export function relaunch(running: Relaunchable): void {
  const { argv, env, execArgv, execPath, execve } = running;
  if (execve === undefined || isTuned([...execArgv, env['NODE_OPTIONS'] ?? ''])) return;
  const environment = { ...env, NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] ?? compileCacheIn(env) };
  execve.call(running, execPath, [execPath, ...execArgv, ...FLAGS, ...argv.slice(1)], environment);
}

/** As the configuration reads the variable, which is not loaded yet: one that is empty is not set. */
function compileCacheIn(env: NodeJS.ProcessEnv): string {
  const dataDirectory = env['DATA_DIR']?.trim() ?? '';
  return join(dataDirectory === '' ? './data' : dataDirectory, 'compile-cache');
}

function isTuned(flags: readonly string[]): boolean {
  return flags.some((flag) => flag.includes('--max-semi-space-size'));
}
