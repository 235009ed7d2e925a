import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headKey, indexKey } from '../../src/billing/ledger-keys.ts';
import { createLedger } from '../../src/billing/ledger.ts';
import { createHoldExpiry } from '../../src/services/hold-expiry.ts';
import { details } from '../billing/account-fixture.ts';
import { createFailingStore } from '../billing/failing-store.ts';
import { snowflake } from '../tools/ledger-fixture.ts';
import { silentLog } from './job-fixture.ts';

const NOVEMBER = Date.UTC(2026, 10, 1, 0, 5);
const MINUTE_MS = 60_000;
const AMOUNT = 5;

/** A ledger in which others leave holds behind that are over in a minute. */
function openLedger() {
  const clock = { now: NOVEMBER };
  const parts = { now: () => clock.now, log: silentLog };
  const store = createFailingStore();
  const ledger = createLedger({ ...parts, store, random: () => 0, sleep: async () => undefined });
  const holds = createHoldExpiry({ ...parts, ledger });

  async function leaveHold(guild: string, at: number = clock.now): Promise<void> {
    const order = { amount: AMOUNT, limit: 100, expiresAt: clock.now + MINUTE_MS, details };
    await ledger.reserve({ guild, transfer: snowflake(at, 1) }, order);
  }

  const heldIn = async (guild: string, month = '202611'): Promise<number> => (await ledger.head(guild, month)).held;
  return { clock, store, ledger, holds, leaveHold, heldIn };
}

describe('holds', () => {
  it('of this month and the last one end when their time is over, whoever left them', async () => {
    const { clock, holds, leaveHold, heldIn } = openLedger();
    await leaveHold('a');
    await leaveHold('b', NOVEMBER - 10 * MINUTE_MS);
    await holds.expire();
    assert.deepEqual([await heldIn('a'), await heldIn('b', '202610')], [AMOUNT, AMOUNT]);
    clock.now += MINUTE_MS;
    await holds.expire();
    assert.deepEqual([await heldIn('a'), await heldIn('b', '202610')], [0, 0]);
  });

  it('of servers of which nobody here was told are found within the hour', async () => {
    const { clock, holds, leaveHold, heldIn } = openLedger();
    await holds.expire();
    await leaveHold('elsewhere');
    for (let minute = 0; minute < 60; minute += 1) {
      clock.now += MINUTE_MS;
      await holds.expire();
    }
    assert.equal(await heldIn('elsewhere'), 0);
  });

  it('of servers that are to be watched are not looked for by the list', async () => {
    const { clock, holds, leaveHold, heldIn } = openLedger();
    await holds.expire();
    await leaveHold('watched');
    holds.watch('watched');
    await holds.expire();
    clock.now += MINUTE_MS;
    await holds.expire();
    assert.equal(await heldIn('watched'), 0);
  });

  it('of no further server are looked at once the process is to stop', async () => {
    const { clock, ledger, leaveHold, heldIn } = openLedger();
    const guilds = Array.from({ length: 20 }, (_, index) => `server ${index}`);
    for (const guild of guilds) await leaveHold(guild);
    clock.now += MINUTE_MS;
    const stopping = new AbortController();
    let lookedAt = 0;
    const expireHolds: typeof ledger.expireHolds = async (...account) => {
      lookedAt += 1;
      stopping.abort();
      return ledger.expireHolds(...account);
    };
    const holds = createHoldExpiry({ ledger: { ...ledger, expireHolds }, now: () => clock.now, log: silentLog });
    await holds.expire(stopping.signal);
    assert.equal(lookedAt, 2, 'one server, in this month and the last one');
    await holds.expire();
    for (const guild of guilds) assert.equal(await heldIn(guild), 0, guild);
  });

  it('of others end where one account cannot be read, and its own when it can be again', async () => {
    const { clock, store, holds, leaveHold, heldIn } = openLedger();
    const guilds = Array.from({ length: 20 }, (_, index) => `server ${index}`);
    for (const guild of guilds) await leaveHold(guild);
    const broken = guilds.slice(0, 10);
    for (const guild of broken) store.spoil(headKey(guild, '202611'));
    clock.now += MINUTE_MS;
    await holds.expire();
    for (const guild of guilds.slice(10)) assert.equal(await heldIn(guild), 0, guild);
    store.serve();
    clock.now += 60 * MINUTE_MS;
    await holds.expire();
    for (const guild of broken) assert.equal(await heldIn(guild), 0, guild);
  });

  it('end where the list of servers cannot be read', async () => {
    const { clock, store, holds, leaveHold, heldIn } = openLedger();
    await leaveHold('watched');
    holds.watch('watched');
    for (let shard = 0; shard < 64; shard += 1) store.spoil(indexKey('202611', shard));
    clock.now += MINUTE_MS;
    await holds.expire();
    assert.equal(await heldIn('watched'), 0);
  });

  it('wait for a store that is away, each of them', async () => {
    const { clock, store, holds, leaveHold, heldIn } = openLedger();
    const guilds = Array.from({ length: 20 }, (_, index) => `server ${index}`);
    for (const guild of guilds) await leaveHold(guild);
    await holds.expire();
    clock.now += MINUTE_MS;
    store.fail('away');
    for (let sweep = 0; sweep < 3; sweep += 1) await assert.rejects(holds.expire());
    store.serve();
    await holds.expire();
    for (const guild of guilds) assert.equal(await heldIn(guild), 0, guild);
  });
});
