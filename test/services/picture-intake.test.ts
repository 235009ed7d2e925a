import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../src/services/images/image-preparation.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { createPictureIntake } from '../../src/services/picture-intake.ts';
import type { Waiter } from '../../src/services/queue/fair-queue.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { alphaMask, photograph } from '../fixtures/pictures.ts';
import { until } from '../until.ts';
import { createDirectory, createRequest } from './job-fixture.ts';

const size = { width: 64, height: 64 };
const hole = { left: 16, top: 16, width: 32, height: 32 };

async function openJob(context: TestContext): Promise<OpenJob> {
  const spool = await openSpool(await createDirectory(context));
  return {
    request: createRequest({ operation: 'edit' }),
    address: {},
    beganAt: 0,
    plan: undefined,
    isCancelled: false,
    keptUntil: undefined,
    originals: undefined,
    folder: await spool.create('job'),
  };
}

/** A file as the loader hands it over: in memory that is nobody else's. */
function attached(file: Buffer) {
  const bytes = Buffer.allocUnsafeSlow(file.length);
  file.copy(bytes);
  return { bytes, attachment: { label: 'picture', load: async () => bytes } };
}

describe('the intake of pictures', () => {
  const preparation = createImagePreparation({ concurrency: 1, waitingMax: 1, limits: STANDARD_IMAGE_LIMITS });

  const openIntake = (closing: AbortSignal = new AbortController().signal) =>
    createPictureIntake({ preparation, closing, now: Date.now });

  it('puts pictures and mask on disk, and then gives their memory back', async (context) => {
    const job = await openJob(context);
    const jpeg = await photograph(size).jpeg().toBuffer();
    const png = await photograph(size, 2).png().toBuffer();
    const mask = await alphaMask(size, hole);
    const [first, second, third] = [attached(jpeg), attached(png), attached(mask)];
    const taken = await openIntake().takeIn(job, {
      images: [first.attachment, second.attachment],
      mask: third.attachment,
    });
    assert.ok('images' in taken && taken.mask, JSON.stringify(taken));
    assert.equal(taken.masked?.coveredShare, 0.25);
    for (const { file } of [...taken.images, taken.mask]) assert.ok((await job.folder.sizeBytes(file)) > 0, file);
    assert.deepEqual([first.bytes.length, second.bytes.length, third.bytes.length], [0, 0, 0]);
  });

  it('gives the memory of what it refuses back as well', async (context) => {
    const broken = attached(Buffer.from('no picture at all'));
    const taken = await openIntake().takeIn(await openJob(context), {
      images: [broken.attachment],
      mask: undefined,
    });
    assert.ok('reason' in taken && taken.reason === 'image-unusable');
    assert.equal(broken.bytes.length, 0);
  });

  describe('where many come at once', () => {
    const PLACES = 4;
    const nothing = { refused: 'gone' } as const;

    /** Has so many members of one server, and then others, bring pictures that come when they are let. */
    async function crowd(context: TestContext, servers: readonly string[], closing?: AbortSignal) {
      const intake = openIntake(closing);
      const gate = Promise.withResolvers<void>();
      const loads: string[] = [];
      const job = await openJob(context);
      const take = async (guild: string, waiter?: Waiter) => {
        const load = async () => {
          loads.push(guild);
          await gate.promise;
          return nothing;
        };
        const request = { ...job.request, guild };
        return intake.takeIn({ ...job, request }, { images: [{ label: 'image', load }], mask: undefined }, waiter);
      };
      const taken = servers.map(async (guild) => take(guild));
      await until(() => loads.length === Math.min(PLACES, servers.length));
      return { take, taken, loads, open: gate.resolve };
    }

    it('does not have one server wait for all of another', async (context) => {
      const flood = Array.from({ length: 20 }, () => 'flooding');
      const { taken, loads, open } = await crowd(context, [...flood, 'beside']);
      open();
      await Promise.all(taken);
      assert.equal(loads.length, 21);
      assert.ok(loads.indexOf('beside') <= PLACES + 1, loads.join(' '));
    });

    it('says to whoever waits where they stand', async (context) => {
      const { take, taken, open } = await crowd(
        context,
        Array.from({ length: PLACES + 1 }, () => 'busy'),
      );
      const places: number[] = [];
      const last = take('busy', { onPlace: ({ ahead }) => void places.push(ahead) });
      await until(() => places.length > 0);
      open();
      await Promise.all([...taken, last]);
      assert.deepEqual(places, [1]);
    });

    it('lets go at once who has cancelled, and everybody when no call may begin any more', async (context) => {
      const closing = new AbortController();
      const busy = Array.from({ length: PLACES }, () => 'busy');
      const { take, taken, loads, open } = await crowd(context, busy, closing.signal);
      const wish = new AbortController();
      const cancelled = take('cancelled', { signal: wish.signal });
      const stopped = take('stopped');
      wish.abort();
      assert.deepEqual(await cancelled, { reason: 'cancelled' });
      closing.abort();
      assert.deepEqual(await stopped, { reason: 'stopping' });
      open();
      await Promise.all(taken);
      assert.equal(loads.length, PLACES);
    });
  });
});
