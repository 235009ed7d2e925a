import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS_MAX = 30_000;
const CHECK_INTERVAL_MS = 20;

/** Resolves when something is so that nothing tells of, such as what lies on the bot's own disk. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, 'waited in vain');
    await sleep(CHECK_INTERVAL_MS);
  }
}
