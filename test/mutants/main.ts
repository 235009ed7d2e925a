/**
 * Plants bugs in a copy of the program and demands that the tests find every one of them. Tests that let a planted bug
 * through would let a real one through as well.
 */
import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import { whyMissing } from '../contracts/servers.ts';
import { jobMutants } from './job-mutants.ts';
import { ledgerMutants } from './ledger-mutants.ts';
import type { Mutant } from './mutant.ts';
import { storageMutants } from './storage-mutants.ts';
import { talkMutants } from './talk-mutants.ts';
import type { TestRun } from './test-run.ts';
import { runTestFile } from './test-run.ts';
import { createWorkspace } from './workspace.ts';

type Verdict = { readonly mutant: string; readonly killer: string; readonly isKilled: boolean; readonly run: TestRun };

const mutants = [...ledgerMutants, ...storageMutants, ...jobMutants, ...talkMutants];
const lanes = new PQueue({ concurrency: availableParallelism() });

const planted = await possibleMutants();
await requireSoundTests();
const verdicts = (await Promise.all(planted.map(async (mutant) => lanes.add(async () => judge(mutant))))).flat();
printTable(verdicts);
const survivors = verdicts.filter(({ isKilled }) => !isKilled);
for (const { mutant, killer } of survivors) console.error(`SURVIVED ${killer}: ${mutant}`);
process.exitCode = survivors.length === 0 ? 0 : 1;

/** All but those whose tests need a server that is not there. */
async function possibleMutants(): Promise<readonly Mutant[]> {
  const possible: Mutant[] = [];
  for (const mutant of mutants) {
    const reason = mutant.server === undefined ? undefined : await whyMissing(mutant.server);
    if (reason === undefined) possible.push(mutant);
    else console.log(`left out: ${mutant.name}: ${reason}`);
  }
  return possible;
}

/** The tests have to pass where nothing is planted, or their failing would prove nothing. */
async function requireSoundTests(): Promise<void> {
  const files = [...new Set(planted.flatMap(({ killers }) => killers))];
  const workspace = await createWorkspace([]);
  try {
    const runs = await Promise.all(
      files.map(async (file) => lanes.add(async () => runTestFile(workspace.directory, file))),
    );
    const broken = runs.filter(({ hasPassed }) => !hasPassed);
    for (const { output } of broken) console.error(output);
    if (broken.length > 0) throw new Error('tests fail though nothing is planted');
    console.log(`${files.length} test files pass where nothing is planted\n`);
  } finally {
    await workspace.remove();
  }
}

async function judge({ name, edits, killers }: Mutant): Promise<Verdict[]> {
  const workspace = await createWorkspace(edits);
  try {
    return await Promise.all(
      killers.map(async (killer) => {
        const run = await runTestFile(workspace.directory, killer);
        // A file that could not even be loaded proves nothing: some test of it has to have failed.
        return { mutant: name, killer, isKilled: !run.hasPassed && run.failedTest !== undefined, run };
      }),
    );
  } finally {
    await workspace.remove();
  }
}

function printTable(rows: readonly Verdict[]): void {
  for (const { mutant, killer, isKilled, run } of rows) {
    const seconds = (run.durationMs / 1_000).toFixed(1).padStart(5);
    console.log(`${isKilled ? 'killed  ' : 'SURVIVED'} ${seconds} s  ${mutant}`);
    console.log(`${' '.repeat(17)} by ${killer}: ${run.failedTest ?? 'no test'}`);
  }
}
