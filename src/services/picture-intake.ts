import type { PlannedPictures } from './call-planning.ts';
import type { ImagePreparation, PreparedImage } from './image-preparation.ts';
import type { Attached, RequestAttachments } from './image-request.ts';
import type { CallPlan } from './job-journal.ts';
import type { JobRefusal } from './job-outcome.ts';
import type { SpoolFolder } from './spool.ts';
import { MASK_FILE, pictureFileName } from './spool-files.ts';

type PlannedPicture = CallPlan['images'][number];

/**
 * Downloads what came with a request, at once because links die, makes it fit for the provider, and puts it on disk,
 * where it waits for its turn without taking memory.
 */
export async function takeInPictures(
  preparation: ImagePreparation,
  folder: SpoolFolder,
  attachments: RequestAttachments,
): Promise<PlannedPictures | JobRefusal> {
  const images: PlannedPicture[] = [];
  let first: PreparedImage | undefined;
  let firstFrameOnly = false;
  for (const [index, attached] of attachments.images.entries()) {
    const bytes = await load(attached);
    if ('reason' in bytes) return bytes;
    const prepared = await preparation.prepareImage(bytes);
    if (prepared.kind === 'busy') return { reason: 'queue-full' };
    if (prepared.kind !== 'prepared-image') return { reason: 'image-unusable', label: attached.label, why: prepared };
    images.push(await write(folder, pictureFileName(index), prepared));
    first ??= prepared;
    firstFrameOnly ||= prepared.firstFrameOnly;
  }
  if (!attachments.mask) return { images, firstFrameOnly };
  if (!first) return { reason: 'mask-without-image' };

  const bytes = await load(attachments.mask);
  if ('reason' in bytes) return bytes;
  const mask = await preparation.prepareMask(bytes, first);
  if (mask.kind === 'busy') return { reason: 'queue-full' };
  if (mask.kind !== 'prepared-mask') return { reason: 'mask-unusable', why: mask };
  return { images, firstFrameOnly, mask: await write(folder, MASK_FILE, mask) };
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
