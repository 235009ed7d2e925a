import type { Ledger } from '../billing/ledger.ts';
import { periodOf, previousPeriod } from '../billing/period.ts';

/** Ends the holds that nobody waits for any more, in every server that may have some. */
export type HoldExpiry = {
  /** A hold of this server may be left over. */
  watch(guild: string): void;
  /** Ends every hold whose time is over; where the store fails, the next call goes on with it. */
  expire(): Promise<void>;
};

export function createHoldExpiry(parts: {
  ledger: Pick<Ledger, 'guilds' | 'head' | 'expireHolds'>;
  now: () => number;
}): HoldExpiry {
  const { ledger, now } = parts;
  const guildsWithHolds = new Set<string>();
  let isListed = false;

  /** Anybody may have left holds behind before this process was there. */
  async function listGuilds(): Promise<void> {
    if (isListed) return;
    for (const month of monthsWithHolds()) {
      for (const guild of await ledger.guilds(month)) guildsWithHolds.add(guild);
    }
    isListed = true;
  }

  /** What was reserved before midnight may be held after it. */
  function monthsWithHolds(): readonly [string, string] {
    const period = periodOf(now());
    return [period, previousPeriod(period)];
  }

  async function expireIn(guild: string): Promise<void> {
    const heads = await Promise.all(
      monthsWithHolds().map(async (month) => {
        await ledger.expireHolds(guild, month);
        return ledger.head(guild, month);
      }),
    );
    if (heads.every(({ open }) => Object.keys(open).length === 0)) guildsWithHolds.delete(guild);
  }

  return {
    watch: (guild) => void guildsWithHolds.add(guild),
    async expire() {
      await listGuilds();
      for (const guild of guildsWithHolds) await expireIn(guild);
    },
  };
}
