import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { readConfig } from '../src/config.ts';

/** What is written about Easel, held against Easel. */

const ROOT = join(import.meta.dirname, '..');
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'];
/** Without these two nothing starts, so they have no default. */
const REQUIRED = { DISCORD_TOKEN: 'a token', OPENAI_API_KEY: 'a key' };

const read = async (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

/** The variables of `.env.example` and the values that it shows. */
async function readExample(): Promise<ReadonlyMap<string, string>> {
  const lines = (await read('.env.example')).matchAll(/^#?([A-Z_]+)=(.*)$/gm);
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]));
}

describe('the documentation', () => {
  it('names every variable in .env.example', async () => {
    const declared = (await read('src/config.ts')).matchAll(/^ {2}([A-Z_]+):/gm);
    const names = [...declared].map(([, name]) => name);
    assert.ok(names.length > 0, 'no variable was found in src/config.ts');
    assert.deepEqual(new Set((await readExample()).keys()), new Set(names));
  });

  it('shows the defaults that hold', async () => {
    const shown = [...(await readExample())].filter(([name]) => !(name in REQUIRED));
    assert.deepEqual(readConfig({ ...Object.fromEntries(shown), ...REQUIRED }), readConfig(REQUIRED));
  });

  it('tells the same in the table of the README', async () => {
    const rows = (await read('README.md')).matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`|–) \|/gm);
    const told = [...rows].map(([, name = '', value = '']) => [name, value] as const);
    assert.deepEqual(new Map(told), await readExample());
  });

  it('refers to files that are there', async () => {
    for (const document of DOCUMENTS) {
      const text = await read(document);
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
      const paths = [...text.matchAll(/`((?:src|sandbox|test|scripts|docs|bench)\/[\w./-]+)`/g)].map(
        ([, path = '']) => path,
      );
      const missing = [...links, ...paths].filter((path) => !existsSync(join(ROOT, path)));
      assert.deepEqual(missing, [], document);
    }
  });

  it('lists every decision', async () => {
    const records = (await readdir(join(ROOT, 'docs/decisions'))).filter((name) => name !== 'README.md');
    const index = await read('docs/decisions/README.md');
    assert.deepEqual(
      records.filter((name) => !index.includes(`(${name})`)),
      [],
    );
  });

  it('refers to npm scripts that are there', async () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await read('package.json')));
    for (const document of DOCUMENTS) {
      const named = (await read(document)).matchAll(/npm (?:run )?(start|test|(?<=run )[\w:]+)/g);
      const missing = [...named].map(([, name = '']) => name).filter((name) => !(name in scripts));
      assert.deepEqual(missing, [], document);
    }
  });
});
