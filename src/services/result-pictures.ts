import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { ImagePreparation } from './images/image-preparation.ts';
import type { RecognizedKind } from './images/image-recognition.ts';
import { hasEnd, recognizeImage } from './images/image-recognition.ts';
import type { OpenJob } from './open-job.ts';
import { requirePlan } from './open-job.ts';
import { extensionOf } from './picture-names.ts';
import type { MadeReceipt } from './receipt.ts';
import type { FinishedImage, ResultNote } from './job-outcome.ts';
import { referenceOf } from './job-reference.ts';
import { untilNotBusy } from './images/patience.ts';
import type { FileEdges } from './spool/spool.ts';
import { composedFileName, MASK_FILE, resultFileName } from './spool-files.ts';

/**
 * From what the provider sent to what will be posted. The provider's own files stay as they are. What is no whole picture
 * is left out, and told of: it is on the bill like the others, so the books have it all the same.
 */
export type ResultPictures = {
  finish(job: OpenJob, made: MadeFiles): Promise<{ readonly images: FinishedImage[]; readonly notes: ResultNote[] }>;
};

type MadeFiles = Pick<MadeReceipt, 'imageCount' | 'requestId'>;

/** More than enough for the bytes by which a picture is recognised, and for what may stand behind its end. */
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

  /** What is needed to claim it from the provider. */
  function tellBroken(job: OpenJob, made: MadeFiles, number: number, { kind, sizeBytes }: LookedAt): void {
    const { id, guild } = job.request;
    const { model } = requirePlan(job);
    const about = { job: id, reference: referenceOf(id), guild, model, requestId: made.requestId };
    log.error({ ...about, number, found: kind, sizeBytes }, 'the provider sent a file that is no whole picture');
  }

  return {
    async finish(job, made) {
      const { keptFrom } = requirePlan(job);
      const images: FinishedImage[] = [];
      let brokenCount = 0;
      let isLeftOff = false;
      for (let index = 0; index < made.imageCount; index += 1) {
        const sent = await lookAt(job, resultFileName(index));
        if (!isWhole(sent)) {
          tellBroken(job, made, index + 1, sent);
          brokenCount += 1;
          continue;
        }
        const composed = keptFrom === undefined ? undefined : await keepOutside(job, index, keptFrom);
        isLeftOff ||= keptFrom !== undefined && composed === undefined;
        images.push(describe(job, index, composed === undefined ? sent : await lookAt(job, composed)));
      }
      const reference = referenceOf(job.request.id);
      return {
        images,
        notes: [
          ...(brokenCount > 0 ? [{ note: 'broken-files', count: brokenCount, reference } as const] : []),
          ...(isLeftOff ? [{ note: 'keep-outside-left-off' } as const] : []),
        ],
      };
    },
  };
}

/** A file, and what it is by its first bytes. */
type LookedAt = FileEdges & { readonly file: string; readonly kind: RecognizedKind };

async function lookAt(job: OpenJob, file: string): Promise<LookedAt> {
  const edges = await job.folder.inspect(file, RECOGNITION_BYTES);
  return { ...edges, file, kind: recognizeImage(edges.head) };
}

/** What no member can see as a picture. Others are posted even where Discord cannot show them. */
const NO_PICTURES: ReadonlySet<RecognizedKind> = new Set(['unknown', 'pdf']);

function isWhole(file: LookedAt): boolean {
  return !NO_PICTURES.has(file.kind) && hasEnd(file.kind, file);
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
function describe(job: OpenJob, index: number, { file, kind, sizeBytes }: LookedAt): FinishedImage {
  const contentType = `image/${FORMAT_BY_KIND.get(kind) ?? requirePlan(job).format}`;
  const name = `${job.request.id}-${index + 1}.${extensionOf(contentType)}`;
  return { path: job.folder.path(file), name, contentType, sizeBytes };
}
