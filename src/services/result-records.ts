import type { Logger } from 'pino';
import * as z from 'zod';
import type { Store } from '../storage/store.ts';
import { UnreadableValue } from '../storage/store.ts';
import type { MaskSource } from './images/image-masks.ts';
import { imageRequestSchema } from './image-request.ts';
import type { OpenJob } from './open-job.ts';
import { writeSize } from './providers/image-sizes.ts';

/**
 * What a result was made of, for the buttons under it. A button carries the job's id and nothing else, so whoever
 * presses it months later, after any number of restarts, is served from here.
 */
export type ResultRecords = {
  /**
   * Writes the record of a result, once. Never rejects: what is paid for is posted even if nobody can go on from it.
   * @param count how many images came of the job
   */
  write(job: Pick<OpenJob, 'request' | 'plan'>, count: number): Promise<void>;
  /**
   * Undefined where there is none, or none any more.
   * @throws {StoreFailure} where the store fails, or holds a record that cannot be understood
   */
  read(guild: string, id: string): Promise<ResultRecord | undefined>;
  /** @throws {StoreFailure} where the store fails */
  remove(guild: string, id: string): Promise<void>;
  /** Takes a removal back, where the result stands on after all. Never rejects, for the same reason. */
  putBack(record: ResultRecord): Promise<void>;
};

const recordSchema = z.object({
  v: z.literal(1),
  id: z.string(),
  guild: z.string(),
  member: z.string(),
  /** Everything as it was asked for; what was left out then was up to the defaults of that day. */
  asked: imageRequestSchema.omit({ id: true, guild: true, member: true, roles: true, isFromEditForm: true }),
  /** Everything as it was made: with these choices it can be asked for again and mean the same. */
  made: z.object({
    model: z.string(),
    /** Width and height in pixels as `1536x1024`. */
    size: z.string(),
    quality: z.string(),
    background: z.string(),
    format: z.string(),
    fidelity: z.string().optional(),
    /** How many images came of it. */
    count: z.number(),
    /** How many pictures went along, the mask aside. */
    pictures: z.number().default(0),
    /** Whether a mask of the member's own went along, which nobody can make again. */
    isMaskUploaded: z.boolean().default(false),
  }),
  /** When it was made, in milliseconds since the epoch. */
  at: z.number(),
});

export type ResultRecord = z.infer<typeof recordSchema>;

/** Ten times what the longest prompt takes that Discord lets anybody type. */
const RECORD_BYTES_MAX = 64 * 1024;

/** By the id of the job, which is the id of its transfer in the ledger too: whoever has the one finds the other. */
export const resultKey = (guild: string, id: string): string => `result:{${guild}}:${id}`;

export function createResultRecords(parts: { store: Store; now: () => number; log: Logger }): ResultRecords {
  const { store, now, log } = parts;

  /** Only where there is none yet: whoever delivers a second time, after a crash, finds it written. */
  async function writeOnce(record: ResultRecord): Promise<void> {
    const sizeBytes = Buffer.byteLength(JSON.stringify(record));
    if (sizeBytes > RECORD_BYTES_MAX) throw new RangeError(`a result's record would take ${sizeBytes} bytes`);
    const key = resultKey(record.guild, record.id);
    await store.commit({ guard: { key, expected: undefined, next: record }, writes: [] });
  }

  async function tryToWrite(id: string, describeIt: () => ResultRecord): Promise<void> {
    try {
      await writeOnce(describeIt());
    } catch (error) {
      log.error({ job: id, err: error }, 'the record of a result is missing; its buttons will say so');
    }
  }

  return {
    write: async (job, count) => tryToWrite(job.request.id, () => describe(job, count, now())),
    async read(guild, id) {
      const key = resultKey(guild, id);
      const stored = await store.read(key);
      if (!stored) return undefined;
      const parsed = recordSchema.safeParse(stored.value);
      if (!parsed.success) throw new UnreadableValue(key, { cause: parsed.error });
      return parsed.data;
    },
    remove: async (guild, id) => store.remove([resultKey(guild, id)]),
    putBack: async (record) => tryToWrite(record.id, () => record),
  };
}

function describe({ request, plan }: Pick<OpenJob, 'request' | 'plan'>, count: number, at: number): ResultRecord {
  if (!plan) throw new TypeError(`the finished job ${request.id} has no plan`);
  const { id, guild, member, roles: _roles, isFromEditForm: _form, ...asked } = request;
  const { model, quality, background, format, fidelity } = plan;
  const sent = { pictures: plan.images.length, isMaskUploaded: isUploaded(plan.masked?.by) };
  const made = { model, size: writeSize(plan), quality, background, format, fidelity, count, ...sent };
  return { v: 1, id, guild, member, asked, made, at };
}

/** The other masks follow from the request and its picture, and can be made again. */
function isUploaded(source: MaskSource | undefined): boolean {
  return source === 'alpha' || source === 'white' || source === 'black' || source === 'painted';
}
