import { GatewayDispatchEvents } from 'discord.js';
import * as z from 'zod';

/** How large one uploaded file may be wherever Discord does not say otherwise. */
const UPLOAD_LIMIT_BYTES_MIN = 10 * 1024 * 1024;
const DEFAULT_LOCALE = 'en-US';

const packetSchema = z.object({
  t: z.literal(GatewayDispatchEvents.InteractionCreate),
  d: z.record(z.string(), z.unknown()),
});

/** What Discord always sends along, and what is assumed where it is not there or makes no sense. */
const factsSchema = z.object({
  attachment_size_limit: z.int().positive().catch(UPLOAD_LIMIT_BYTES_MIN),
  locale: z.string().min(1).catch(DEFAULT_LOCALE),
  guild_locale: z.string().min(1).nullish().catch(null),
});

/**
 * Fills in what an interaction lacks, before the library makes something of it. Emulations of Discord leave things out
 * that Discord itself never does, and what is missing would be noticed when a result is delivered: after it was paid.
 * @param packet as it came through the gateway; it is changed in its place
 * @param applicationId the bot's own, to which every interaction belongs that it is told of
 */
export function fillInteractionGaps(packet: unknown, applicationId: string | undefined): void {
  if (!isInteraction(packet)) return;
  const ownId = z
    .string()
    .min(1)
    .catch(applicationId ?? '');
  Object.assign(packet.d, factsSchema.parse(packet.d), { application_id: ownId.parse(packet.d['application_id']) });
}

function isInteraction(packet: unknown): packet is z.infer<typeof packetSchema> {
  return packetSchema.safeParse(packet).success;
}
