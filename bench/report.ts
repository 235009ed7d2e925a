import type { BotName } from './child-processes.ts';
import { BOT_NAMES } from './child-processes.ts';
import type { StepCost } from './composition-steps.ts';
import type { Figures, ScenarioName } from './scenarios.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Spread } from './statistics.ts';
import { spreadOf } from './statistics.ts';
import type { Round } from './targets.ts';
import { judge } from './targets.ts';

/** What is printed of a bench. */

const FIGURE_TITLES: readonly (readonly [keyof Figures, string])[] = [
  ['readyMs', 'ready ms'],
  ['idleMb', 'idle MB'],
  ['cpuMsPerImage', 'CPU ms/image'],
  ['overheadMs', 'overhead p50 ms'],
  ['imagesPerSecond', 'images/s'],
  ['acknowledgedP50Ms', 'ack p50 ms'],
  ['acknowledgedP99Ms', 'ack p99 ms'],
  ['acknowledgedMaxMs', 'ack max ms'],
  ['peakMb', 'peak MB'],
  ['emulatorLoad', 'emulator load'],
];
const NAME_WIDTH = 22;
const CELL_WIDTH = 22;

export function printScenario(name: ScenarioName, rounds: readonly Round[]): void {
  console.log(`\n${SCENARIOS[name].title} [${name}]`);
  const shown = FIGURE_TITLES.filter(([figure]) => valuesOf(rounds, name, 'easel', figure).length > 0);
  printRow(
    'median (min to max)',
    shown.map(([, title]) => title),
  );
  for (const bot of BOT_NAMES) {
    const cells = shown.map(([figure]) => describe(valuesOf(rounds, name, bot, figure)));
    if (cells.some((cell) => cell !== '')) printRow(bot, cells);
  }
  for (const other of BOT_NAMES.filter((bot) => bot !== 'easel')) {
    const cells = shown.map(([figure]) => describe(ratiosOf(rounds, name, other, figure)));
    if (cells.some((cell) => cell !== '')) printRow(`easel / ${other}`, cells);
  }
}

export function printSteps(steps: readonly StepCost[]): void {
  console.log('  of which putting the original back takes, in CPU ms');
  for (const { step, cpuMs } of steps) console.log(`    ${step.padEnd(NAME_WIDTH)}  ${round(cpuMs)}`);
}

export function printTargets(rounds: readonly Round[]): void {
  console.log('\nTargets, by the medians of the rounds');
  for (const { text, value, isMet } of judge(rounds)) {
    console.log(`  ${isMet ? 'met   ' : 'MISSED'}  ${text}, and it is ${round(value)}`);
  }
}

function valuesOf(rounds: readonly Round[], name: ScenarioName, bot: BotName, figure: keyof Figures): number[] {
  return rounds.map((measured) => measured[name]?.[bot]?.[figure]).filter((value) => value !== undefined);
}

/** Paired by round: both were measured within the same minutes. */
function ratiosOf(rounds: readonly Round[], name: ScenarioName, other: BotName, figure: keyof Figures): number[] {
  return rounds.flatMap((measured) => {
    const [mine, theirs] = [measured[name]?.easel?.[figure], measured[name]?.[other]?.[figure]];
    return mine === undefined || theirs === undefined ? [] : [mine / theirs];
  });
}

function describe(values: readonly number[]): string {
  if (values.length === 0) return '';
  const spread: Spread = spreadOf(values);
  if (values.length === 1) return round(spread.median);
  return `${round(spread.median)} (${round(spread.minimum)} to ${round(spread.maximum)})`;
}

function round(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

function printRow(name: string, cells: readonly string[]): void {
  console.log(name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padEnd(CELL_WIDTH)).join(''));
}
