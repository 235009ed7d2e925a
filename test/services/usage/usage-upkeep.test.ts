import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { createUsageUpkeep } from '../../../src/services/usage/usage-upkeep.ts';
import { StoreFailure } from '../../../src/storage/store.ts';

const log = pino({ level: 'silent' });

function createWorld(
  catchUp: (guild: string, period: string) => Promise<boolean>,
  guilds: readonly string[] = ['a', 'b'],
) {
  const visited: string[] = [];
  const listed: string[] = [];
  const ledger = {
    async guilds(period: string) {
      listed.push(period);
      return guilds.map((guild) => `${guild} of ${period}`);
    },
  };
  const rollups = {
    catchUp: async (guild: string, period: string) => {
      visited.push(guild);
      return catchUp(guild, period);
    },
  };
  const upkeep = createUsageUpkeep({ ledger, rollups, now: () => Date.UTC(2026, 0, 1), log });
  return { listed, visited, upkeep };
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
  const { listed, visited, upkeep } = createWorld(async () => gate.promise);
  const runs = [upkeep.run(), upkeep.run()];
  const stopped = upkeep.stop();
  gate.resolve(true);
  await Promise.all([...runs, stopped]);
  assert.ok(visited.length <= 1, visited.join());
  assert.deepEqual(listed, ['202601'], 'nor does it ask for more of them');
});

test('a store that is away ends the round, and nothing else', async () => {
  let isAway = true;
  const guilds = Array.from({ length: 20 }, (_, index) => `server ${index}`);
  const { visited, upkeep } = createWorld(async () => {
    if (isAway) throw new StoreFailure('the store is gone');
    return true;
  }, guilds);
  await upkeep.run();
  const triedCount = visited.length;
  assert.ok(triedCount < guilds.length, `${triedCount} servers waited for it`);
  isAway = false;
  await upkeep.run();
  assert.equal(visited.length - triedCount, 2 * guilds.length);
});

test('a server whose journal cannot be read does not keep the reports of others from being prepared', async () => {
  const { visited, upkeep } = createWorld(async (guild) => {
    if (guild.startsWith('a')) throw new Error('an entry is missing');
    return true;
  });
  await upkeep.run();
  assert.deepEqual(visited, ['a of 202601', 'b of 202601', 'a of 202512', 'b of 202512']);
});
