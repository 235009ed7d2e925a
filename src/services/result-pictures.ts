import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { ImagePreparation } from './image-preparation.ts';
import type { RecognizedKind } from './image-recognition.ts';
import { recognizeImage } from './image-recognition.ts';
import type { OpenJob } from './job-journal.ts';
import type { FinishedImage, ResultNote } from './job-outcome.ts';
import { untilNotBusy } from './patience.ts';
import { requirePlan } from './reservation.ts';
import { composedFileName, MASK_FILE, resultFileName } from './spool-files.ts';

/** From what the provider sent to what will be posted. The provider's own files stay as they are. */
export type ResultPictures = {
  finish(job: OpenJob, count: number): Promise<{ readonly images: FinishedImage[]; readonly notes: ResultNote[] }>;
};

/** More than enough for the bytes by which a picture is recognised. */
const RECOGNITION_BYTES = 4_096;

export function createResultPictures(parts: {
  preparation: ImagePreparation;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): ResultPictures {
  const { preparation, sleep, log } = parts;

  /** Answers the name of the composed file, or undefined where the original cannot be put back. */
  async function keepOutside(job: OpenJob, index: number, keptFrom: string): Promise<string | undefined> {
    // Read when its turn in the workshop has come, so that what waits there takes no memory.
    const later = (file: string) => async (): Promise<Buffer> => readFile(job.folder.path(file));
    const { format, masked } = requirePlan(job);
    const composed = await untilNotBusy(sleep, async () =>
      preparation.keepOutside({
        original: later(keptFrom),
        mask: later(MASK_FILE),
        result: later(resultFileName(index)),
        isMaskOwnTransparency: masked?.by === 'own-transparency',
        format,
      }),
    );
    if (composed.kind !== 'outside-kept') {
      log.warn({ job: job.request.id, why: composed.kind }, 'the original could not be put back');
      return undefined;
    }
    await job.folder.writeFile(composedFileName(index), composed.bytes);
    return composedFileName(index);
  }

  return {
    async finish(job, count) {
      const plan = requirePlan(job);
      const images: FinishedImage[] = [];
      let isLeftOff = false;
      for (let index = 0; index < count; index += 1) {
        const composed = plan.keptFrom === undefined ? undefined : await keepOutside(job, index, plan.keptFrom);
        isLeftOff ||= plan.keptFrom !== undefined && composed === undefined;
        images.push(await describeFile(job, index, composed ?? resultFileName(index)));
      }
      return { images, notes: isLeftOff ? [{ note: 'keep-outside-left-off' }] : [] };
    },
  };
}

/** What a recognised file is called; where the provider sent something else, it is posted as what was asked for. */
const FORMAT_BY_KIND: ReadonlyMap<RecognizedKind, string> = new Map([
  ['png', 'png'],
  ['jpeg', 'jpeg'],
  ['mpo', 'jpeg'],
  ['webp', 'webp'],
  ['gif', 'gif'],
  ['avif', 'avif'],
]);

/** A picture as it will be posted: its name is ours, and its type is what its first bytes say, whatever was asked for. */
async function describeFile(job: OpenJob, index: number, file: string): Promise<FinishedImage> {
  const { head, sizeBytes } = await job.folder.inspect(file, RECOGNITION_BYTES);
  const format = FORMAT_BY_KIND.get(recognizeImage(head)) ?? requirePlan(job).format;
  const name = `${job.request.id}-${index + 1}.${format === 'jpeg' ? 'jpg' : format}`;
  return { path: job.folder.path(file), name, contentType: `image/${format}`, sizeBytes };
}
