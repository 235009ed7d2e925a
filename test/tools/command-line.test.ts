import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { makeDirectory } from './ledger-fixture.ts';
import { runToolProcess } from './tool-process.ts';

describe('--help', () => {
  for (const [name, ...commandLine] of [
    ['ledger', '--help'],
    ['ledger', 'prune', '--month', '--help'],
    ['reconcile', '--help'],
    ['reconcile', 'release', '--help'],
  ] as const) {
    it(`shows what ${[name, ...commandLine].join(' ')} could be, where nothing else would work`, async (test) => {
      const directory = await makeDirectory(test);
      const settings = { STORE_URL: 'nonsense', DATA_DIR: directory };
      const { exitCode, output, errors } = await runToolProcess(name, commandLine, settings);
      assert.deepEqual([exitCode, errors], [0, '']);
      assert.match(output, new RegExp(`^usage:\\n  npm run ${name} -- `));
      assert.deepEqual(await readdir(directory), []);
    });
  }
});
