import PQueue from 'p-queue';
import { HeldBuffers } from './images/held-buffers.ts';
import type { ImagePreparation, PreparedImage } from './images/image-preparation.ts';
import type { AttachmentRefusal } from './image-request.ts';

/** What a picture is to whoever might paint on it. */
export type Paintability =
  | 'paintable'
  /** It is transparent where it may change, so nobody has to paint anything. */
  | 'own-mask'
  /** It cannot be edited at all, and whoever tries will say why. */
  | 'unusable';

/** A picture for as long as somebody reads it. */
export type LentPicture = Pick<PreparedImage, 'bytes' | 'contentType'> & {
  /** To be called once. With the last one who reads the picture its memory goes. */
  readonly giveBack: () => void;
};

/** The pictures that masks are painted on: the very pixels that the provider will get. */
export type PaintPictures = {
  judge(url: string): Promise<Paintability>;
  /** `busy` where it may be had later, and undefined where it cannot be had. */
  lend(url: string): Promise<LentPicture | 'busy' | undefined>;
};

type Prepared = PreparedImage | 'busy' | undefined;
type Loan = { readonly picture: Promise<Prepared>; readonly held: HeldBuffers; readers: number };

/** Each of them stands in memory whole. */
const CONCURRENCY = 2;
const WAITING_MAX = 20;

export function createPaintPictures(parts: {
  load: (url: string) => Promise<Buffer | AttachmentRefusal>;
  preparation: Pick<ImagePreparation, 'prepareImage' | 'maskFromOwnTransparency'>;
}): PaintPictures {
  const { preparation } = parts;
  const line = new PQueue({ concurrency: CONCURRENCY });
  /** By their addresses. Whoever asks for one that is on its way, or is being read, gets that one. */
  const loans = new Map<string, Loan>();

  async function inTurn<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
    return line.size >= WAITING_MAX ? otherwise : line.add(work);
  }

  async function prepare(url: string, held: HeldBuffers): Promise<Prepared> {
    using passing = new HeldBuffers();
    const bytes = await parts.load(url);
    // The edit may reach what could not be reached just now, and would change all of it.
    if ('refused' in bytes) return bytes.refused === 'unreachable' ? 'busy' : undefined;
    const prepared = await preparation.prepareImage(bytes);
    const image = prepared.kind === 'prepared-image' ? prepared : undefined;
    // What needed no change shares its memory with the download.
    (image?.bytes.buffer === bytes.buffer ? held : passing).hold(bytes);
    if (image) held.hold(image.bytes);
    return prepared.kind === 'busy' ? 'busy' : image;
  }

  async function judge(url: string): Promise<Paintability> {
    using held = new HeldBuffers();
    const image = await prepare(url, held);
    if (image === 'busy') return 'paintable';
    if (!image) return 'unusable';
    const mask = await preparation.maskFromOwnTransparency(image);
    if (mask.kind === 'unreadable') return 'unusable';
    if (mask.kind !== 'prepared-mask') return 'paintable';
    held.hold(mask.bytes);
    return 'own-mask';
  }

  function openLoan(url: string): Loan {
    const held = new HeldBuffers();
    const loan = { picture: inTurn<Prepared>(async () => prepare(url, held), 'busy'), held, readers: 0 };
    loans.set(url, loan);
    return loan;
  }

  return {
    // Where there is too much to do for a look, it is looked at when somebody paints.
    judge: async (url) => inTurn<Paintability>(async () => judge(url), 'paintable'),
    async lend(url) {
      const loan = loans.get(url) ?? openLoan(url);
      const giveBack = (): void => {
        loan.readers -= 1;
        if (loan.readers > 0) return;
        loans.delete(url);
        loan.held[Symbol.dispose]();
      };
      loan.readers += 1;
      let isLent = false;
      try {
        const picture = await loan.picture;
        if (picture === 'busy' || !picture) return picture;
        isLent = true;
        return { bytes: picture.bytes, contentType: picture.contentType, giveBack };
      } finally {
        if (!isLent) giveBack();
      }
    },
  };
}
