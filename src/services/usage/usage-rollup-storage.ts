import { setImmediate as nextTurn } from 'node:timers/promises';
import { rollupDayKey, rollupKey } from '../../billing/ledger-keys.ts';
import type { Period } from '../../billing/period.ts';
import type { Store, Versioned } from '../../storage/store.ts';
import { UnreadableValue } from '../../storage/store.ts';
import type { Standing, UsageCounts, UsageDay, UsageRollup } from './usage-rollup.ts';
import { COUNTED, emptyCounts, emptyRollup } from './usage-rollup.ts';

/**
 * How rollups are kept: an overview of the month, and a value for each day, because a day that is over is seldom
 * written again. A day passes a megabyte only where some fifteen thousand members make images on it.
 */
export type RollupStorage = {
  /** What is kept of a guild's month; empty where nothing is, or nothing that can be used. */
  load(guild: string, period: Period): Promise<KeptRollup>;
  /**
   * Writes a rollup and those of its days that have changed. False where somebody else has written another one since
   * it was loaded, which is as good.
   */
  save(guild: string, period: Period, next: KeptRollup, changedDays: ReadonlySet<string>): Promise<boolean>;
  /** How many entries the kept rollup counts; 0 where there is none that can be used. */
  countedEntries(guild: string, period: Period): Promise<number>;
};

export type KeptRollup = {
  readonly rollup: UsageRollup;
  /** The SHA-256 of the last entry that is counted, in hex, by which the rollup is known to be of this journal. */
  readonly lastHash: string | undefined;
  /** For each day, the number of the last entry at the time when it was written. */
  readonly writtenAt: Readonly<Record<string, number>>;
  /** The version of the overview in the store; undefined where there is none. */
  readonly version: string | undefined;
};

/** Goes up with every change of what is counted, or of how. */
const VERSION = 1;
/** A read between another process's writes shows in the days' numbers; so many in a row are no accident. */
const READS_MAX = 3;

type StoredOverview = {
  readonly v: number;
  readonly seq: number;
  readonly lastHash: string;
  readonly days: Readonly<Record<string, number>>;
};

type StoredDay = {
  readonly seq: number;
  readonly counts: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly standings: Readonly<Record<string, Standing>>;
};

export function createRollupStorage(store: Store): RollupStorage {
  /** What cannot be read is as good as not there: everything in it follows from the journal. */
  async function unlessUnreadable<Value>(key: string, read: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error;
      await store.remove([key]);
      return undefined;
    }
  }

  async function readOverview(guild: string, period: Period): Promise<Versioned<StoredOverview> | undefined> {
    const key = rollupKey(guild, period);
    return unlessUnreadable(key, async () => store.read<StoredOverview>(key));
  }

  /** The days of an overview, or undefined where one of them is of another time than the overview. */
  async function readDays(guild: string, period: Period, writtenAt: KeptRollup['writtenAt']) {
    const names = Object.keys(writtenAt);
    const keys = names.map((name) => rollupDayKey(guild, name));
    const stored = await unlessUnreadable(rollupKey(guild, period), async () => store.readMany<StoredDay>(keys));
    const days = new Map<string, UsageDay>();
    for (const [index, name] of names.entries()) {
      const day = stored?.[index];
      if (!day || day.seq !== writtenAt[name]) return undefined;
      days.set(name, readDay(day));
      await nextTurn();
    }
    return days;
  }

  return {
    async load(guild, period) {
      let version: string | undefined;
      for (let attempt = 1; attempt <= READS_MAX; attempt += 1) {
        const overview = await readOverview(guild, period);
        version = overview?.version;
        if (overview?.value.v !== VERSION) break;
        const { seq, lastHash, days: writtenAt } = overview.value;
        const days = await readDays(guild, period, writtenAt);
        if (days) return { rollup: { ...emptyRollup(), seq, days }, lastHash, writtenAt, version };
      }
      return { rollup: emptyRollup(), lastHash: undefined, writtenAt: {}, version };
    },

    async countedEntries(guild, period) {
      const overview = await readOverview(guild, period);
      return overview?.value.v === VERSION ? overview.value.seq : 0;
    },

    async save(guild, period, { rollup, lastHash, writtenAt, version }, changedDays) {
      const { seq, days } = rollup;
      const changed = [...days].filter(([name]) => changedDays.has(name));
      const next = {
        v: VERSION,
        seq,
        lastHash,
        days: { ...writtenAt, ...Object.fromEntries(changed.map(([name]) => [name, seq])) },
      };
      const written = await store.commit({
        guard: { key: rollupKey(guild, period), expected: version, next },
        writes: changed.map(([name, day]) => ({ key: rollupDayKey(guild, name), value: writeDay(day, seq) })),
      });
      return written !== undefined;
    },
  };
}

function writeDay({ counts, standings }: UsageDay, seq: number): StoredDay {
  const members = [...counts].map(([member, byModel]) => {
    const models = [...byModel].map(([model, counted]) => [model, COUNTED.map((name) => counted[name])] as const);
    return [member, Object.fromEntries(models)] as const;
  });
  return { seq, counts: Object.fromEntries(members), standings: Object.fromEntries(standings) };
}

function readDay({ counts, standings }: StoredDay): UsageDay {
  const members = Object.entries(counts).map(([member, models]) => {
    const byModel = Object.entries(models).map(([model, numbers]) => [model, readCounts(numbers)] as const);
    return [member, new Map(byModel)] as const;
  });
  return { counts: new Map(members), standings: new Map(Object.entries(standings)) };
}

function readCounts(numbers: readonly number[]): UsageCounts {
  const counts = emptyCounts();
  for (const [place, name] of COUNTED.entries()) counts[name] = numbers[place] ?? 0;
  return counts;
}
