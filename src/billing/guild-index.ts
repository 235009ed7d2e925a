import { createHash } from 'node:crypto';
import { changeValue } from '../storage/change-value.ts';
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
      await changeValue(parts, indexKey(period, shardOf(guild)), (guilds: readonly string[] = []) => ({
        answer: undefined,
        next: guilds.includes(guild) ? undefined : [...guilds, guild],
      }));
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
