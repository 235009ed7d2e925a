import type { PlannedPictures } from './call-planning.ts';
import { HeldBuffers } from './images/held-buffers.ts';
import type { ImagePreparation, PreparedImage, PreparedMask } from './images/image-preparation.ts';
import { isMaskRegion, WHOLE_REGION } from './images/image-preparation.ts';
import type { Attached, ImageRequest, RequestAttachments } from './image-request.ts';
import type { CallPlan } from './call-plan.ts';
import type { OpenJob } from './open-job.ts';
import type { JobRefusal } from './job-outcome.ts';
import type { Waiter } from './queue/fair-queue.ts';
import { createFairQueue } from './queue/fair-queue.ts';
import type { SpoolFolder } from './spool/spool.ts';
import { MASK_FILE, ORIGINAL_FILE, pictureFileName } from './spool-files.ts';

type PlannedPicture = CallPlan['images'][number];
type Intake = {
  readonly label: string;
  readonly prepared: PreparedImage;
  readonly bytes: Buffer;
  readonly planned: PlannedPicture;
};

/**
 * Downloads what came with a request, at once because links die, makes it fit for the provider, and puts it on disk,
 * where it waits for its turn without taking memory.
 */
export type PictureIntake = {
  /** @param waiter stands in line as long as others bring theirs in */
  takeIn(job: OpenJob, attachments: RequestAttachments, waiter?: Waiter): Promise<PlannedPictures | JobRefusal>;
  /** Whether whoever came now would be turned away. */
  readonly isFull: boolean;
};

/** Until they are on disk, pictures stand in memory whole, so only so many requests bring theirs in at once. */
const CONCURRENCY = 4;
const WAITING_MAX = 100;
/** The reply has fifteen minutes, of which ten may be spent in the line for the provider. */
const WAIT_MS_MAX = 3 * 60_000;

/** @param parts.closing aborted when no call may begin any more: pictures that wait are for nothing then */
export function createPictureIntake(parts: {
  preparation: ImagePreparation;
  closing: AbortSignal;
  now: () => number;
}): PictureIntake {
  const { preparation, closing, now } = parts;
  const limits = {
    concurrency: CONCURRENCY,
    lengthMax: WAITING_MAX,
    waitMsMax: WAIT_MS_MAX,
    imagesPerMinute: undefined,
  };
  // As fair as the line for the provider: before it stands whoever sends many pictures at once.
  const line = createFairQueue(limits, now);
  closing.addEventListener('abort', () => line.close(), { once: true });
  return {
    async takeIn(job, attachments, waiter) {
      const clash = findClash(job.request, attachments);
      if (clash) return clash;
      const { images } = attachments;
      if (images.length === 0) return { images: [], firstFrameOnly: false };
      const { guild, member } = job.request;
      const work = async () => takeInPictures(preparation, job, attachments);
      const taken = await line.run({ guild, member, images: images.length }, work, waiter);
      return 'refused' in taken ? { reason: taken.refused } : taken;
    },
    get isFull() {
      return line.isFull;
    },
  };
}

/** What works on the pictures of one request, and what holds them meanwhile. */
type Workplace = { readonly preparation: ImagePreparation; readonly held: HeldBuffers };

async function takeInPictures(
  preparation: ImagePreparation,
  job: OpenJob,
  attachments: RequestAttachments,
): Promise<PlannedPictures | JobRefusal> {
  using held = new HeldBuffers();
  const images: PlannedPicture[] = [];
  let first: Intake | undefined;
  let firstFrameOnly = false;
  for (const [index, attached] of attachments.images.entries()) {
    // The first is needed beyond its turn: the mask is made for it.
    using ownTurn = new HeldBuffers();
    const workplace = { preparation, held: index === 0 ? held : ownTurn };
    const taken = await takeInImage(workplace, job.folder, pictureFileName(index), attached);
    if ('reason' in taken) return taken;
    images.push(taken.planned);
    first ??= taken;
    firstFrameOnly ||= taken.prepared.firstFrameOnly;
  }
  const mask = first && (await makeMask({ preparation, held }, job.request, attachments.mask, first));
  if (!first || !mask) return { images, firstFrameOnly };
  if ('reason' in mask) return mask;
  held.hold(mask.bytes);
  const by = attachments.mask?.isPainted ? 'painted' : mask.source;
  const keptFrom = job.request.keepOutside ? { keptFrom: await keepOriginal(job.folder, first) } : {};
  return {
    images,
    mask: await write(job.folder, MASK_FILE, mask),
    masked: { by, coveredShare: mask.coveredShare },
    firstFrameOnly,
    ...keptFrom,
  };
}

