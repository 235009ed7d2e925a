/**
 * Where pixels are worked on: a few pieces of heavy work at a time, a bounded line behind them, and the image
 * library loaded when the first of them comes.
 */

import PQueue from 'p-queue';
import type sharp from 'sharp';

/** The image library as work receives it. */
export type Sharp = typeof sharp;

/** The line was full: nothing was done, and the same request can be made again later. */
export type Busy = { readonly kind: 'busy' };

export type ImageWorkshop = {
  /** Runs the work as soon as a place is free, in order of arrival. What the work throws comes through. */
  run<Outcome>(work: (sharp: Sharp) => Promise<Outcome>): Promise<Outcome | Busy>;
  /** The library alone, for what reads only a header and needs no place. */
  library(): Promise<Sharp>;
};

/**
 * @param options.concurrency how many pieces of work run at once. Each takes one of the runtime's four worker
 * threads, which files and name lookups share, so it should stay below four.
 * @param options.waitingMax how many may wait behind them before `busy` is the answer.
 */
export function createImageWorkshop(options: {
  readonly concurrency: number;
  readonly waitingMax: number;
}): ImageWorkshop {
  const { concurrency, waitingMax } = options;
  const line = new PQueue({ concurrency });
  let loading: Promise<Sharp> | undefined;

  function library(): Promise<Sharp> {
    // Packages that are being installed anew, under a running bot, are there again for the next picture.
    loading ??= loadSharp().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  return {
    library,
    async run(work) {
      const isFull = line.pending >= concurrency && line.size >= waitingMax;
      return isFull ? { kind: 'busy' } : line.add(async () => work(await library()));
    },
  };
}

/**
 * Loads the library and settles its process-wide switches, here and nowhere else. Loading late keeps about 20 MB
 * and some tens of milliseconds out of a start that may never see a picture.
 */
async function loadSharp(): Promise<Sharp> {
  const { default: library } = await import('sharp');
  // Every picture is seen once: a cache of decoded pixels would only hold on to memory.
  library.cache(false);
  // One thread for each piece of work: how many cores pictures may take is then decided by the workshop alone.
  library.concurrency(1);
  return library;
}
