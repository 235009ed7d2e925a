import { PERMISSION } from '../discord/permissions.ts';
import type { EmulatedUser } from '../discord/world.ts';
import type { Stage } from '../stage.ts';

/** Somebody whose eyes the page can show Discord through, and a word about what sets them apart. */
export type Person = { readonly user: EmulatedUser; readonly role: string };

/** Adds a second member and a second server to the stage. Two servers share two people, so that both can be compared. */
export function addCast({ discord, guild, member, administrator }: Stage): readonly Person[] {
  const { world } = discord;
  const otherMember = world.addMember(guild, { username: 'noor' });
  const otherGuild = world.addGuild({ name: 'Night Owls' });
  world.addMember(otherGuild, { user: member.user });
  world.addMember(otherGuild, { user: administrator.user, permissions: PERMISSION.manageGuild });
  return [
    { user: member.user, role: 'Member' },
    { user: otherMember.user, role: 'Another member' },
    { user: administrator.user, role: 'Administrator' },
  ];
}