/** Refuses what cannot be meant together, before anything is downloaded: whatever was chosen for it would be a guess. */
function findClash({ region, maskMarks }: ImageRequest, { images, mask }: RequestAttachments): JobRefusal | undefined {
  if (mask && images.length === 0) return { reason: 'mask-without-image' };
  if (mask && region !== undefined) return { reason: 'mask-and-region' };
  if (!mask && maskMarks !== undefined) return { reason: 'mask-marks-without-mask' };
  return undefined;
}

async function takeInImage(
  { preparation, held }: Workplace,
  folder: SpoolFolder,
  file: string,
  attached: Attached,
): Promise<Intake | JobRefusal> {
  const bytes = await load(attached, held);
  if ('reason' in bytes) return bytes;
  const prepared = await preparation.prepareImage(bytes);
  if (prepared.kind === 'busy') return { reason: 'queue-full' };
  if (prepared.kind !== 'prepared-image') return { reason: 'image-unusable', label: attached.label, why: prepared };
  held.hold(prepared.bytes);
  return { label: attached.label, prepared, bytes, planned: await write(folder, file, prepared) };
}

/** Undefined where the whole picture may change. */
async function makeMask(
  { preparation, held }: Workplace,
  { operation, region, maskMarks }: ImageRequest,
  attached: Attached | undefined,
  { prepared, label }: Intake,
): Promise<PreparedMask | JobRefusal | undefined> {
  if (attached) return readMask({ preparation, held }, attached, prepared, maskMarks);
  if (operation !== 'edit' || region === WHOLE_REGION) return undefined;
  if (region === undefined) {
    const own = await preparation.maskFromOwnTransparency(prepared);
    if (own.kind === 'unreadable') return { reason: 'image-unusable', label, why: own };
    if (own.kind === 'busy') return { reason: 'queue-full' };
    return own.kind === 'no-mask' ? undefined : own;
  }
  if (!isMaskRegion(region)) throw new Error(`there is no region ${region}`);
  const mask = await preparation.maskFromRegion(region, prepared);
  switch (mask.kind) {
    case 'prepared-mask':
      return mask;
    case 'busy':
      return { reason: 'queue-full' };
    default:
      return { reason: 'mask-unusable', why: mask };
  }
}

async function readMask(
  { preparation, held }: Workplace,
  attached: Attached,
  image: PreparedImage,
  marks: ImageRequest['maskMarks'],
): Promise<PreparedMask | JobRefusal> {
  const bytes = await load(attached, held);
  if ('reason' in bytes) return bytes;
  const mask = await preparation.prepareMask(bytes, image, marks);
  switch (mask.kind) {
    case 'prepared-mask':
      return mask;
    case 'ambiguous-mask':
      return { reason: 'mask-ambiguous', whiteShare: mask.whiteShare };
    case 'busy':
      return { reason: 'queue-full' };
    default:
      return { reason: 'mask-unusable', why: mask };
  }
}

/**
 * Names the file whose pixels are to come back. A prepared PNG has the very pixels of what was sent; a JPEG may have
 * been encoded once more, for instance to turn it upright, and then it is what was sent itself.
 */
async function keepOriginal(folder: SpoolFolder, { prepared, bytes, planned }: Intake): Promise<string> {
  if (prepared.format !== 'jpeg' || prepared.hasSourcePixels) return planned.file;
  await folder.writeFile(ORIGINAL_FILE, bytes);
  return ORIGINAL_FILE;
}

async function load({ label, load: download }: Attached, held: HeldBuffers): Promise<Buffer | JobRefusal> {
  const bytes = await download();
  return 'refused' in bytes ? { reason: 'attachment-unusable', label, why: bytes } : held.hold(bytes);
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
