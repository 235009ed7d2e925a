import { refusals } from './api-refusal.ts';
import type { Route, RouteAnswer, RouteRequest } from './route.ts';
import type { EmulatorState } from './state.ts';
import { roleToWire } from './world-wire.ts';

/** What the bot asks with its own token of a server that it is on. */
export function createGuildRoutes(state: EmulatorState): Route[] {
  return [
    {
      needsBot: true,
      name: 'GET guild roles',
      method: 'GET',
      template: '/guilds/{guild_id}/roles',
      handle: (request) => listRoles(state, request),
    },
  ];
}

function listRoles({ world }: EmulatorState, request: RouteRequest): RouteAnswer {
  const guild = world.guilds.get(request.parameter('guild_id'));
  if (guild?.botPresent !== true) throw refusals.unknownGuild();
  return { status: 200, body: [...guild.roles.values()].map(roleToWire) };
}
