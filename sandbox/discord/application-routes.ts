import { z } from 'zod';
import { refusals } from './api-refusal.ts';
import { commandToWire } from './command-registry.ts';
import { checkCommands } from './command-rules.ts';
import { commandSchema } from './command-schema.ts';
import { parseForm } from './forms.ts';
import type { Gateway } from './gateway.ts';
import { installationsOfApplication } from './installations.ts';
import type { Route, RouteRequest } from './route.ts';
import type { EmulatorState } from './state.ts';
import type { WireObject } from './world-wire.ts';
import { userToWire } from './world-wire.ts';

/** Sessions a bot may start in a day, as Discord grants a small bot. */
const SESSION_START_LIMIT = { total: 1000, remaining: 999, reset_after: 86_400_000 } as const;

/** Who the bot is, where its gateway is, and its commands. */
export function createApplicationRoutes(state: EmulatorState, gateway: Gateway): Route[] {
  const bot = { needsBot: true } as const;
  const commands = { ...bot, template: '/applications/{application_id}/commands' };
  const application = {
    ...bot,
    name: 'current application',
    method: 'GET',
    handle: () => ({ status: 200, body: applicationToWire(state) }),
  } as const;
  return [
    {
      ...bot,
      name: 'gateway',
      method: 'GET',
      template: '/gateway/bot',
      handle: () => ({
        status: 200,
        body: {
          url: gateway.url(),
          shards: gateway.recommendShards(),
          session_start_limit: { ...SESSION_START_LIMIT, max_concurrency: gateway.concurrentIdentifiesMax },
        },
      }),
    },
    {
      ...bot,
      name: 'current user',
      method: 'GET',
      template: '/users/@me',
      handle: () => ({ status: 200, body: { ...userToWire(state.world.bot), mfa_enabled: false, verified: true } }),
    },
    { ...application, template: '/applications/@me' },
    { ...application, template: '/oauth2/applications/@me' },
    {
      ...commands,
      name: 'GET commands',
      method: 'GET',
      handle: (request) => {
        checkApplication(state, request);
        return { status: 200, body: listCommands(state) };
      },
    },
    {
      ...commands,
      name: 'PUT commands',
      method: 'PUT',
      handle: (request) => {
        checkApplication(state, request);
        const forms = parseForm(z.array(commandSchema), request.json);
        checkCommands(forms);
        state.commands.overwrite(forms);
        state.changes.announce();
        return { status: 200, body: listCommands(state) };
      },
    },
  ];
}

function checkApplication(state: EmulatorState, request: RouteRequest): void {
  if (request.parameter('application_id') !== state.applicationId) throw refusals.unknownApplication();
}

function listCommands(state: EmulatorState): WireObject[] {
  const application = { id: state.applicationId, installations: installationsOfApplication(state.world) };
  return state.commands.all().map((command) => commandToWire(command, application));
}

function applicationToWire(state: EmulatorState): WireObject {
  const owner = [...state.world.users.values()].find((user) => !user.isBot);
  return {
    id: state.applicationId,
    name: state.world.bot.username,
    icon: null,
    description: '',
    summary: '',
    type: null,
    bot: userToWire(state.world.bot),
    bot_public: true,
    bot_require_code_grant: false,
    verify_key: '0'.repeat(64),
    flags: 0,
    hook: true,
    integration_types_config: Object.fromEntries(installationsOfApplication(state.world).map((kind) => [kind, {}])),
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    approximate_guild_count: state.world.guilds.size,
    team: null,
    ...(owner === undefined ? {} : { owner: userToWire(owner) }),
  };
}
