import { createHash } from 'node:crypto';
import { lostRace, untilCommitted } from '../storage/lost-race.ts';
import type { Store } from '../storage/store.ts';
import { indexKey } from './ledger-keys.ts';
import type { Period } from './period.ts';

/** Which guilds have entries in a month: the way from nothing to every account. */
export type GuildIndex = {
  add(guild: string, period: Period): Promise<void>;
  list(period: Period): Promise<readonly string[]>;
};

/** The list is split, so that no value grows with all of the guilds that the bot is in. */
const SHARDS = 64;

export function createGuildIndex(parts: {
  store: Store;
  random: () => number;
  sleep: (ms: number) => Promise<unknown>;
}): GuildIndex {
  const { store } = parts;
  return {
    async add(guild, period) {
      const key = indexKey(period, shardOf(guild));
      await untilCommitted(parts, async () => {
        const index = await store.read<readonly string[]>(key);
        if (index?.value.includes(guild)) return undefined;
        const next = [...(index?.value ?? []), guild];
        const isWritten = await store.commit({ guard: { key, expected: index?.version, next }, writes: [] });
        return isWritten ? undefined : lostRace;
      });
    },
    async list(period) {
      const keys = Array.from({ length: SHARDS }, (_, shard) => indexKey(period, shard));
      return (await store.readMany<readonly string[]>(keys)).flatMap((guilds) => guilds ?? []);
    },
  };
}

function shardOf(guild: string): number {
  return createHash('sha256').update(guild).digest().readUInt32BE(0) % SHARDS;
}
