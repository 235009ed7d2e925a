import type { REST } from 'discord.js';
import { Routes } from 'discord.js';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { PRIVATE_FILE_MODE } from '../storage/private-modes.ts';
import type { CommandSchema } from './command-localizations.ts';
import { localizeCommand } from './command-localizations.ts';

/**
 * Tells Discord which commands there are, in every language, but only when they are not the ones that it was told last
 * time: a restart must not use up the daily number of registrations. Where Discord does not take them, those that it
 * has are still there, so that is no reason not to start.
 * @param options.recordPath the file that remembers what was registered, for which application and where
 */
export async function registerCommands(options: {
  rest: REST;
  apiUrl: string;
  applicationId: string;
  commands: readonly CommandSchema[];
  recordPath: string;
  log: Logger;
}): Promise<void> {
  const { rest, apiUrl, applicationId, recordPath, log } = options;
  const commands = options.commands.map(localizeCommand);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([apiUrl, applicationId, commands]))
    .digest('hex');
  if ((await readFile(recordPath, 'utf8').catch(() => '')) === fingerprint) return;
  try {
    await rest.put(Routes.applicationCommands(applicationId), { body: commands });
  } catch (error) {
    log.error({ err: error }, 'commands could not be registered; the next start tries again');
    return;
  }
  log.info({ commands: commands.map(({ name }) => name) }, 'commands registered');
  await writeFile(recordPath, fingerprint, { mode: PRIVATE_FILE_MODE }).catch((error: unknown) =>
    log.error({ err: error }, 'that commands are registered could not be noted down; the next start does it again'),
  );
}
