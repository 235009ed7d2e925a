import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { createUsageUpkeep } from '../../src/services/usage-upkeep.ts';

const log = pino({ level: 'silent' });

function createWorld(catchUp: (guild: string, period: string) => Promise<boolean>) {
  const visited: string[] = [];
  const ledger = { guilds: async (period: string) => [`a of ${period}`, `b of ${period}`] };
  const rollups = {
    catchUp: async (guild: string, period: string) => {
      visited.push(guild);
      return catchUp(guild, period);
    },
  };
  const upkeep = createUsageUpkeep({ ledger, rollups, now: () => Date.UTC(2026, 0, 1), log });
  return { visited, upkeep };
}

test('upkeep looks at the servers of this month and of the one before', async () => {
  const { visited, upkeep } = createWorld(async () => true);
  await upkeep.run();
  assert.deepEqual(visited, ['a of 202601', 'b of 202601', 'a of 202512', 'b of 202512']);
  await upkeep.run();
  assert.equal(visited.length, 8, 'and does so again when it is told to');
});

test('upkeep runs once at a time, and stops after the server that it is at', async () => {
  const gate = Promise.withResolvers<boolean>();
  const { visited, upkeep } = createWorld(async () => gate.promise);
  const runs = [upkeep.run(), upkeep.run()];
  const stopped = upkeep.stop();
  gate.resolve(true);
  await Promise.all([...runs, stopped]);
  assert.ok(visited.length <= 1, visited.join());
});

test('a store that fails ends the round, and nothing else', async () => {
  let fails = true;
  const { visited, upkeep } = createWorld(async () => {
    if (fails) throw new Error('the store is gone');
    return true;
  });
  await upkeep.run();
  assert.equal(visited.length, 1);
  fails = false;
  await upkeep.run();
  assert.equal(visited.length, 5);
});
