import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Edit } from './mutant.ts';

/** A copy of the program and its tests, in which anything may be broken. */
export type Workspace = { readonly directory: string; remove(): Promise<void> };

const REPOSITORY = join(import.meta.dirname, '..', '..');
const COPIED = ['package.json', 'tsconfig.json', 'src', 'sandbox', 'test'];

/** What an edit leaves unused is no fault of the mutant; anything else that does not compile is. */
const MUTANT_CONFIG = {
  extends: './tsconfig.json',
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  include: ['src'],
};

/**
 * Copies the program and plants the edits in the copy.
 * @throws when an edit does not fit exactly once, or what comes of it is no program: then nothing would be proved.
 */
export async function createWorkspace(edits: readonly Edit[]): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'easel-mutant-'));
  const remove = async (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await Promise.all(
      COPIED.map(async (name) => cp(join(REPOSITORY, name), join(directory, name), { recursive: true })),
    );
    await symlink(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'));
    for (const edit of edits) await plant(directory, edit);
    await compile(directory);
    return { directory, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function plant(directory: string, { file, find, replace }: Edit): Promise<void> {
  const path = join(directory, file);
  const [before = '', after, ...more] = (await readFile(path, 'utf8')).split(find);
  if (after === undefined || more.length > 0) {
    throw new Error(`${file} has this piece ${after === undefined ? 'nowhere' : 'more than once'}:\n${find}`);
  }
  await writeFile(path, before + replace + after);
}

async function compile(directory: string): Promise<void> {
  const config = join(directory, 'tsconfig.mutant.json');
  await writeFile(config, JSON.stringify(MUTANT_CONFIG));
  const compiler = join(REPOSITORY, 'node_modules', '.bin', 'tsc');
  await promisify(execFile)(compiler, ['--project', config]).catch((error: unknown) => {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`the program does not compile:\n${output}`, { cause: error });
  });
}
