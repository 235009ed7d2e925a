import * as z from 'zod';
import type { Entry } from './guild-account.ts';

/**
 * What an entry must look like to be replayed. Fields that are not named here are let through: later versions may add
 * some, and the chain of hashes watches over all of them.
 */

const nanoUsd = z.int();
const milliseconds = z.int();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const snowflake = z.string().regex(/^\d{1,20}$/);
const details = z.looseObject({
  member: z.string(),
  model: z.string(),
  size: z.string(),
  quality: z.string(),
  count: z.int(),
  promptSha256: z.string(),
});
const charge = z.looseObject({
  cost: nanoUsd,
  usage: z.unknown(),
  priceVersion: z.string(),
  rule: z.string(),
  requestId: z.string().optional(),
});
const line = z.looseObject({
  v: z.literal(1),
  seq: z.int().positive(),
  transfer: snowflake,
  at: milliseconds,
  held: nanoUsd,
  prevHash: sha256,
});
const why = { reason: z.string() };
const whyAndWho = { ...why, by: z.string() };

const entrySchema = z.discriminatedUnion('type', [
  line.extend({ type: z.literal('reserve'), amount: nanoUsd, expiresAt: milliseconds, details }),
  line.extend({ type: z.literal('dispatch'), expiresAt: milliseconds }),
  line.extend({ type: z.literal('post'), charge, details }),
  line.extend({ type: z.literal('void'), ...why }),
  line.extend({ type: z.literal('unknown'), ...why, estimated: z.boolean().optional() }),
  line.extend({ type: z.literal('release'), ...whyAndWho }),
  line.extend({ type: z.literal('adjust'), ...whyAndWho, amount: nanoUsd }),
]);

/**
 * Whether something that was stored can be replayed as an entry. The value itself is left as it is, because its hash
 * is taken over its fields in the order in which they were written.
 */
export function isEntry(value: unknown): value is Entry {
  return entrySchema.safeParse(value).success;
}
