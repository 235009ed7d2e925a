import type { OpenByteSink } from '../../../src/services/providers/image-provider.ts';

export type MemorySinks = {
  readonly openByteSink: OpenByteSink;
  /** What each closed sink received, by its index. */
  closedImages(): readonly Buffer[];
  /** How many sinks were neither closed nor discarded. */
  openCount(): number;
};

/** Sinks that copy what they are lent; opening an index again starts it afresh. */
export function createMemorySinks(): MemorySinks {
  const closed = new Map<number, Buffer>();
  let open = 0;
  return {
    async openByteSink(index) {
      open += 1;
      closed.delete(index);
      const chunks: Buffer[] = [];
      return {
        async write(bytes) {
          chunks.push(Buffer.from(bytes));
        },
        async close() {
          closed.set(index, Buffer.concat(chunks));
          open -= 1;
        },
        async discard() {
          open -= 1;
        },
      };
    },
    closedImages: () => [...closed].toSorted(([left], [right]) => left - right).map(([, bytes]) => bytes),
    openCount: () => open,
  };
}
