import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** How a test file went. */
export type TestRun = {
  readonly hasPassed: boolean;
  /** The test that failed first; undefined where none did, be it that none could begin. */
  readonly failedTest: string | undefined;
  readonly durationMs: number;
  readonly output: string;
};

/** Random runs need no smallest example here, that there is one is enough; and there are so many that chance is none. */
const ENVIRONMENT = { LEDGER_SHRINK: '0', LEDGER_RUNS: '4000' };

/** A planted bug may make a test wait for ever; that it has to be stopped is a way of failing, too. */
const TEST_WAIT_MS_MAX = 60_000;

/** A line of the report; a file that could not be loaded is reported under its path, as if it were a test. */
const FAILED_TEST = /^\s*not ok \d+ - (.+)$/gm;

/** Runs one test file of a workspace in a process of its own. */
export async function runTestFile(directory: string, file: string): Promise<TestRun> {
  const begin = performance.now();
  const limits = [`--test-timeout=${TEST_WAIT_MS_MAX}`, '--test-force-exit'];
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', ...limits, file], {
    cwd: directory,
    env: { ...process.env, ...ENVIRONMENT },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return {
    hasPassed: exitCode === 0,
    failedTest: [...output.matchAll(FAILED_TEST)].map(([, name = '']) => name).find((name) => !name.endsWith(file)),
    durationMs: performance.now() - begin,
    output,
  };
}
