/**
 * Waits for something, but no longer than until the signal is aborted: then it answers undefined, and what comes of the
 * thing itself is of no interest any more.
 */
export async function untilAborted<Result>(
  signal: AbortSignal,
  begin: () => Promise<Result>,
): Promise<Result | undefined> {
  if (signal.aborted) return undefined;
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
  const leave = (): void => resolve(undefined);
  signal.addEventListener('abort', leave);
  try {
    return await Promise.race([begin(), aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
