import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from '../../sandbox/stage.ts';

export type ToolEnd = { readonly exitCode: number; readonly output: string; readonly errors: string };

/** Runs a tool as an operator does, as a process of its own, to its end. */
export async function runToolProcess(
  name: 'ledger' | 'reconcile',
  commandLine: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ToolEnd> {
  const path = fileURLToPath(new URL(`../../src/tools/${name}.ts`, import.meta.url));
  const env = { ...COMPILE_CACHE, ...environment };
  return new Promise((resolve, reject) => {
    const tool = execFile(process.execPath, [path, ...commandLine], { env }, (_error, output, errors) => {
      if (tool.exitCode === null) reject(new Error(`the tool did not end by itself: ${errors}`));
      else resolve({ exitCode: tool.exitCode, output, errors });
    });
  });
}
