import type { StoreLog } from '../../src/storage/backend.ts';

/** A log that keeps the messages of its lines. */
export function collectLog(): { readonly log: StoreLog; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const write = (...parts: readonly unknown[]): void => {
    lines.push(String(parts.at(-1)));
  };
  return { lines, log: { info: write, warn: write } };
}
