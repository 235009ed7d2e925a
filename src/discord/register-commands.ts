import type { REST } from 'discord.js';
import { Routes } from 'discord.js';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { untilAborted } from '../services/until-aborted.ts';
import { PRIVATE_FILE_MODE } from '../storage/private-modes.ts';
import type { CommandSchema } from './command-localizations.ts';

/** At the last pause it is one a minute, for more than six hours. */
const ATTEMPTS_MAX = 400;
const FIRST_PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 60_000;
/** A Discord that takes longer must not keep those waiting whose results are still to be delivered. */
const FIRST_ATTEMPT_WAIT_MS_MAX = 10_000;

/**
 * Tells Discord which commands there are, but only when they are not the ones that it was told last
 * time: a restart must not use up the daily number of registrations. Where Discord does not take them, those that it
 * has are still there, so that is no reason not to start: it is tried again beside everything else.
 * @param options.commands in every language already
 * @param options.recordPath the file that remembers what was registered, for which application and where
 * @param options.stopping ends the attempts
 * @returns after the first attempt, or when that takes long, with what resolves after the last one
 */
export async function registerCommands(options: {
  rest: REST;
  apiUrl: string;
  applicationId: string;
  commands: readonly CommandSchema[];
  recordPath: string;
  stopping: AbortSignal;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): Promise<{ readonly ended: Promise<void> }> {
  const { rest, apiUrl, applicationId, commands, recordPath, stopping, sleep, log } = options;
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
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), PAUSE_MS_MAX);
      await untilAborted(stopping, async () => sleep(pauseMs));
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

  if ((await readFile(recordPath, 'utf8').catch(() => '')) === fingerprint) return { ended: Promise.resolve() };
  const first = attempt();
  const ended = register(first);
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, FIRST_ATTEMPT_WAIT_MS_MAX);
  await Promise.race([first, late.promise]);
  clearTimeout(timer);
  return { ended };
}
