import { setTimeout as sleep } from 'node:timers/promises';
import type { Bot, BotName, Emulator } from './child-processes.ts';
import { BOT_NAMES } from './child-processes.ts';
import { cpuMs, forgetPeak, memoryMb } from './process-figures.ts';
import type { Drive, DriveFigures } from './protocol.ts';
import { percentile } from './statistics.ts';

/** What can be measured of one bot in one scenario. Where a figure does not apply, it is left out. */
export type Figures = {
  readonly readyMs: number;
  readonly idleMb: number;
  readonly cpuMsPerImage?: number;
  readonly overheadMs?: number;
  readonly imagesPerSecond?: number;
  readonly acknowledgedP50Ms?: number;
  readonly acknowledgedP99Ms?: number;
  readonly acknowledgedMaxMs?: number;
  readonly peakMb?: number;
  /** The share of the time in which the emulator was at work; near 1, it is the emulator that is measured. */
  readonly emulatorLoad?: number;
};

export type Scenario = {
  readonly title: string;
  readonly guilds: number;
  readonly bots: readonly BotName[];
  /** Left out where only the start is measured. */
  readonly drive?: Drive;
  /** How often the drive is repeated within a round, where one is over too soon to be told from chance. */
  readonly repetitions?: number;
};

const SETTLING_MS = 1_500;
/** What a bot does after it has posted, such as clearing away, is part of what a picture costs. */
const AFTERMATH_MS = 300;
const GUILDS = 64;
const MANY_GUILDS = 10_000;

const imagine: Drive = {
  command: 'imagine',
  count: 1,
  inFlight: 1,
  picture: 'usual',
  providerMs: 20,
  landTogether: false,
  probeIntervalMs: 0,
};

/**
 * Before anything is measured the programs are run in. A bot that runs for weeks is what is asked about, and with fewer
 * the compiling of hot code would be measured too: over the first thousand images Easel comes to need a sixth less.
 */
const WARM_UP: Drive = { ...imagine, count: 1000, inFlight: 10 };
const EDIT_WARM_UP_COUNT = 150;

export const SCENARIOS = {
  start: { title: 'Start with 1 server', guilds: 1, bots: BOT_NAMES },
  'start-many': { title: `Start with ${MANY_GUILDS} servers`, guilds: MANY_GUILDS, bots: BOT_NAMES },
  sequence: {
    title: '300 images, one after another',
    guilds: GUILDS,
    bots: BOT_NAMES,
    drive: { ...imagine, count: 300 },
  },
  burst: {
    title: '20 at once',
    guilds: GUILDS,
    bots: BOT_NAMES,
    drive: { ...imagine, count: 20, inFlight: 20, providerMs: 300 },
    repetitions: 3,
  },
  flood: {
    title: '300 images, 100 in flight',
    guilds: GUILDS,
    bots: BOT_NAMES,
    drive: { ...imagine, count: 300, inFlight: 100, providerMs: 200 },
  },
  landing: {
    title: '50 results of 3 MB land together; acknowledgements of small commands meanwhile',
    guilds: GUILDS,
    bots: BOT_NAMES,
    drive: { ...imagine, count: 50, inFlight: 50, picture: 'large', landTogether: true, probeIntervalMs: 10 },
    repetitions: 2,
  },
  edit: {
    title: 'Edits of a JPEG of 2 MB with a mask, the rest left as the model made it',
    guilds: GUILDS,
    bots: BOT_NAMES,
    drive: { ...imagine, command: 'edit', count: 120 },
  },
  'edit-keeping-outside': {
    title: 'The same with the original put back outside of the mask (Easel only)',
    guilds: GUILDS,
    bots: ['easel'],
    drive: { ...imagine, command: 'edit-keeping-outside', count: 15 },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;

/** Takes a bot that has just become ready through a scenario. */
export async function measure(
  scenario: Scenario,
  bot: Bot,
  emulator: Emulator,
): Promise<{ readonly figures: Figures; readonly faults: readonly string[] }> {
  await sleep(SETTLING_MS);
  const atRest = { readyMs: bot.readyMs, idleMb: memoryMb(bot.pid, 'VmRSS') };
  const { drive, repetitions = 1 } = scenario;
  if (!drive) return { figures: atRest, faults: [] };

  const isEdit = drive.command !== 'imagine';
  const warmUp = { ...WARM_UP, command: drive.command, ...(isEdit ? { count: EDIT_WARM_UP_COUNT } : {}) };
  const driven: DriveFigures[] = [await emulator.drive(warmUp)];
  await sleep(AFTERMATH_MS);
  forgetPeak(bot.pid);
  const cpuMsBefore = cpuMs(bot.pid);
  for (let count = 0; count < repetitions; count += 1) driven.push(await emulator.drive(drive));
  await sleep(AFTERMATH_MS);
  const cpuMsUsed = cpuMs(bot.pid) - cpuMsBefore;
  const [, ...measured] = driven;
  return {
    figures: {
      ...atRest,
      ...summarize(drive, measured),
      cpuMsPerImage: cpuMsUsed / (drive.count * repetitions),
      peakMb: memoryMb(bot.pid, 'VmHWM'),
    },
    faults: driven.flatMap(({ faults }) => faults),
  };
}

function summarize(drive: Drive, measured: readonly DriveFigures[]): Partial<Figures> {
  const overheadsMs = measured.flatMap((figures) => figures.overheadsMs);
  // Where small commands probed the landing, it is they who tell how long somebody waits meanwhile.
  const waitsMs = measured.flatMap((figures) =>
    drive.probeIntervalMs > 0 ? figures.probesMs : figures.acknowledgementsMs,
  );
  const durationMs = measured.reduce((sum, figures) => sum + figures.durationMs, 0);
  return {
    emulatorLoad: measured.reduce((sum, { emulatorCpuMs }) => sum + emulatorCpuMs, 0) / durationMs,
    overheadMs: percentile(overheadsMs, 0.5),
    imagesPerSecond: (drive.count * measured.length * 1_000) / durationMs,
    acknowledgedP50Ms: percentile(waitsMs, 0.5),
    acknowledgedP99Ms: percentile(waitsMs, 0.99),
    acknowledgedMaxMs: percentile(waitsMs, 1),
  };
}
