import type { Logger } from 'pino';
import type { Ledger } from '../billing/ledger.ts';
import type { TransferRef } from '../billing/movements.ts';
import { periodOf, previousPeriod } from '../billing/period.ts';
import { UnreadableValue } from '../storage/store.ts';
import { oneByOne } from './one-by-one.ts';

/** Ends the holds that nobody waits for any more, in every server that may have some. */
export type HoldExpiry = {
  /** A hold of this server may be left over. */
  watch(guild: string): void;
  /**
   * Frees what is held for a call that this process has noted as going out, or may have, and knows that it has not made.
   * Where the store fails, later.
   */
  freeUncalled(ref: TransferRef, reason: string): Promise<void>;
  /**
   * Ends every hold whose time is over; where the store fails, the next call goes on with it.
   * @param stopping begins with no further server once it is aborted
   * @throws where the store is away
   */
  expire(stopping?: AbortSignal): Promise<void>;
};

/** Other machines leave holds behind as well, and of those nobody here is told. */
const LIST_INTERVAL_MS = 60 * 60_000;
/** As many as wait for a turn at most. Of those beyond, the holds end when their time is over. */
const UNCALLED_MAX = 500;

type UncalledHold = { readonly ref: TransferRef; readonly reason: string };

export function createHoldExpiry(parts: {
  ledger: Pick<Ledger, 'guilds' | 'head' | 'expireHolds' | 'void'>;
  now: () => number;
  log: Logger;
}): HoldExpiry {
  const { ledger, now, log } = parts;
  const guildsWithHolds = new Set<string>();
  const uncalled = new Set<UncalledHold>();
  let listedAt = -Infinity;

  /** Anybody may have left holds behind, before this process was there or since. */
  async function listGuilds(): Promise<void> {
    if (now() - listedAt < LIST_INTERVAL_MS) return;
    try {
      for (const month of monthsWithHolds()) {
        for (const guild of await ledger.guilds(month)) guildsWithHolds.add(guild);
      }
      listedAt = now();
    } catch (error) {
      log.error({ err: error }, 'the servers that may have holds could not be listed; the next sweep tries again');
    }
  }

  /** What was reserved before midnight may be held after it. */
  function monthsWithHolds(): readonly [string, string] {
    const period = periodOf(now());
    return [period, previousPeriod(period)];
  }

  /**
   * A hold that says it went out is freed only by whoever knows that it did not, and here that is known. A reservation is
   * granted once, to one process, and only that process dispatches and calls, once: recovery never calls, and another
   * process that was asked the same is refused as a duplicate. If the dispatch is still on its way to the store, either
   * it comes first and is found, or the head is not any more the one it was decided on, and it changes nothing.
   */
  async function free(hold: UncalledHold): Promise<void> {
    uncalled.delete(hold);
    await ledger.void(hold.ref, hold.reason);
  }

  async function expireIn(guild: string): Promise<void> {
    // First, so that whoever is told to watch it meanwhile is not forgotten.
    guildsWithHolds.delete(guild);
    const heads = await Promise.all(
      monthsWithHolds().map(async (month) => {
        await ledger.expireHolds(guild, month);
        return ledger.head(guild, month);
      }),
    );
    if (heads.some(({ open }) => Object.keys(open).length > 0)) guildsWithHolds.add(guild);
  }

  /** What cannot be read will not be readable in a minute either: the list brings the server back within the hour. */
  function onFailureIn(guild: string, error: unknown): void {
    if (!(error instanceof UnreadableValue)) guildsWithHolds.add(guild);
    log.error({ guild, err: error }, 'the holds of a server could not be looked at; a later sweep tries again');
  }

  /** Where nothing can be read of it, nothing can be freed either, and a person has to look at the account. */
  function onFailureOf(hold: UncalledHold, error: unknown): void {
    if (!(error instanceof UnreadableValue) && uncalled.size < UNCALLED_MAX) uncalled.add(hold);
    log.error({ job: hold.ref.transfer, err: error }, 'a hold could not be freed; a later sweep tries again');
  }

  return {
    watch: (guild) => void guildsWithHolds.add(guild),
    async freeUncalled(ref, reason) {
      const hold = { ref, reason };
      await free(hold).catch((error: unknown) => onFailureOf(hold, error));
      guildsWithHolds.add(ref.guild);
    },
    async expire(stopping) {
      await oneByOne([...uncalled], free, onFailureOf, stopping);
      if (stopping?.aborted === true) return;
      await listGuilds();
      await oneByOne([...guildsWithHolds], expireIn, onFailureIn, stopping);
    },
  };
}
