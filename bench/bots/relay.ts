import { startRelay } from './relay-core.ts';

/** The floor: nothing is kept, so a crash loses what was paid for. */
await startRelay({ commit: () => undefined, keep: async () => undefined, forget: async () => undefined });
