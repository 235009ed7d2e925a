import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relaunch } from '../src/relaunch.ts';

type Started = { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv };

/** In place of the end of the program that is replaced. */
class Replaced extends Error {}

/** Relaunches a process that is described, and answers what was started in its place, if anything was. */
function relaunched(running: { execArgv?: string[]; env?: NodeJS.ProcessEnv }): Started | undefined {
  let started: Started | undefined;
  const execve = (_file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): never => {
    started = { args, env };
    throw new Replaced();
  };
  const described = {
    argv: ['/node', '/easel/src/main.ts', 'x'],
    env: {},
    execArgv: [],
    execPath: '/node',
    ...running,
  };
  try {
    relaunch({ ...described, execve });
  } catch (error) {
    if (!(error instanceof Replaced)) throw error;
  }
  return started;
}

test('a plain start begins again with the memory settings, and with all that it was given', () => {
  const again = relaunched({ execArgv: ['--env-file=.env'], env: { DATA_DIR: '/data' } });
  const flags = [
    '--max-semi-space-size=4',
    '--heap-growing-percent=75',
    '--v8-pool-size=2',
    '--disable-warning=ExperimentalWarning',
  ];
  assert.deepEqual(again?.args, ['/node', '--env-file=.env', ...flags, '/easel/src/main.ts', 'x']);
  assert.deepEqual(again.env, { DATA_DIR: '/data', NODE_COMPILE_CACHE: '/data/compile-cache' });
});

test('what is compiled is kept where the configuration has its data, also where the variable is empty', () => {
  const caches = [' /data ', '', ' ', undefined].map(
    (directory) => relaunched({ env: { DATA_DIR: directory } })?.env['NODE_COMPILE_CACHE'],
  );
  assert.deepEqual(caches, ['/data/compile-cache', ...Array.from({ length: 3 }, () => 'data/compile-cache')]);
});

test('what was started over is not started over again', () => {
  const again = relaunched({});
  const flags = again?.args.filter((arg) => arg.startsWith('--')) ?? [];
  assert.equal(relaunched({ execArgv: flags }), undefined);
});

test('settings that an operator made stay as they are', () => {
  assert.equal(relaunched({ env: { NODE_OPTIONS: '--max-semi-space-size=32' } }), undefined);
  assert.equal(relaunched({ env: { NODE_COMPILE_CACHE: '/mine' } })?.env['NODE_COMPILE_CACHE'], '/mine');
});
