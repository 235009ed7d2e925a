/** An evenly refilled bucket of images, such as the provider keeps for every account. */

const minuteMs = 60_000;

export type ImageRateLimit = {
  /** Takes the images out; otherwise the time until they would be there, in milliseconds, and takes nothing. */
  take(imageCount: number): { readonly isAllowed: true } | { readonly isAllowed: false; readonly waitMs: number };
};

/** @param imagesPerMinute also the size of the bucket, which begins full */
export function createImageRateLimit(imagesPerMinute: number, now: () => number): ImageRateLimit {
  let level = imagesPerMinute;
  let filledAt = now();
  return {
    take(imageCount) {
      const at = now();
      level = Math.min(imagesPerMinute, level + ((at - filledAt) * imagesPerMinute) / minuteMs);
      filledAt = at;
      if (level >= imageCount) {
        level -= imageCount;
        return { isAllowed: true };
      }
      return { isAllowed: false, waitMs: Math.ceil(((imageCount - level) * minuteMs) / imagesPerMinute) };
    },
  };
}
