import type { Logger } from 'pino';

/**
 * Closes one group after the other, and what is in a group together. What fails is logged, and does not keep the rest
 * from being closed.
 * @throws {AggregateError} all that failed, at the end
 */
export async function closeInOrder(groups: readonly (readonly (() => unknown)[])[], log: Logger): Promise<void> {
  const failures: unknown[] = [];
  const closeOne = async (close: () => unknown): Promise<void> => {
    try {
      await close();
    } catch (error) {
      log.error({ err: error }, 'a part of the program could not be closed');
      failures.push(error);
    }
  };
  for (const group of groups) await Promise.all(group.map(closeOne));
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed');
}
