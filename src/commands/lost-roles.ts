import { Routes } from 'discord.js';
import * as z from 'zod';
import type { GuildCommand } from '../discord/command.ts';
import type { GuildSettingsStore } from '../services/guild-settings-store.ts';
import type { GuildSettings } from '../services/guild-settings.ts';
import { rolesOf } from './asker.ts';

/**
 * What was decided for roles that have been deleted. Nobody can have such a role, and nobody could take back what was
 * decided for it, because only Discord's picker names roles.
 */

const rolesSchema = z.array(z.object({ id: z.string() }));

/**
 * The roles with rules that are not there any more; none where Discord does not say so.
 * @throws {StoreFailure} where the store fails
 */
export async function findLostRoles(
  settings: Pick<GuildSettingsStore, 'read'>,
  interaction: GuildCommand,
): Promise<readonly string[]> {
  // Before Discord is asked: a role that is made and ruled meanwhile must not be missed in what it answers.
  const ruled = ruledRoles(await settings.read(interaction.guildId));
  if (ruled.length === 0) return [];
  const answer = await interaction.client.rest.get(Routes.guildRoles(interaction.guildId)).catch(() => undefined);
  const present = new Set(rolesSchema.safeParse(answer).data?.map(({ id }) => id));
  // A list without roles that are there for certain is not the whole one. @everyone has the server's own id.
  const certain = [interaction.guildId, ...rolesOf(interaction)];
  return certain.every((role) => present.has(role)) ? ruled.filter((role) => !present.has(role)) : [];
}

/** The settings as if nothing had been decided for these roles. */
export function withoutRoles(settings: GuildSettings, lost: readonly string[]): GuildSettings {
  const { limits, access } = settings;
  return {
    ...settings,
    limits: { ...limits, roles: withoutKeys(limits.roles, lost) },
    access: withoutKeys(access, lost),
  };
}

function ruledRoles({ limits, access }: GuildSettings): string[] {
  return [...new Set([...Object.keys(limits.roles), ...Object.keys(access)])];
}

function withoutKeys<Value>(record: Readonly<Record<string, Value>>, keys: readonly string[]): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}
