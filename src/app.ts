import './discord/form-data.ts';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Outside, Parts } from './composition.ts';
import { createParts } from './composition.ts';
import type { Config } from './config.ts';
import { localizeCommand } from './discord/command-localizations.ts';
import { createGateway } from './discord/gateway.ts';
import { registerCommands } from './discord/register-commands.ts';
import { startHttpServer } from './http/server.ts';
import { cacheBriefly } from './services/brief-cache.ts';
import { closeInOrder } from './services/closing-steps.ts';

/** Easel, built and listening to its port. */
export type App = {
  /** Lets commands in. Resolves when it is ready, or when it was stopped before that; rejects where it cannot get in. */
  start(): Promise<void>;
  /**
   * Takes no more commands, finishes what is under way, and lets go of everything. Ends a start that is under way.
   * @param endsAt when the process ends at the latest: no call begins that might take longer
   */
  stop(endsAt: number): Promise<void>;
};

const SECOND_MS = 1_000;
const MODEL_REFRESH_INTERVAL_MS = 60 * 60_000;
const USAGE_UPKEEP_INTERVAL_MS = 10 * 60_000;
/** Longer than it takes to ask often, and short enough to tell the truth. */
const PROBE_KEPT_MS = 1_000;

/**
 * Builds everything, and opens the ways in: commands through the gateway, browsers and probes over HTTP.
 * @param onLost called where no more commands will ever come in, with the reason
 */
export async function createApp(config: Config, log: Logger, onLost: (reason: string) => void): Promise<App> {
  const stopping = new AbortController();
  const outside: Outside = { now: Date.now, random: Math.random, sleep, stopping: stopping.signal, log };
  let isReady = false;
  const ready = Promise.withResolvers<void>();
  const parts = await createParts(config, outside, () => isReady);
  const { rest, core, reporting, painter, router } = parts;
  const gateway = createGateway({
    token: config.DISCORD_TOKEN,
    rest: rest.quickOptions,
    onInteraction: (interaction) => void router.handle(interaction),
    onLost,
    sleep,
    log,
  });
  // Before the first command can come in: a port that is taken must not end a process that people count on.
  const server = await listen(config, outside, parts, () => isReady && gateway.isConnected());
  const timers: NodeJS.Timeout[] = [];
  /** What goes on beside the commands, and has an end of its own. */
  const beside: Promise<unknown>[] = [];
  let starting = Promise.resolve();

  async function start(): Promise<void> {
    const entering = gateway.connect();
    // Worked out while Discord is waited for.
    const commands = parts.schemas.map(localizeCommand);
    const entered = await entering;
    if (!entered) return;
    const { applicationId, shards } = entered;
    const registration = await registerCommands({
      // Discord may take longer over a dozen commands in six languages than over an acknowledgement.
      rest: rest.patient,
      apiUrl: config.DISCORD_API_URL,
      applicationId,
      commands,
      recordPath: join(config.DATA_DIR, 'registered-commands'),
      ready: ready.promise,
      stopping: stopping.signal,
      sleep,
      log,
    });
    beside.push(registration.ended);
    if (stopping.signal.aborted) return;
    timers.push(...startTimers(config, core, reporting));
    isReady = true;
    log.info({ applicationId, shards, httpPort: server.port }, 'ready');
    const recovering = core.recovery.sweep();
    void recovering.then(async () => reporting.upkeep.run());
    beside.push(recovering, loadTheRest(parts, log));
    ready.resolve();
  }

  return {
    async start() {
      if (stopping.signal.aborted) return;
      starting = start();
      await starting;
    },
    async stop(endsAt) {
      core.closing.announce(endsAt);
      stopping.abort();
      timers.forEach((timer) => clearInterval(timer));
      const recovered = core.recovery.stop();
      const painted = painter?.drain();
      const groups = [
        [async () => gateway.disconnect()],
        // Whoever started it hears of its failure.
        [async () => starting.catch(() => undefined)],
        [() => core.admission.close()],
        [async () => router.drain(), async () => painted],
        [async () => Promise.all(beside), async () => recovered],
        ...lettingGo(parts, server),
      ];
      await closeInOrder(groups, log);
    },
  };
}

/** @param isConnected whether commands come in */
async function listen(
  config: Config,
  outside: Outside,
  { money, metrics, painter }: Pick<Parts, 'money' | 'metrics' | 'painter'>,
  isConnected: () => boolean,
) {
  // A probe is a durable commit, and anybody may ask.
  const isWritable = cacheBriefly(async () => money.store.isWritable(), { ...outside, keptMs: PROBE_KEPT_MS });
  return startHttpServer({
    host: config.HTTP_HOST,
    port: config.HTTP_PORT,
    metrics,
    painter: painter?.listener,
    log: outside.log,
    health: { isReady: async () => isConnected() && (await isWritable()) },
  });
}

/** What is left to be closed once no job is under way: first what still has something to tell, last what is told by. */
function lettingGo(
  { jobLog, budgetWatch, reporting, rest, attachments, core, money }: Parts,
  server: { close(): Promise<void> },
): (() => unknown)[][] {
  return [
    [async () => jobLog.drain(), async () => budgetWatch.drain()],
    [async () => reporting.upkeep.stop(), async () => reporting.charts.close()],
    [async () => server.close()],
    [rest, attachments, core.spool, money.store].map((part) => async () => part.close()),
    [() => core.lease.release()],
  ];
}

function startTimers(config: Config, core: Parts['core'], reporting: Parts['reporting']): readonly NodeJS.Timeout[] {
  return [
    setInterval(() => void core.recovery.sweep(), config.RECOVERY_SECONDS * SECOND_MS),
    setInterval(() => void core.roster.refresh(), MODEL_REFRESH_INTERVAL_MS),
    setInterval(() => void reporting.upkeep.run(), USAGE_UPKEEP_INTERVAL_MS),
  ];
}

/** No acknowledgement needs these, and whoever asks for a picture now has not got to wait for them either. */
async function loadTheRest({ core, metrics }: Pick<Parts, 'core' | 'metrics'>, log: Logger): Promise<void> {
  await Promise.all([core.provider.load(), metrics.load()]).catch((error: unknown) => {
    log.error({ err: error }, 'a part of the program could not be loaded: install it anew');
  });
}
