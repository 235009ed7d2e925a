import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { auditBooks } from '../audit.ts';
import type { SpentCall, SpendingOrder } from './spending-process.ts';
import type { SharedStoreUnderTest } from './store-under-test.ts';

const PROCESSES = 6;
const REQUESTS = 60;
/** One dollar, which is less than half of what the requests would cost. */
const LIMIT = 1_000_000_000;
/** What the dearest request holds, in nano-dollars. */
const ESTIMATE_MAX = 49_000_000;
/** So many holds at the most are taken back after the last request was refused. */
const FREED_LAST_MAX = 4;
const FIRST_SNOWFLAKE = (BigInt(Date.UTC(2026, 10, 15) - Date.UTC(2015, 0, 1)) << 22n) + 1n;

/**
 * Several processes share one store, and each of them is asked for every request, as overlapping deploys are. The
 * provider's side of it must show each request at most once, and the books must be in order to the nano-dollar.
 */
export async function spendInSeveralProcesses(store: SharedStoreUnderTest): Promise<void> {
  const transfers = Array.from({ length: REQUESTS }, (_, index) => (FIRST_SNOWFLAKE + BigInt(index)).toString());
  const spenders = Array.from({ length: PROCESSES }, (_, process) =>
    startSpender({ url: store.url, namespace: store.namespace, limit: LIMIT, transfers, process }),
  );
  const calls = await letThemSpend(spenders);
  const called = calls.map(({ transfer }) => transfer);
  assert.equal(new Set(called).size, called.length, 'a request was called more than once');
  const bills = calls.flatMap(({ transfer, requestId, usage, costNanoUsd }) =>
    costNanoUsd === undefined ? [] : [{ transfer, requestId, usage, costNanoUsd }],
  );
  const totals = auditBooks(await store.readBooks(), bills, LIMIT);
  assert.equal(totals.held, 0);
  assert.ok(totals.posted > 0 && totals.unknown > 0 && totals.voided > 0, 'every way to end was taken');
  const left = LIMIT - totals.settled - totals.exposure;
  // What becomes free when nobody asks any more is left over: on a fast machine, some of the last holds.
  assert.ok(
    left < FREED_LAST_MAX * ESTIMATE_MAX,
    `${left} nano-dollars are left, so the budget was never put to the test`,
  );
}

async function letThemSpend(spenders: readonly ReturnType<typeof startSpender>[]): Promise<readonly SpentCall[]> {
  try {
    await Promise.all(spenders.map(async ({ isReady }) => isReady));
    return (await Promise.all(spenders.map(async (spender) => spender.spend()))).flat();
  } finally {
    // Where one ended early, the others would wait for their turn for ever.
    for (const { end } of spenders) end();
  }
}

function startSpender(order: SpendingOrder) {
  const spender = fork(join(import.meta.dirname, 'spending-process.ts'), [JSON.stringify(order)]);
  // Unlike its exit, this never comes before its last message.
  const died = once(spender, 'disconnect').then(() => assert.fail('a spender ended early'));
  return {
    isReady: Promise.race([once(spender, 'message'), died]),
    end: () => void spender.kill(),
    async spend(): Promise<readonly SpentCall[]> {
      spender.send('go');
      const [calls]: (readonly SpentCall[])[] = await Promise.race([once(spender, 'message'), died]);
      assert.ok(calls);
      return calls;
    },
  };
}
