import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

/**
 * Preloaded into a bot, lets its pauses between attempts pass sooner, so that a test can see the last of them. Time
 * limits and the clock stay as they are.
 */

const HASTE = 20;

const pause = timers.setTimeout;
timers.setTimeout = async (delayMs, value, options) => pause((delayMs ?? 0) / HASTE, value, options);
syncBuiltinESMExports();
