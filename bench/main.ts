import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BotName, Emulator } from './child-processes.ts';
import { pinToCores, startBot, startEmulator } from './child-processes.ts';
import { measureComposition } from './composition-steps.ts';
import { readOptionsOrExit } from './options.ts';
import { printScenario, printSteps, printTargets } from './report.ts';
import type { Scenario, ScenarioName } from './scenarios.ts';
import { measure, SCENARIOS } from './scenarios.ts';
import type { Round } from './targets.ts';
import { judge } from './targets.ts';

/** `npm run bench`: Easel beside three other bots, interleaved. README.md in this folder says how to read it. */

const options = readOptionsOrExit();
const { scenarios: scenarioNames, bots: botNames, nodeFlags } = options;
/** The scenario whose work on pixels is also taken apart. */
const COMPOSING: ScenarioName = 'edit-keeping-outside';

const directory = await mkdtemp(join(tmpdir(), 'easel-bench-'));
const faults: string[] = [];
try {
  const rounds = await runRounds(options.rounds);
  const compositionSteps = scenarioNames.includes(COMPOSING) ? await measureComposition() : [];
  for (const name of scenarioNames) {
    printScenario(name, rounds);
    if (name === COMPOSING) printSteps(compositionSteps);
  }
  printTargets(rounds);
  if (options.json !== undefined) {
    const report = {
      at: new Date().toISOString(),
      node: process.version,
      rounds,
      compositionSteps,
      targets: judge(rounds),
      faults,
    };
    await writeFile(options.json, JSON.stringify(report, undefined, 2));
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
if (options.isUsageWanted) runUsageBench();
for (const fault of new Set(faults)) console.error(`WRONG: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);

async function runRounds(count: number): Promise<readonly Round[]> {
  const isPinned = pinToCores();
  if (!isPinned) console.log('processes are not kept to cores here: there is no taskset, or one core only');
  const emulator = await startEmulator();
  const rounds: Round[] = [];
  // The first start of all registers commands and makes databases; what is measured is every start after it.
  for (const bot of botNames) await visit('start', bot, emulator, isPinned);
  for (let index = 0; index < count; index += 1) {
    const round: Round = {};
    for (const name of scenarioNames) {
      const scenario: Scenario = SCENARIOS[name];
      const bots = botNames.filter((bot) => scenario.bots.includes(bot));
      // Nobody is always the first, or always behind the same other.
      const turn = index % bots.length;
      for (const bot of [...bots.slice(turn), ...bots.slice(0, turn)]) {
        const figures = await visit(name, bot, emulator, isPinned);
        if (figures) round[name] = { ...round[name], [bot]: figures };
      }
    }
    rounds.push(round);
    console.log(`round ${index + 1} of ${count} is over`);
  }
  emulator.close();
  return rounds;
}

/** Starts a bot, measures, and ends it. What goes wrong is noted, and the other bots go on. */
async function visit(name: ScenarioName, botName: BotName, emulator: Emulator, isPinned: boolean) {
  const dataDirectory = join(directory, botName);
  await mkdir(dataDirectory, { recursive: true });
  await emulator.setGuilds(SCENARIOS[name].guilds);
  try {
    const bot = await startBot(botName, { origin: emulator.origin, dataDirectory, isPinned, nodeFlags });
    try {
      const measured = await measure(SCENARIOS[name], bot, emulator);
      const ending = bot.exitCode === undefined ? [] : [`it ended with ${bot.exitCode}`];
      const found = [...measured.faults, ...ending].map((fault) => `${name}, ${botName}: ${fault}`);
      if (found.length > 0) faults.push(...found, `${botName} wrote last:\n${bot.output.join('\n')}`);
      return measured.faults.length > 0 ? undefined : measured.figures;
    } finally {
      await bot.stop();
    }
  } catch (error) {
    faults.push(`${name}, ${botName}: ${String(error)}`);
    return undefined;
  }
}

function runUsageBench(): void {
  console.log('\n/usage in a month of 100,000 entries [usage]');
  const program = fileURLToPath(new URL('./usage.ts', import.meta.url));
  const { status } = spawnSync(process.execPath, [program], { stdio: 'inherit' });
  if (status !== 0) faults.push('the bench of /usage failed');
}
