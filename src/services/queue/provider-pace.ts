/** How soon the provider takes another call: so many images a minute, and no call at all while it asked for a pause. */
export type ProviderPace = {
  /** How long until so many images may be asked for, after those of the requests before them. */
  waitMs(images: number, imagesBefore: number): number;
  take(images: number): void;
  pause(durationMs: number): void;
};

const MINUTE_MS = 60_000;

/** @param imagesPerMinute undefined where the provider has no such limit */
export function createProviderPace(imagesPerMinute: number | undefined, now: () => number): ProviderPace {
  const bucket = imagesPerMinute === undefined ? boundless : createBucket(imagesPerMinute, now);
  let pausedUntil = 0;
  return {
    waitMs: (images, imagesBefore) => Math.max(0, pausedUntil - now(), bucket.waitMs(images, imagesBefore)),
    take: bucket.take,
    pause(durationMs) {
      pausedUntil = Math.max(pausedUntil, now() + durationMs);
    },
  };
}

type Bucket = Pick<ProviderPace, 'waitMs' | 'take'>;

const boundless: Bucket = { waitMs: () => 0, take: () => undefined };

/** A bucket that is refilled evenly, and may be overdrawn by one request so that a large one is not kept out for ever. */
function createBucket(imagesPerMinute: number, now: () => number): Bucket {
  let level = imagesPerMinute;
  let takenAt = now();
  const levelNow = (): number => Math.min(imagesPerMinute, level + ((now() - takenAt) / MINUTE_MS) * imagesPerMinute);
  return {
    waitMs(images, imagesBefore) {
      const missing = Math.min(images, imagesPerMinute) + imagesBefore - levelNow();
      return missing <= 0 ? 0 : Math.ceil((missing / imagesPerMinute) * MINUTE_MS);
    },
    take(images) {
      level = levelNow() - images;
      takenAt = now();
    },
  };
}
