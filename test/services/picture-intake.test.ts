import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../../src/services/images/image-preparation.ts';
import type { OpenJob } from '../../src/services/open-job.ts';
import { createPictureIntake } from '../../src/services/picture-intake.ts';
import { openSpool } from '../../src/services/spool/spool.ts';
import { alphaMask, photograph } from '../fixtures/pictures.ts';
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

  it('puts pictures and mask on disk, and then gives their memory back', async (context) => {
    const job = await openJob(context);
    const jpeg = await photograph(size).jpeg().toBuffer();
    const png = await photograph(size, 2).png().toBuffer();
    const mask = await alphaMask(size, hole);
    const [first, second, third] = [attached(jpeg), attached(png), attached(mask)];
    const taken = await createPictureIntake(preparation).takeIn(job, {
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
    const taken = await createPictureIntake(preparation).takeIn(await openJob(context), {
      images: [broken.attachment],
      mask: undefined,
    });
    assert.ok('reason' in taken && taken.reason === 'image-unusable');
    assert.equal(broken.bytes.length, 0);
  });
});
