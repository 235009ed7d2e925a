import type { PreviewTarget } from '../../../src/services/providers/image-provider.ts';
import { createMemorySinks } from './memory-sinks.ts';

export type PreviewBook = {
  readonly target: PreviewTarget;
  /** What arrived whole, in its order. */
  previews(): readonly Buffer[];
  failures(): readonly unknown[];
  openCount(): number;
};

/** Takes previews into memory. */
export function createPreviewBook(count: number): PreviewBook {
  const sinks = createMemorySinks();
  const sizes: number[] = [];
  const failures: unknown[] = [];
  return {
    target: {
      count,
      openByteSink: sinks.openByteSink,
      arrived: (index, sizeBytes) => (sizes[index] = sizeBytes),
      failed: (error) => failures.push(error),
    },
    previews: () => sinks.closedImages().filter(({ length }, index) => sizes[index] === length),
    failures: () => failures,
    openCount: () => sinks.openCount(),
  };
}
