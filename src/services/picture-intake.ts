import PQueue from 'p-queue';
import type { PlannedPictures } from './call-planning.ts';
import type { ImagePreparation, PreparedImage } from './image-preparation.ts';
import type { Attached, RequestAttachments } from './image-request.ts';
import type { CallPlan, OpenJob } from './job-journal.ts';
import type { JobRefusal } from './job-outcome.ts';
import type { SpoolFolder } from './spool.ts';
import { MASK_FILE, ORIGINAL_FILE, pictureFileName } from './spool-files.ts';

type PlannedPicture = CallPlan['images'][number];
type Intake = { readonly prepared: PreparedImage; readonly bytes: Buffer; readonly planned: PlannedPicture };

/**
 * Downloads what came with a request, at once because links die, makes it fit for the provider, and puts it on disk,
 * where it waits for its turn without taking memory.
 */
export type PictureIntake = {
  takeIn(job: OpenJob, attachments: RequestAttachments): Promise<PlannedPictures | JobRefusal>;
};

/** Until they are on disk, pictures stand in memory whole, so only so many requests bring theirs in at once. */
const CONCURRENCY = 4;
const WAITING_MAX = 100;

export function createPictureIntake(preparation: ImagePreparation): PictureIntake {
  const line = new PQueue({ concurrency: CONCURRENCY });
  return {
    async takeIn(job, attachments) {
      if (attachments.images.length === 0 && !attachments.mask) return { images: [], firstFrameOnly: false };
      if (line.size >= WAITING_MAX) return { reason: 'queue-full' };
      return line.add(async () => takeInPictures(preparation, job, attachments));
    },
  };
}

async function takeInPictures(
  preparation: ImagePreparation,
  job: OpenJob,
  attachments: RequestAttachments,
): Promise<PlannedPictures | JobRefusal> {
  const images: PlannedPicture[] = [];
  let first: Intake | undefined;
  let firstFrameOnly = false;
  for (const [index, attached] of attachments.images.entries()) {
    const taken = await takeInImage(preparation, job.folder, pictureFileName(index), attached);
    if ('reason' in taken) return taken;
    images.push(taken.planned);
    first ??= taken;
    firstFrameOnly ||= taken.prepared.firstFrameOnly;
  }
  if (!attachments.mask) return { images, firstFrameOnly };
  if (!first) return { reason: 'mask-without-image' };

  const mask = await takeInMask(preparation, job.folder, attachments.mask, first.prepared);
  if ('reason' in mask) return mask;
  const keptFrom = job.request.keepOutside ? { keptFrom: await keepOriginal(job.folder, first) } : {};
  return { images, mask, firstFrameOnly, ...keptFrom };
}

async function takeInImage(
  preparation: ImagePreparation,
  folder: SpoolFolder,
  file: string,
  attached: Attached,
): Promise<Intake | JobRefusal> {
  const bytes = await load(attached);
  if ('reason' in bytes) return bytes;
  const prepared = await preparation.prepareImage(bytes);
  if (prepared.kind === 'busy') return { reason: 'queue-full' };
  if (prepared.kind !== 'prepared-image') return { reason: 'image-unusable', label: attached.label, why: prepared };
  return { prepared, bytes, planned: await write(folder, file, prepared) };
}

async function takeInMask(
  preparation: ImagePreparation,
  folder: SpoolFolder,
  attached: Attached,
  image: PreparedImage,
): Promise<PlannedPicture | JobRefusal> {
  const bytes = await load(attached);
  if ('reason' in bytes) return bytes;
  const mask = await preparation.prepareMask(bytes, image);
  if (mask.kind === 'busy') return { reason: 'queue-full' };
  if (mask.kind !== 'prepared-mask') return { reason: 'mask-unusable', why: mask };
  return write(folder, MASK_FILE, mask);
}

/**
 * Names the file whose pixels are to come back. A prepared PNG has the very pixels of what was sent; a JPEG may have
 * been encoded once more, for instance to turn it upright, so there it is what was sent itself.
 */
async function keepOriginal(folder: SpoolFolder, { prepared, bytes, planned }: Intake): Promise<string> {
  if (prepared.format !== 'jpeg') return planned.file;
  await folder.writeFile(ORIGINAL_FILE, bytes);
  return ORIGINAL_FILE;
}

async function load({ label, load: download }: Attached): Promise<Buffer | JobRefusal> {
  const bytes = await download();
  return 'refused' in bytes ? { reason: 'attachment-unusable', label, why: bytes } : bytes;
}

async function write(
  folder: SpoolFolder,
  file: string,
  picture: Pick<PreparedImage, 'bytes' | 'contentType' | 'width' | 'height'>,
): Promise<PlannedPicture> {
  const { bytes, contentType, width, height } = picture;
  await folder.writeFile(file, bytes);
  return { file, contentType, width, height };
}
