import { GatewayDispatchEvents } from 'discord.js';
import * as z from 'zod';

/** How large one uploaded file may be wherever Discord does not say otherwise. */
const UPLOAD_LIMIT_BYTES_MIN = 10 * 1024 * 1024;
const DEFAULT_LOCALE = 'en-US';

/** A number of bits, written as Discord does. Nobody may do anything where it is not there. */
const permissions = z.union([z.string().regex(/^\d+$/), z.int().nonnegative().transform(String)]).catch('0');
const member = z.looseObject({ roles: z.array(z.string()).catch([]), permissions });

/** What Discord always sends along, and what is assumed where it is not there or makes no sense. */
const factsSchema = z.object({
  app_permissions: permissions,
  authorizing_integration_owners: z.record(z.string(), z.unknown()).catch({}),
  entitlements: z.array(z.record(z.string(), z.unknown())).catch([]),
  attachment_size_limit: z.int().positive().catch(UPLOAD_LIMIT_BYTES_MIN),
  locale: z.string().min(1).catch(DEFAULT_LOCALE),
  guild_locale: z.string().min(1).nullish().catch(null),
});

const idSchema = z.string().min(1);
const namedSchema = z.object({ id: z.string() });

/** What the library takes for granted in what came of a menu or a form. */
const chosenSchema = z.looseObject({
  components: z.array(z.unknown()).default([]),
  resolved: z.record(z.string(), z.unknown()).default({}),
});

/**
 * Fills in what an interaction lacks, before the library makes something of it. Emulations of Discord leave things out
 * that Discord itself never does. Some of that the library cannot do without, and it drops the interaction; the rest
 * would be noticed when a result is delivered: after it was paid.
 *
 * What is there and null counts as left out, however deep it is: the library asks of most things only whether they are
 * named, and reads them then. To all that Easel asks of an interaction, null and nothing are the same answer.
 * @param packet as it came through the gateway; it is changed in its place
 * @param applicationId the bot's own, to which every interaction belongs that it is told of
 */
export function fillInteractionGaps(packet: unknown, applicationId: string | undefined): void {
  if (!isInteraction(packet)) return;
  const { d: interaction } = packet;
  dropNulls(interaction);
  const told = member.safeParse(interaction['member']).data;
  const chosen = chosenSchema.safeParse(interaction['data']).data;
  Object.assign(interaction, factsSchema.parse(interaction), {
    application_id: readId(interaction['application_id']) ?? applicationId,
    channel: channelOf(interaction),
    ...(told && { member: told }),
    ...(chosen && { data: chosen }),
  });
}

/** Takes out of something that came as JSON all that is null, in its place. */
function dropNulls(value: unknown): void {
  if (Array.isArray(value)) {
    const there: unknown[] = value.filter((item) => item !== null);
    value.splice(0, value.length, ...there);
    there.forEach(dropNulls);
  } else if (isRecord(value)) {
    for (const [name, part] of Object.entries(value)) {
      if (part === null) delete value[name];
      else dropNulls(part);
    }
  }
}

function isInteraction(packet: unknown): packet is { readonly d: Record<string, unknown> } {
  return isRecord(packet) && packet['t'] === GatewayDispatchEvents.InteractionCreate && isRecord(packet['d']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The library takes the id of the channel from here, and only from here. */
function channelOf({ channel, channel_id: id }: Readonly<Record<string, unknown>>): unknown {
  return namedSchema.safeParse(channel).success ? channel : id === undefined ? undefined : { id };
}

function readId(id: unknown): string | undefined {
  return idSchema.safeParse(id).data;
}
