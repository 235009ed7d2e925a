import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountHead } from '../../billing/guild-account.ts';
import { emptyHead } from '../../billing/guild-account.ts';
import type { Ledger } from '../../billing/ledger.ts';
import { createMutex } from '../../billing/mutex.ts';
import type { Period } from '../../billing/period.ts';
import type { Store } from '../../storage/store.ts';
import type { UsageRollup } from './usage-rollup.ts';
import { attributeCorrection, emptyRollup, foldEntry } from './usage-rollup.ts';
import type { KeptRollup } from './usage-rollup-storage.ts';
import { createRollupStorage } from './usage-rollup-storage.ts';

/** A guild's account, and its journal added up to the very entry of which the account tells. */
export type CurrentRollup = {
  readonly head: AccountHead;
  /** Undefined where the entries were pruned before they were added up. */
  readonly rollup: UsageRollup | undefined;
};

/**
 * Rollups that are brought up to date when somebody asks for them, by reading only what has come since. Nothing that
 * spends money knows of them or waits for them.
 */
export type UsageRollups = {
  read(guild: string, period: Period): Promise<CurrentRollup>;
  /** Brings a rollup up to date if at least so many entries have come since; answers whether it did. */
  catchUp(guild: string, period: Period, entriesMin: number): Promise<boolean>;
};

export function createUsageRollups(parts: { ledger: Ledger; store: Store }): UsageRollups {
  const { ledger } = parts;
  const storage = createRollupStorage(parts.store);
  // Many members may ask at once: one reads what is new, and the next ones find it read.
  const mutex = createMutex();

  async function bringUpToDate(
    guild: string,
    period: Period,
    kept: KeptRollup,
    head: AccountHead,
  ): Promise<CurrentRollup> {
    const isOfThisJournal = await fits(guild, period, kept, head);
    if (head.pruned) return { head, rollup: isOfThisJournal && kept.rollup.seq === head.seq ? kept.rollup : undefined };
    const base = isOfThisJournal ? kept : { ...kept, rollup: emptyRollup(), writtenAt: {} };
    const { rollup } = base;
    if (rollup.seq === head.seq) return { head, rollup };
    const changedDays = await fold(guild, period, rollup, head.seq);
    // Somebody else's rollup of the same journal is as good as this one.
    await storage.save(guild, period, { ...base, lastHash: head.lastHash }, changedDays);
    return { head, rollup };
  }

  /** Whether the journal goes on from the very entry up to which the rollup was made. */
  async function fits(guild: string, period: Period, kept: KeptRollup, head: AccountHead): Promise<boolean> {
    const { seq } = kept.rollup;
    const lastHash = kept.lastHash ?? emptyHead().lastHash;
    if (seq >= head.seq) return seq === head.seq && lastHash === head.lastHash;
    for await (const [next] of ledger.entries(guild, period, { after: seq, upTo: seq + 1 })) {
      return next?.prevHash === lastHash;
    }
    return false;
  }

  /** Counts the entries in that are new, and answers which days they have changed. */
  async function fold(guild: string, period: Period, rollup: UsageRollup, upTo: number): Promise<Set<string>> {
    const changedDays = new Set<string>();
    for await (const page of ledger.entries(guild, period, { after: rollup.seq, upTo })) {
      for (const entry of page) {
        const day = foldEntry(rollup, entry);
        if (day !== undefined) changedDays.add(day);
      }
      // A store may answer without ever letting go of the event loop, and everybody else waits for it as well.
      await nextTurn();
    }
    if (rollup.corrections.size === 0) return changedDays;
    // Corrections are made by hand, one by one: the time that it takes to find their charges is of no account.
    for await (const page of ledger.entries(guild, period, { after: 0, upTo })) {
      for (const entry of page) {
        if (entry.type !== 'post' || !rollup.corrections.has(entry.transfer)) continue;
        changedDays.add(attributeCorrection(rollup, entry.transfer, entry.details));
      }
      if (rollup.corrections.size === 0) break;
      await nextTurn();
    }
    return changedDays;
  }

  return {
    read: async (guild, period) =>
      mutex.run(`${guild}/${period}`, async () =>
        bringUpToDate(guild, period, await storage.load(guild, period), await ledger.head(guild, period)),
      ),
    catchUp: async (guild, period, entriesMin) =>
      mutex.run(`${guild}/${period}`, async () => {
        const head = await ledger.head(guild, period);
        const counted = await storage.countedEntries(guild, period);
        if (head.seq - counted < entriesMin) return false;
        await bringUpToDate(guild, period, await storage.load(guild, period), head);
        return true;
      }),
  };
}
