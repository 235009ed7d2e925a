import type { Ledger } from '../billing/ledger.ts';
import type { Period } from '../billing/period.ts';
import { endOfPeriod, periodOf } from '../billing/period.ts';

/** A guild's month. */
export type Account = { readonly guild: string; readonly period: Period };

/** Which accounts somebody wants to see; all of them where nothing is said. */
export type AccountFilter = { readonly guild?: string | undefined; readonly period?: Period | undefined };

/** Months are those of Discord's ids, which begin with 2015. */
const FIRST_PERIOD: Period = '201501';

/** Every account of the ledger, month by month, oldest first. */
export async function* listAccounts(ledger: Ledger, filter: AccountFilter, now: number): AsyncGenerator<Account> {
  for (const period of filter.period === undefined ? periodsUntil(now) : [filter.period]) {
    const guilds = await ledger.guilds(period);
    // An account that is asked for by its full name is looked for even where the index has forgotten it.
    const isNamed = filter.guild !== undefined && filter.period !== undefined;
    for (const guild of isNamed ? [filter.guild] : guilds.toSorted()) {
      if (filter.guild === undefined || filter.guild === guild) yield { guild, period };
    }
  }
}

/** One month more than this machine's clock knows of, because it may be behind Discord's. */
function periodsUntil(now: number): Period[] {
  const periods: Period[] = [];
  const last = nextPeriod(periodOf(now));
  for (let period = FIRST_PERIOD; period <= last; period = nextPeriod(period)) periods.push(period);
  return periods;
}

function nextPeriod(period: Period): Period {
  return periodOf(endOfPeriod(period));
}
