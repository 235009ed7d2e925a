import { COMMAND_TYPE } from '../discord/numbers.ts';
import type { EmulatedDiscord } from '../discord/emulated-discord.ts';
import { INTERACTION_CONTEXT } from '../discord/interaction-payload.ts';
import { permits } from '../discord/permissions.ts';
import type { EmulatedGuild, EmulatedUser, World } from '../discord/world.ts';
import type { Person } from './cast.ts';
import type { CommandView, GuildView, LatestView, MemberView, PersonView, WorldView } from './view.ts';
import type { Viewer } from './viewer.ts';
import { isVisibleTo } from './viewer.ts';

/** Who and what there is. */
export function viewWorld(world: World, people: readonly Person[], usesRealProvider: boolean): WorldView {
  return {
    bot: { id: world.bot.id, name: world.bot.globalName },
    people: people.map((person) => viewPerson(world, person)),
    guilds: [...world.guilds.values()].map(viewGuild),
    users: [...world.users.values()].map(viewUser),
    usesRealProvider,
  };
}

export function viewUser(user: EmulatedUser): MemberView {
  return { id: user.id, name: user.globalName, isBot: user.isBot };
}

function viewPerson(world: World, { user, role }: Person): PersonView {
  return { id: user.id, name: user.globalName, role, directChannelId: world.directChannel(user).id };
}

function viewGuild(guild: EmulatedGuild): GuildView {
  return {
    id: guild.id,
    name: guild.name,
    channels: [...guild.channels.values()].map(({ id, name }) => ({ id, name })),
    roles: [...guild.roles.values()].map(({ id, name }) => ({ id, name })),
    members: [...guild.members.values()].map(({ user }) => viewUser(user)),
  };
}

/** Where the bot has said something last that this person sees, in every channel of theirs. */
export function viewLatest(
  { world, channelMessages }: Pick<EmulatedDiscord, 'world' | 'channelMessages'>,
  { user }: Viewer,
): LatestView {
  const guilds = [...world.guilds.values()].filter(({ members }) => members.has(user.id));
  const channels = [world.directChannel(user), ...guilds.flatMap(({ channels: own }) => [...own.values()])];
  const latest: Record<string, string> = {};
  for (const channel of channels) {
    const message = channelMessages(channel).findLast(
      (candidate) => candidate.authorId === world.bot.id && isVisibleTo(candidate, user),
    );
    if (message !== undefined) latest[channel.id] = message.id;
  }
  return latest;
}

/** The commands that Discord would offer a person in a channel. */
export function viewCommands(
  { registeredCommands, world }: Pick<EmulatedDiscord, 'registeredCommands' | 'world'>,
  viewer: Viewer,
): readonly CommandView[] {
  const context = viewer.guild === undefined ? INTERACTION_CONTEXT.botDirectMessage : INTERACTION_CONTEXT.guild;
  return registeredCommands()
    .filter((command) => {
      const contexts = command.contexts ?? (command.dm_permission === false ? [INTERACTION_CONTEXT.guild] : undefined);
      const needed = BigInt(command.default_member_permissions ?? 0);
      const isAllowed = !('user' in viewer.actor) || permits(world.memberPermissions(viewer.actor), needed);
      // Commands on users are not offered: nobody has a menu here.
      return isAllowed && contexts?.includes(context) !== false && command.type !== COMMAND_TYPE.user;
    })
    .map(({ id, type, name, description, options }) => ({ id, type, name, description, options }));
}
