import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCommand, Drive, DriveFigures } from '../protocol.ts';
import type { CommandLog, Sent } from './command-log.ts';
import { createCommandLog } from './command-log.ts';
import type { Pictures } from './pictures.ts';
import type { BenchInteraction } from './world.ts';

/** Sends commands to the bot and watches what comes of them. The routes report here what they see. */
export type Drives = {
  run(drive: Drive): Promise<DriveFigures>;
  acknowledged(interactionId: string): void;
  /** An original reply was edited and has a file now; either its length, or what is wrong with it. */
  posted(token: string, file: number | string): void;
  /** A call is at the provider; resolves when it is to be answered, with the body. */
  called(sentBytes: number): Promise<Buffer>;
  fault(what: string): void;
};

/** Whoever has not posted by then has lost the picture. */
const DRIVE_MS_MAX = 60_000;
const ACKNOWLEDGEMENT_MS_MAX = 30_000;
const MICROSECONDS_PER_MS = 1_000;

export function createDrives(parts: {
  pictures: Pictures;
  send: (command: BenchCommand | 'quota') => BenchInteraction;
}): Drives {
  const { pictures } = parts;
  const log = createCommandLog(parts.send);
  let current: Drive | undefined;
  let faults: string[] = [];
  let atProvider = 0;
  let landing = Promise.withResolvers<void>();

  /** Sends small commands from the moment when results begin to land until all of them are posted. */
  async function probe(intervalMs: number, end: AbortSignal): Promise<Sent[]> {
    const probes: Sent[] = [];
    if (intervalMs === 0) return probes;
    await landing.promise;
    while (!end.aborted) {
      probes.push(log.issue('quota'));
      await sleep(intervalMs);
    }
    return probes;
  }

  async function untilAcknowledged(sent: readonly Sent[]): Promise<void> {
    const deadline = performance.now() + ACKNOWLEDGEMENT_MS_MAX;
    while (sent.some(({ acknowledgedAt }) => acknowledgedAt === undefined)) {
      if (performance.now() > deadline) return void faults.push('a command was never acknowledged');
      await sleep(1);
    }
  }

  async function run(drive: Drive): Promise<DriveFigures> {
    const end = new AbortController();
    const begin = performance.now();
    const cpuBefore = process.cpuUsage();
    const probing = probe(drive.probeIntervalMs, end.signal);
    const tooLate = sleep(DRIVE_MS_MAX, undefined, { ref: false, signal: end.signal }).catch(() => undefined);
    const ran = await Promise.race([runCommands(log, drive), tooLate]);
    const durationMs = performance.now() - begin;
    const { user, system } = process.cpuUsage(cpuBefore);
    landing.resolve();
    end.abort();
    const probes = await probing;
    if (!ran) faults.push(`pictures of ${drive.command} were lost`);
    const sent = ran?.sent ?? [];
    await untilAcknowledged([...sent, ...probes]);
    return {
      durationMs,
      acknowledgementsMs: waitsMs(sent),
      overheadsMs: ran?.overheadsMs ?? [],
      probesMs: waitsMs(probes),
      emulatorCpuMs: (user + system) / MICROSECONDS_PER_MS,
      faults,
    };
  }

  return {
    async run(drive) {
      current = drive;
      faults = [];
      atProvider = 0;
      landing = Promise.withResolvers<void>();
      log.forgetAll();
      return run(drive);
    },
    acknowledged: (interactionId) => log.acknowledged(interactionId),
    posted(token, file) {
      const expected = pictures.answers[current?.picture ?? 'usual'].picture.length;
      // With the original put back it is another picture, of which only the form is known.
      const isExpected = file === expected || current?.command === 'edit-keeping-outside';
      if (typeof file === 'string') faults.push(file);
      else if (!isExpected) faults.push(`a picture of ${file} bytes was posted instead of one of ${expected}`);
      log.posted(token);
    },
    async called(sentBytes) {
      const drive = current;
      if (!drive) throw new Error('a call that nobody asked for');
      const isEdit = drive.command !== 'imagine';
      if (isEdit && sentBytes < pictures.source.length / 2) faults.push('an edit came without its image');
      atProvider += 1;
      if (atProvider === drive.count) landing.resolve();
      await (drive.landTogether ? landing.promise : sleep(drive.providerMs));
      return pictures.answers[drive.picture].body;
    },
    fault: (what) => void faults.push(what),
  };
}

/** Sends the next command whenever one has ended, until all are through. */
async function runCommands(log: CommandLog, drive: Drive): Promise<{ sent: Sent[]; overheadsMs: number[] }> {
  const sent: Sent[] = [];
  const overheadsMs: number[] = [];
  async function runLane(): Promise<void> {
    while (sent.length < drive.count) {
      const one = log.issue(drive.command);
      sent.push(one);
      await one.posted;
      overheadsMs.push(performance.now() - one.at - drive.providerMs);
    }
  }
  await Promise.all(Array.from({ length: drive.inFlight }, runLane));
  return { sent, overheadsMs };
}

function waitsMs(sent: readonly Sent[]): number[] {
  return sent.flatMap(({ at, acknowledgedAt }) => (acknowledgedAt === undefined ? [] : [acknowledgedAt - at]));
}
