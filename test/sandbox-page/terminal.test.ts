import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from '../../sandbox/stage.ts';

const MAIN = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url));

type Run = {
  readonly output: () => string;
  readonly line: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly child: ReturnType<typeof spawn>;
};

/** Runs the sandbox as people do, without a screen to open a browser on. */
function runSandbox(words: readonly string[], stdin: 'pipe' | 'ignore'): Run {
  // What a command makes is saved where it was run.
  const cwd = mkdtempSync(join(tmpdir(), 'easel-sandbox-'));
  after(() => rmSync(cwd, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words], {
    stdio: [stdin, 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], ...COMPILE_CACHE },
    cwd,
  });
  const lines: string[] = [];
  let watchers: (() => void)[] = [];
  assert.ok(child.stdout);
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    watchers.forEach((wake) => wake());
    watchers = [];
  });
  return {
    child,
    output: () => lines.join('\n'),
    async line(pattern) {
      for (;;) {
        const match = pattern.exec(lines.join('\n'));
        if (match) return match;
        await new Promise<void>((resolve) => watchers.push(resolve));
      }
    },
  };
}

describe('npm run sandbox', { concurrency: 2 }, () => {
  it('serves the page for as long as nobody ends it', async () => {
    const { child, line } = runSandbox([], 'ignore');
    const [, address = ''] = await line(/(http:\/\/127\.0\.0\.1:\d+\/)/);
    assert.equal((await fetch(address)).status, 200);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    await assert.rejects(fetch(address));
  });

  it('takes commands at the terminal as well, some of several words, and people by their names, and ends with them', async () => {
    const { child, output } = runSandbox([], 'pipe');
    const decided = 'settings limit --member @mira --usd 2.50\nsettings show\n';
    child.stdin?.end(`imagine --prompt "a fox" --quality low\nquota\n${decided}`);
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.match(output(), /Open http:\/\/127\.0\.0\.1:\d+\//);
    assert.match(output(), /\.png, 1024×1024/);
    assert.match(output(), /only visible to you/);
    assert.match(output(), /@mira.*\$2\.50/);
  });

  it('runs one command and ends, without a page', async () => {
    const { child, output } = runSandbox(['imagine', '--prompt', 'a fox', '--quality', 'low'], 'ignore');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.match(output(), /\.png, 1024×1024/);
    assert.doesNotMatch(output(), /http:/);
  });

  it('fails where a command cannot be run', async () => {
    for (const words of [['paint'], ['settings'], ['edit', '--image', 'nowhere.jpg', '--prompt', 'a lake']]) {
      const { child } = runSandbox(words, 'ignore');
      const [code] = await once(child, 'exit');
      assert.equal(code, 1);
    }
  });
});
