import type { REST, RESTPostAPIApplicationCommandsJSONBody } from 'discord.js';
import { Routes } from 'discord.js';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/**
 * Tells Discord which commands there are, but only when they are not the ones that it was told last time: a restart
 * must not use up the daily number of registrations.
 * @param recordPath the file that remembers what was registered, for which application and where.
 * @returns whether they were registered.
 */
export async function registerCommands(options: {
  rest: REST;
  apiUrl: string;
  applicationId: string;
  commands: readonly RESTPostAPIApplicationCommandsJSONBody[];
  recordPath: string;
}): Promise<boolean> {
  const { rest, apiUrl, applicationId, commands, recordPath } = options;
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([apiUrl, applicationId, commands]))
    .digest('hex');
  if ((await readFile(recordPath, 'utf8').catch(() => '')) === fingerprint) return false;
  await rest.put(Routes.applicationCommands(applicationId), { body: commands });
  await writeFile(recordPath, fingerprint, { mode: 0o600 });
  return true;
}
