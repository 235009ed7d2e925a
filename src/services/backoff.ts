/**
 * How long to wait before the next attempt: twice as long each time, in milliseconds.
 * @param failedAttempts how many have failed, from 1 on
 */
export function backoffMs(
  failedAttempts: number,
  { firstMs, maxMs = Number.POSITIVE_INFINITY }: { readonly firstMs: number; readonly maxMs?: number },
): number {
  return Math.min(firstMs * 2 ** (failedAttempts - 1), maxMs);
}
