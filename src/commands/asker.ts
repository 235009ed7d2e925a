import type { AutocompleteInteraction } from 'discord.js';
import { GuildMember, PermissionFlagsBits } from 'discord.js';
import type { GuildInteraction } from '../discord/command.ts';
import type { ImageRequest } from '../services/image-request.ts';

/** Who asks, and under which id: a new interaction is a new job, whatever it is about. */
export function readAsker(interaction: GuildInteraction): Pick<ImageRequest, 'id' | 'guild' | 'member' | 'roles'> {
  return {
    id: interaction.id,
    guild: interaction.guildId,
    member: interaction.user.id,
    roles: rolesOf(interaction),
  };
}

/**
 * The roles as the command brings them along. Of a server whose name Discord told when we connected, the library makes a
 * member of its own, whose public list holds only roles that it knows, and it knows none: what came is in its private one.
 */
export function rolesOf({ member }: GuildInteraction | AutocompleteInteraction): string[] {
  if (!member) return [];
  return member instanceof GuildMember ? member['_roles'] : member.roles;
}

/** Discord hides administrators' commands from others, but a server's owner can show them to anybody. */
export function mayManageServer({ memberPermissions }: GuildInteraction | AutocompleteInteraction): boolean {
  return memberPermissions?.has(PermissionFlagsBits.ManageGuild) ?? false;
}
