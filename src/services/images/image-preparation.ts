/**
 * Everything that touches pixels, behind one set of functions: pictures and masks on their way to the provider,
 * and results on their way back.
 *
 * Refusals are values. All of it goes through a workshop that runs a few pieces at a time on worker threads, so every
 * answer can also be `busy`.
 */

import type { KeepOutsideOutcome, KeepOutsideRequest } from './image-composition.ts';
import { keepOutside } from './image-composition.ts';
import type { FitOutcome } from './image-fitting.ts';
import { fitLosslessly, fitToBytes } from './image-fitting.ts';
import type { ByteSource, ImageLimits, ImageRefusal, UnreadableImage } from './image-intake.ts';
import type { MaskMarks } from './image-mask-polarity.ts';
import { MASK_MARKS } from './image-mask-polarity.ts';
import type { AmbiguousMask, MaskRefusal, MaskRegion, NoMask, PreparedMask } from './image-masks.ts';
import {
  isMaskRegion,
  MASK_REGIONS,
  maskFromOwnTransparency,
  maskFromRegion,
  prepareMask,
  WHOLE_REGION,
} from './image-masks.ts';
import type { PreparedImage } from './image-normalization.ts';
import { prepareImage } from './image-normalization.ts';
import type { Busy } from './image-workshop.ts';
import { createImageWorkshop } from './image-workshop.ts';

export { isMaskRegion, MASK_MARKS, MASK_REGIONS, WHOLE_REGION };
export type { FitOutcome, KeepOutsideRequest, MaskMarks, MaskRegion, PreparedImage, PreparedMask };

/**
 * Limits that suit the provider and a small machine.
 *
 * The provider makes pictures of up to 3840 pixels an edge and 8,294,400 in all, so a larger source would be sent in
 * vain; at four bytes a pixel that is 33 MB against its 50 MB for one upload. It makes them in steps of 16 pixels,
 * and a source below one step has nothing to show.
 *
 * Most kinds are decoded row by row. An AVIF is decoded whole, at 18 bytes a pixel and up to 24 in its deep kinds, so
 * 1 kB of it could take 900 MB at 50 megapixels; up to 4096 pixels squared it takes what others take.
 */
export const STANDARD_IMAGE_LIMITS: ImageLimits = {
  sourcePixelCountMax: 50_000_000,
  avifPixelCountMax: 4096 * 4096,
  edgePxMin: 16,
  edgePxMax: 3840,
  pixelCountMax: 8_294_400,
  passSecondsMax: 30,
};

export type ImagePreparation = {
  /** Makes a member's picture fit for the provider, or says why it cannot. */
  prepareImage(bytes: Buffer): Promise<PreparedImage | ImageRefusal | Busy>;
  /**
   * Makes a member's mask fit for the prepared picture, or says why it cannot.
   * @param marks which colour marks what may change, where the member has said so.
   */
  prepareMask(
    bytes: Buffer,
    image: PreparedImage,
    marks?: MaskMarks,
  ): Promise<PreparedMask | MaskRefusal | AmbiguousMask | Busy>;
  /** Uses a picture's own transparency as its mask, where there is some. */
  maskFromOwnTransparency(image: PreparedImage): Promise<PreparedMask | NoMask | UnreadableImage | Busy>;
  /** Makes a ready-made mask. */
  maskFromRegion(region: MaskRegion, image: PreparedImage): Promise<PreparedMask | MaskRefusal | Busy>;
  /** Puts the original's pixels back outside the mask. */
  keepOutside(request: KeepOutsideRequest): Promise<KeepOutsideOutcome | Busy>;
  /** Brings a result under a number of bytes, at the least loss that does it. */
  fitToBytes(source: ByteSource, sizeBytesMax: number): Promise<FitOutcome | Busy>;
  /** The same, with every pixel as it is, or not at all. */
  fitLosslessly(source: ByteSource, sizeBytesMax: number): Promise<FitOutcome | Busy>;
};

/**
 * @param options.concurrency how many pieces of heavy work run at once; at most 3, see the workshop.
 * @param options.waitingMax how many may wait behind them.
 */
export function createImagePreparation(options: {
  readonly concurrency: number;
  readonly waitingMax: number;
  readonly limits: ImageLimits;
}): ImagePreparation {
  const { limits } = options;
  const workshop = createImageWorkshop(options);
  return {
    prepareImage: (bytes) => workshop.run((sharp) => prepareImage(sharp, bytes, limits)),
    prepareMask: (bytes, image, marks) => workshop.run((sharp) => prepareMask(sharp, bytes, image, marks, limits)),
    maskFromOwnTransparency: (image) => workshop.run((sharp) => maskFromOwnTransparency(sharp, image, limits)),
    maskFromRegion: (region, image) => workshop.run((sharp) => maskFromRegion(sharp, region, image)),
    keepOutside: (request) => workshop.run((sharp) => keepOutside(sharp, request, limits)),
    fitToBytes: (source, sizeBytesMax) => workshop.run((sharp) => fitToBytes(sharp, source, sizeBytesMax, limits)),
    fitLosslessly: (source, sizeBytesMax) =>
      workshop.run((sharp) => fitLosslessly(sharp, source, sizeBytesMax, limits)),
  };
}
