import type { EmulatedClock } from '../discord/clock.ts';

/** How the page moves time. */
export type ClockJump = '15 minutes' | 'next month';

const QUARTER_OF_AN_HOUR_MS = 15 * 60_000;

/** Moves the clock forward: by a quarter of an hour, after which no token works any more, or to the first of the next month (UTC). */
export function jump(clock: EmulatedClock, to: ClockJump): void {
  const now = new Date(clock.now());
  const nextMonthMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  clock.advance(to === '15 minutes' ? QUARTER_OF_AN_HOUR_MS : nextMonthMs - now.getTime());
}
