import type { RegisteredCommand } from './command-registry.ts';
import type { EmulatedChannel, EmulatedUser, World } from './world.ts';

/** Where an application can be installed: on a server, or to somebody's account, who then has it everywhere. */
const INSTALLATION = { guild: 0, user: 1 } as const;

/** Whose installations an interaction comes by, by their kind; 0 stands for the server of direct messages. */
export type IntegrationOwners = Readonly<Partial<Record<0 | 1, string>>>;

/** The kinds that a command is offered by: what it does not say itself is as the application has it. */
function installationsOf(world: World, command: Pick<RegisteredCommand, 'integration_types'>): readonly number[] {
  return command.integration_types ?? installationsOfApplication(world);
}

export function installationsOfApplication(world: World): readonly (0 | 1)[] {
  return world.isInstallableToUsers ? [INSTALLATION.guild, INSTALLATION.user] : [INSTALLATION.guild];
}

/** By whose installations a user has a command in a channel; by nobody's where it is not offered there. */
export function ownersOfCommand(
  world: World,
  place: { readonly channel: EmulatedChannel; readonly user: EmulatedUser },
  command: Pick<RegisteredCommand, 'integration_types'>,
): IntegrationOwners {
  const { channel, user } = place;
  const kinds = installationsOf(world, command);
  const isOnServer = channel.guildId === undefined || world.guild(channel.guildId).botPresent;
  return {
    ...(isOnServer && kinds.includes(INSTALLATION.guild) ? ownersOnServer(channel) : {}),
    ...(user.hasInstalledBot && kinds.includes(INSTALLATION.user) ? { [INSTALLATION.user]: user.id } : {}),
  };
}

/** Whose installation brings about what is neither a command nor comes of one. */
export function ownersOnServer({ guildId }: EmulatedChannel): IntegrationOwners {
  return { [INSTALLATION.guild]: guildId ?? '0' };
}

/** Whether an interaction outlives the bot's being removed from the server. */
export function isOfUser(owners: IntegrationOwners): boolean {
  return owners[INSTALLATION.user] !== undefined;
}
