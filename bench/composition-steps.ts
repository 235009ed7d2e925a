import { featherInwards } from '../src/services/images/image-feather.ts';
import { openImage } from '../src/services/images/image-intake.ts';
import { keptByAlpha } from '../src/services/images/image-masks.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from '../src/services/images/image-preparation.ts';
import type { Sharp } from '../src/services/images/image-workshop.ts';
import { createImageWorkshop } from '../src/services/images/image-workshop.ts';
import type { Pictures } from './emulator/pictures.ts';
import { EDGE_PX, makePictures } from './emulator/pictures.ts';
import { median } from './statistics.ts';

/**
 * What it costs to put the original back, step by step. It is measured here and not in the bot: there the library does
 * the last steps in one go, row by row, and would have to be slowed down to tell one from the other.
 */

/** CPU of one step, in milliseconds: the median of its repetitions. */
export type StepCost = { readonly step: string; readonly cpuMs: number };

const REPETITIONS = 20;
const WARM_UP_REPETITIONS = 3;
const MICROSECONDS_PER_MS = 1_000;
const SIZE = { width: EDGE_PX, height: EDGE_PX };
const WORKSHOP = { concurrency: 1, waitingMax: 1 };

/** Runs every step by itself, and then all of them as the bot does; what is left over is the compositing. */
export async function measureComposition(): Promise<readonly StepCost[]> {
  const sharp = await createImageWorkshop(WORKSHOP).library();
  const pictures = await makePictures();
  const steps: StepCost[] = [];
  for (const [step, work] of await listSteps(sharp, pictures)) steps.push({ step, cpuMs: await cpuMsOf(work) });
  const wholeMs = await cpuMsOf(composeWhole(pictures));
  const restMs = wholeMs - steps.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  return [...steps, { step: 'composite, and all else', cpuMs: restMs }, { step: 'the whole', cpuMs: wholeMs }];
}

type Work = () => Promise<unknown>;

async function listSteps(sharp: Sharp, pictures: Pictures): Promise<readonly (readonly [string, Work])[]> {
  const limits = STANDARD_IMAGE_LIMITS;
  const mask = { ...SIZE, bytes: pictures.mask, isPlain: true };
  const { plane } = await keptByAlpha(sharp, mask, SIZE, limits);
  const { picture } = pictures.answers.usual;
  const pixels = await sharp(picture).raw().toBuffer();
  return [
    ['decode the original', async () => openImage(sharp, pictures.source, limits).raw().toBuffer()],
    ['read the mask', async () => keptByAlpha(sharp, mask, SIZE, limits)],
    ['feather', async () => featherInwards(sharp, plane, SIZE)],
    ['decode the result', async () => openImage(sharp, picture, limits).raw().toBuffer()],
    [
      'encode the PNG',
      async () =>
        sharp(pixels, { raw: { ...SIZE, channels: 3 } })
          .png()
          .toBuffer(),
    ],
  ];
}

function composeWhole({ source, mask, answers }: Pictures): Work {
  const preparation = createImagePreparation({ ...WORKSHOP, limits: STANDARD_IMAGE_LIMITS });
  return async () => {
    const result = answers.usual.picture;
    const request = { original: source, mask, isMaskOwnTransparency: false, result, format: 'png' } as const;
    const { kind } = await preparation.keepOutside(request);
    if (kind !== 'outside-kept') throw new Error(`the original could not be put back: ${kind}`);
  };
}

async function cpuMsOf(work: Work): Promise<number> {
  const costsMs: number[] = [];
  for (let count = -WARM_UP_REPETITIONS; count < REPETITIONS; count += 1) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    if (count >= 0) costsMs.push((user + system) / MICROSECONDS_PER_MS);
  }
  return median(costsMs);
}
