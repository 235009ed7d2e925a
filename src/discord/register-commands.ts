import type { REST } from 'discord.js';
import { Routes } from 'discord.js';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { backoffMs } from '../services/backoff.ts';
import { within } from '../services/time-limit.ts';
import { untilAborted } from '../services/until-aborted.ts';
import { PRIVATE_FILE_MODE } from '../storage/private-modes.ts';
import type { CommandSchema } from './command-localizations.ts';

/** At the last pause it is one a minute, for more than six hours. */
const ATTEMPTS_MAX = 400;
const PAUSES = { firstMs: 1_000, maxMs: 60_000 };
/** A Discord that takes longer must not keep those waiting whose results are still to be delivered. */
const FIRST_ATTEMPT_WAIT_MS_MAX = 10_000;

/**
 * Tells Discord which commands there are. Where they are those that it was told last time, nobody has to wait for that: it
 * is done after the bot is ready, and only in case that another program with the same token has told it of others since.
 * Where Discord does not take them, those that it has are still there, so that is no reason not to start: it is tried
 * again beside everything else.
 * @param options.commands in every language already
 * @param options.recordPath the file that remembers what was registered, for which application and where
 * @param options.ready resolves when the bot is ready
 * @param options.stopping ends the attempts, and the wait for the bot to be ready
 * @returns after the first attempt at commands that are new, or when that takes long, with what resolves after the last one
 */
export async function registerCommands(options: {
  rest: REST;
  apiUrl: string;
  applicationId: string;
  commands: readonly CommandSchema[];
  recordPath: string;
  ready: Promise<void>;
  stopping: AbortSignal;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): Promise<{ readonly ended: Promise<void> }> {
  const { rest, apiUrl, applicationId, commands, recordPath, ready, stopping, sleep, log } = options;
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([apiUrl, applicationId, commands]))
    .digest('hex');

  /** Answers why it did not succeed. */
  async function attempt(): Promise<{ readonly error: unknown } | undefined> {
    try {
      await rest.put(Routes.applicationCommands(applicationId), { body: commands, signal: stopping });
    } catch (error) {
      return { error };
    }
    log.info({ commands: commands.map(({ name }) => name) }, 'commands registered');
    await writeFile(recordPath, fingerprint, { mode: PRIVATE_FILE_MODE }).catch((error: unknown) =>
      log.error({ err: error }, 'that commands are registered could not be noted down; the next start does it again'),
    );
    return undefined;
  }

  async function tryAgain(): Promise<void> {
    for (let attempts = 1; attempts < ATTEMPTS_MAX; attempts += 1) {
      await untilAborted(stopping, async () => sleep(backoffMs(attempts, PAUSES)));
      if (stopping.aborted || !(await attempt())) return;
    }
    log.error('commands could not be registered for hours; the next start tries again');
  }

  async function register(first: ReturnType<typeof attempt>): Promise<void> {
    const failure = await first;
    if (!failure || stopping.aborted) return;
    log.error({ err: failure.error }, 'commands could not be registered; this is tried again until it succeeds');
    await tryAgain();
  }

  async function registerOnceReady(): Promise<void> {
    await untilAborted(stopping, async () => ready);
    if (!stopping.aborted) await register(attempt());
  }

  if ((await readFile(recordPath, 'utf8').catch(() => '')) === fingerprint) return { ended: registerOnceReady() };
  const first = attempt();
  const ended = register(first);
  await within(FIRST_ATTEMPT_WAIT_MS_MAX, async () => first);
  return { ended };
}
