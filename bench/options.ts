import { parseArgs } from 'node:util';
import type { BotName } from './child-processes.ts';
import { BOT_NAMES } from './child-processes.ts';
import type { ScenarioName } from './scenarios.ts';
import { SCENARIOS } from './scenarios.ts';

/** What a bench is asked for on its command line. */
export type BenchOptions = {
  readonly rounds: number;
  readonly scenarios: readonly ScenarioName[];
  /** A report in a month of 100,000 entries, which has a program of its own. */
  readonly isUsageWanted: boolean;
  readonly bots: readonly BotName[];
  /** The file for every figure of every round, if there shall be one. */
  readonly json: string | undefined;
  readonly nodeFlags: readonly string[];
};

const ROUNDS = 5;
const USAGE = 'usage';
const SCENARIO_NAMES = Object.keys(SCENARIOS).filter(isScenarioName);
const EXIT_BAD_USAGE = 2;

const HELP = `npm run bench -- [--rounds ${ROUNDS}] [--scenarios ${[...SCENARIO_NAMES, USAGE].join()}]
                 [--bots ${BOT_NAMES.join()}] [--json FILE] [--node-flags='--cpu-prof …']

Measures Easel beside three other bots. bench/README.md says how to read it.`;

/** Ends the process where help is asked for, or where what is asked for cannot be understood. */
export function readOptionsOrExit(): BenchOptions {
  try {
    return readOptions();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return process.exit(EXIT_BAD_USAGE);
  }
}

function readOptions(): BenchOptions {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      rounds: { type: 'string', default: String(ROUNDS) },
      scenarios: { type: 'string', default: [...SCENARIO_NAMES, USAGE].join() },
      bots: { type: 'string', default: BOT_NAMES.join() },
      json: { type: 'string' },
      'node-flags': { type: 'string', default: '' },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const rounds = Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError('--rounds takes a whole number from 1 on');
  const wanted = choose('--scenarios', values.scenarios, [...SCENARIO_NAMES, USAGE] as const);
  return {
    rounds,
    scenarios: SCENARIO_NAMES.filter((name) => wanted.includes(name)),
    isUsageWanted: wanted.includes(USAGE),
    bots: choose('--bots', values.bots, BOT_NAMES),
    json: values.json,
    nodeFlags: values['node-flags'].split(' ').filter((flag) => flag !== ''),
  };
}

/** In their own order, whatever the order in which they were asked for. */
function choose<Name extends string>(option: string, text: string, names: readonly Name[]): readonly Name[] {
  const asked = text.split(',');
  const unknown = asked.find((name) => !names.some((known) => known === name));
  if (unknown !== undefined) throw new RangeError(`${option} takes ${names.join(', ')}, and not "${unknown}"`);
  return names.filter((name) => asked.includes(name));
}

function isScenarioName(name: string): name is ScenarioName {
  return name in SCENARIOS;
}
