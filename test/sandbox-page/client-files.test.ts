import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readClientFiles } from '../../sandbox/page/client-files.ts';

const CLIENT = fileURLToPath(new URL('../../sandbox/page/client/', import.meta.url));

async function modulePaths(): Promise<string[]> {
  const names = await readdir(CLIENT, { recursive: true });
  return names.filter((name) => name.endsWith('.ts')).map((name) => `/page/client/${name}`);
}

describe('what the browser is given', () => {
  it('is JavaScript whose every import can be had', async () => {
    const files = await readClientFiles();
    const paths = await modulePaths();
    assert.ok(paths.length > 20);
    for (const path of paths) {
      const file = files(path);
      assert.ok(file, path);
      const text = Buffer.from(file.body).toString('utf8');
      for (const [, specifier = ''] of text.matchAll(/^(?:import|export) [^;]*?from '([^']+)'/gm)) {
        const target = posix.join(dirname(path), specifier);
        assert.ok(files(target), `${path} imports ${target}, which is not served`);
      }
    }
  });

  it('is announced as a whole, so that nothing waits for what comes before it', async () => {
    const files = await readClientFiles();
    const page = Buffer.from(files('/')?.body ?? []).toString('utf8');
    for (const path of await modulePaths()) assert.ok(page.includes(`<link rel="modulepreload" href="${path}">`), path);
  });

  it('asks nobody else for anything, and never reads HTML', async () => {
    for (const name of await readdir(CLIENT, { recursive: true })) {
      if (!/\.(?:ts|css|html)$/.test(name)) continue;
      const text = await readFile(join(CLIENT, name), 'utf8');
      const addresses = text.match(/https?:\/\/[\w.]+/g) ?? [];
      assert.deepEqual(
        addresses.filter((address) => address !== 'http://www.w3.org'),
        [],
        name,
      );
      assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/, name);
    }
  });

  it('is nothing of the server’s side', async () => {
    const files = await readClientFiles();
    assert.equal(files('/page/routes.ts'), undefined);
    assert.equal(files('/stage.ts'), undefined);
    assert.equal(files('/page/client/../../stage.ts'), undefined);
  });
});
