import type { Logger } from 'pino';
import type { App } from './app.ts';
import type { Config } from './config.ts';
import { relaunch } from './relaunch.ts';

/** The process's edge: its environment, its signals and its exit code. */

const EXIT_FAILURE = 1;
const EXIT_BAD_CONFIGURATION = 78;
/** What a shell expects of a process that a signal ended: 128 and the number of SIGTERM. */
const EXIT_TERMINATED = 143;

relaunch(process);
// Nothing of the program is loaded before that, because it would be loaded twice.
const { createApp } = await import('./app.ts');
const { ConfigError, readConfig, secretsOf } = await import('./config.ts');
const { createLogger } = await import('./logging.ts');

const config = readConfigOrExit();
const log = createLogger({ level: config.LOG_LEVEL, secrets: secretsOf(config) });

// Libraries may reject where nobody can catch it, for instance on a malformed event. That must not end everybody's jobs.
process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise was rejected and nobody listened'));
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'an error that nobody caught; a restart recovers what was under way');
  process.exit(EXIT_FAILURE);
});

let draining: Promise<void> | undefined;
// Until it is built, nothing has come in and nothing was begun, so that there is nothing to wait for.
process.once('SIGTERM', endBeforeStart);
process.once('SIGINT', endBeforeStart);
const app = await buildOrExit(config, log);
process.off('SIGTERM', endBeforeStart).once('SIGTERM', stopBySignal);
process.off('SIGINT', endBeforeStart).once('SIGINT', stopBySignal);
await start();

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_BAD_CONFIGURATION);
  }
}

async function buildOrExit(settings: Config, logger: Logger): Promise<App> {
  try {
    return await createApp(settings, logger, fail);
  } catch (error) {
    logger.fatal({ err: error }, describe(error));
    process.exit(EXIT_FAILURE);
  }
}

async function start(): Promise<void> {
  try {
    await app.start();
  } catch (error) {
    if (draining === undefined) log.fatal({ err: error }, describe(error));
    // Commands come in as soon as the first shard is connected, so somebody may be waiting for a picture already.
    draining ??= drain(EXIT_FAILURE);
  }
}

/** No more commands will come in. What is under way needs no gateway to be finished and delivered. */
function fail(reason: string): void {
  log.fatal(reason);
  draining ??= drain(EXIT_FAILURE);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'start failed';
}

function endBeforeStart(): never {
  log.info('stopped before the start was over');
  process.exit(0);
}

function endNow(): never {
  process.exit(EXIT_TERMINATED);
}

/** A second signal ends at once, and recovery finishes the rest. */
function stopBySignal(): void {
  process.once('SIGTERM', endNow);
  process.once('SIGINT', endNow);
  draining ??= drain(0);
}

/** Finishes what is under way for as long as it may. */
async function drain(exitCode: number): Promise<void> {
  const drainMs = config.DRAIN_SECONDS * 1_000;
  const endsAt = Date.now() + drainMs;
  log.info({ drainSeconds: config.DRAIN_SECONDS }, 'stopping');
  setTimeout(() => {
    log.warn('the time to drain is over; recovery will finish the rest');
    process.exit(exitCode === 0 ? EXIT_TERMINATED : exitCode);
  }, drainMs).unref();
  try {
    await app.stop(endsAt);
  } catch (error) {
    log.fatal({ err: error }, 'not everything could be finished or closed; recovery will finish the rest');
    process.exit(EXIT_FAILURE);
  }
  log.info('stopped');
  process.exit(exitCode);
}
