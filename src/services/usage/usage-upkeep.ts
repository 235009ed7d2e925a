import type { Logger } from 'pino';
import type { Ledger } from '../../billing/ledger.ts';
import { periodOf, previousPeriod } from '../../billing/period.ts';
import { oneByOne } from '../one-by-one.ts';
import type { UsageRollups } from './usage-rollups.ts';

/**
 * Adds up in quiet what has gathered in busy servers, so that nobody who asks for a report has to wait until a month
 * is read.
 */
export type UsageUpkeep = {
  /** Looks at every server once. Never rejects; while it is at it, further calls do nothing. */
  run(): Promise<void>;
  /** Begins with no further server, and resolves when the last one is done. */
  stop(): Promise<void>;
};

/** So many entries are read within some tens of milliseconds, which whoever asks may just as well wait for. */
const ENTRIES_MIN = 1_000;
const CUT_SHORT = 'reports could not be prepared; whoever asks will wait longer';

export function createUsageUpkeep(parts: {
  ledger: Pick<Ledger, 'guilds'>;
  rollups: Pick<UsageRollups, 'catchUp'>;
  now: () => number;
  log: Logger;
}): UsageUpkeep {
  const { ledger, rollups, now, log } = parts;
  let running: Promise<void> | undefined;
  const stopping = new AbortController();

  async function lookAtAll(): Promise<void> {
    const period = periodOf(now());
    // What was reserved before midnight is often charged after it.
    for (const month of [period, previousPeriod(period)]) {
      if (stopping.signal.aborted) return;
      await oneByOne(
        await ledger.guilds(month),
        async (guild) => void (await rollups.catchUp(guild, month, ENTRIES_MIN)),
        (guild, error) => log.warn({ guild, err: error }, CUT_SHORT),
        stopping.signal,
      );
    }
  }

  return {
    async run() {
      running ??= lookAtAll()
        .catch((error: unknown) => log.warn({ err: error }, CUT_SHORT))
        .finally(() => {
          running = undefined;
        });
      await running;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
