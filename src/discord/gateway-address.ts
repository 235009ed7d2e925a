import type { REST } from 'discord.js';
import { DiscordAPIError, Routes } from 'discord.js';
import type { Logger } from 'pino';
import * as z from 'zod';

/** With the pauses between them, about a minute. */
const ATTEMPTS_MAX = 11;
const FIRST_PAUSE_MS = 500;
const PAUSE_MS_MAX = 8_000;

/** How often a bot may enter is Discord's own business; what has no such limit has no reason to tell of one. */
const SESSION_LIMIT = { total: 1_000, remaining: 1_000, reset_after: 0, max_concurrency: 1 };

const informationSchema = z.looseObject({
  url: z.string(),
  shards: z.int().positive().catch(1),
  session_start_limit: z
    .object({ total: z.number(), remaining: z.number(), reset_after: z.number(), max_concurrency: z.number() })
    .catch(SESSION_LIMIT),
});

/**
 * Makes the library ask for the address of the gateway until it is told, because a Discord that starts at the same time
 * as the bot is not there yet, and fills in what the library cannot do without. A refusal is passed on at once.
 * @returns what resolves when an address was told for the first time
 */
export async function askPatientlyForGateway(
  rest: REST,
  parts: { sleep: (ms: number) => Promise<unknown>; log: Logger },
): Promise<void> {
  const { sleep, log } = parts;
  const told = Promise.withResolvers<void>();
  const get = rest.get.bind(rest);

  async function askForGateway(options: Parameters<REST['get']>[1]): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const information = informationSchema.parse(await get(Routes.gatewayBot(), options));
        told.resolve();
        return information;
      } catch (error) {
        if (error instanceof DiscordAPIError || attempt === ATTEMPTS_MAX) throw error;
        log.warn({ err: error, attempt }, 'Discord cannot be reached yet; trying again');
        await sleep(Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), PAUSE_MS_MAX));
      }
    }
  }

  Object.assign(rest, {
    get: async (...[route, options]: Parameters<REST['get']>) =>
      route === Routes.gatewayBot() ? askForGateway(options) : get(route, options),
  });
  return told.promise;
}
