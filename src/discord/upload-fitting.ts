import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Logger } from 'pino';
import type { ImagePreparation } from '../services/images/image-preparation.ts';
import type { FinishedImage } from '../services/job-outcome.ts';
import { untilNotBusy } from '../services/images/patience.ts';
import { renameTo } from '../services/picture-names.ts';
import type { SpoolFolder } from '../services/spool/spool.ts';
import type { Upload } from './multipart.ts';
import type { ShownFile } from './result-message.ts';

export type FittedUpload = Upload & ShownFile;

/** Brings results under the size that Discord takes, and touches nothing that is under it already. */
export type UploadFitter = {
  /** What goes up for each of the images, in their order; undefined for one that can be brought under no such size. */
  fit(
    folder: SpoolFolder,
    images: readonly FinishedImage[],
    sizeBytesMax: number,
  ): Promise<readonly (FittedUpload | undefined)[]>;
};

export function createUploadFitter(parts: {
  preparation: ImagePreparation;
  sleep: (ms: number) => Promise<unknown>;
  log: Logger;
}): UploadFitter {
  const { preparation, sleep, log } = parts;

  async function fitOne(
    folder: SpoolFolder,
    image: FinishedImage,
    sizeBytesMax: number,
  ): Promise<FittedUpload | undefined> {
    const { path, name, contentType, sizeBytes } = image;
    if (sizeBytes <= sizeBytesMax) {
      return { name, contentType, sizeBytes, open: () => folder.read(basename(path)), shrunk: false };
    }
    const fitted = await untilNotBusy(sleep, async () =>
      preparation.fitToBytes(async () => readFile(path), sizeBytesMax),
    );
    if (fitted.kind !== 'fits') {
      log.error({ file: name, sizeBytes, sizeBytesMax, why: fitted.kind }, 'a result is too large for Discord');
      return undefined;
    }
    const fittedType = `image/${fitted.format}`;
    const fittedName = renameTo(name, fittedType);
    const file = `fitted-${fittedName}`;
    await folder.writeFile(file, fitted.bytes);
    return {
      name: fittedName,
      contentType: fittedType,
      sizeBytes: fitted.bytes.length,
      open: () => folder.read(file),
      shrunk: true,
    };
  }

  return {
    fit: async (folder, images, sizeBytesMax) =>
      Promise.all(images.map(async (image) => fitOne(folder, image, sizeBytesMax))),
  };
}
