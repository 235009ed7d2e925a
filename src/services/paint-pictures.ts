import PQueue from 'p-queue';
import type { ImagePreparation, PreparedImage } from './image-preparation.ts';
import type { AttachmentRefusal } from './image-request.ts';

/** What a picture is to whoever might paint on it. */
export type Paintability =
  | 'paintable'
  /** It is transparent where it may change, so nobody has to paint anything. */
  | 'own-mask'
  /** It cannot be edited at all, and whoever tries will say why. */
  | 'unusable';

/** The pictures that masks are painted on: the very pixels that the provider will get. */
export type PaintPictures = {
  judge(url: string): Promise<Paintability>;
  /** Undefined where it cannot be had, or not now. */
  load(url: string): Promise<PreparedImage | undefined>;
};

/** Each of them stands in memory whole. */
const CONCURRENCY = 2;
const WAITING_MAX = 20;

export function createPaintPictures(parts: {
  load: (url: string) => Promise<Buffer | AttachmentRefusal>;
  preparation: Pick<ImagePreparation, 'prepareImage' | 'maskFromOwnTransparency'>;
}): PaintPictures {
  const { preparation } = parts;
  const line = new PQueue({ concurrency: CONCURRENCY });

  async function inTurn<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
    return line.size >= WAITING_MAX ? otherwise : line.add(work);
  }

  async function prepare(url: string): Promise<PreparedImage | undefined> {
    const bytes = await parts.load(url);
    const prepared = 'refused' in bytes ? undefined : await preparation.prepareImage(bytes);
    return prepared?.kind === 'prepared-image' ? prepared : undefined;
  }

  async function judge(url: string): Promise<Paintability> {
    const image = await prepare(url);
    if (!image) return 'unusable';
    const mask = await preparation.maskFromOwnTransparency(image);
    if (mask.kind === 'unreadable') return 'unusable';
    return mask.kind === 'prepared-mask' ? 'own-mask' : 'paintable';
  }

  return {
    // Where there is too much to do for a look, it is looked at when somebody paints.
    judge: async (url) => inTurn<Paintability>(async () => judge(url), 'paintable'),
    load: async (url) => inTurn(async () => prepare(url), undefined),
  };
}
