import type { REST } from 'discord.js';
import { DiscordAPIError, Routes } from 'discord.js';
import type { Logger } from 'pino';
import * as z from 'zod';
import { backoffMs } from '../services/backoff.ts';
import { untilAborted } from '../services/until-aborted.ts';
import { GatewayError } from './gateway-error.ts';

/** With the pauses between them, about a minute. */
const ATTEMPTS_MAX = 11;
const PAUSES = { firstMs: 500, maxMs: 8_000 };
const MINUTE_MS = 60_000;

/** How often a bot may enter is Discord's own business; what has no such limit has no reason to tell of one. */
const SESSION_LIMIT = { total: 1_000, remaining: 1_000, reset_after: 0, max_concurrency: 1 };

const informationSchema = z.looseObject({
  url: z.string(),
  shards: z.int().positive().catch(1),
  session_start_limit: z
    .object({
      total: z.number(),
      remaining: z.number(),
      reset_after: z.number(),
      max_concurrency: z.int().positive(),
    })
    .catch(SESSION_LIMIT),
});

/** How many connections Discord wants the bot's servers spread over, and how many it lets in at a time. */
export type GatewayInformation = z.infer<typeof informationSchema>;

/**
 * Makes the library ask for the address of the gateway until it is told, because a Discord that starts at the same time
 * as the bot is not there yet, and fills in what the library cannot do without. A refusal is passed on at once.
 * @returns what resolves with what was told for the first time
 */
export async function askPatientlyForGateway(
  rest: REST,
  parts: { leaving: AbortSignal; sleep: (ms: number) => Promise<unknown>; log: Logger },
): Promise<GatewayInformation> {
  const { leaving, sleep, log } = parts;
  const told = Promise.withResolvers<GatewayInformation>();
  const get = rest.get.bind(rest);

  async function askForGateway(options: Parameters<REST['get']>[1]): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const information = informationSchema.parse(await get(Routes.gatewayBot(), { ...options, signal: leaving }));
        checkEntriesLeft(information);
        told.resolve(information);
        return information;
      } catch (error) {
        const isFinal = error instanceof DiscordAPIError || error instanceof GatewayError || leaving.aborted;
        if (isFinal || attempt === ATTEMPTS_MAX) throw error;
        log.warn({ err: error, attempt }, 'Discord cannot be reached yet; trying again');
        await untilAborted(leaving, async () => sleep(backoffMs(attempt, PAUSES)));
      }
    }
  }

  Object.assign(rest, {
    get: async (...[route, options]: Parameters<REST['get']>) =>
      route === Routes.gatewayBot() ? askForGateway(options) : get(route, options),
  });
  return told.promise;
}

/** A shard takes an entry each, and Discord resets the token of whoever goes on when none is left. */
function checkEntriesLeft({ shards, session_start_limit: limit }: GatewayInformation): void {
  if (limit.remaining >= shards) return;
  const minutes = Math.ceil(limit.reset_after / MINUTE_MS);
  throw new GatewayError(
    `Discord lets the bot enter its gateway only ${limit.total} times a day. It needs ${shards} of them and has ` +
      `${limit.remaining} left. Start again in ${minutes} minutes, and see what has restarted it so often.`,
  );
}
