import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { entryKey, headKey, memberKey, transferKey } from '../../src/billing/ledger-keys.ts';
import type { Store } from '../../src/storage/store.ts';
import { ledgerTool } from '../../src/tools/ledger-tool.ts';
import { verifyAccount } from '../../src/tools/verification.ts';
import { scenarios } from '../billing/ledger-scenario.ts';
import { GUILDS, PERIOD, play } from '../billing/ledger-world.ts';
import type { LedgerOnStage } from './ledger-fixture.ts';
import { book, GUILD, ledgerOn, makeDirectory, NOVEMBER, openLedgerOnStage, OTHER_GUILD } from './ledger-fixture.ts';
import type { StoreOfTools } from './tool-stores.ts';
import { stores } from './tool-stores.ts';

const account = { guild: GUILD, period: PERIOD };

/** Books five requests, so that the account has every kind of entry: numbers 1 to 17. */
async function fill(stage: LedgerOnStage): Promise<readonly string[]> {
  const transfers: string[] = [];
  for (const [index, ending] of (['posted', 'void', 'unknown', 'released', 'adjusted'] as const).entries()) {
    transfers.push(await book(stage, { at: NOVEMBER, number: index + 1, ending }));
  }
  return transfers;
}

/** Puts another value in the place of one, past the ledger and through the store's own door. */
async function replace(store: Store, key: string, change: (text: string) => string): Promise<void> {
  const stored = await store.read(key);
  const changed = change(JSON.stringify(stored?.value));
  assert.notEqual(changed, JSON.stringify(stored?.value), `${key} does not hold what the test wants to change`);
  const next: unknown = JSON.parse(changed);
  assert.ok(await store.commit({ guard: { key, expected: stored?.version, next }, writes: [] }));
}

/** Everything that can be wrong in any store, and what is said about it. */
const damages: Readonly<
  Record<string, { damage: (store: Store, transfers: readonly string[]) => Promise<void>; says: readonly RegExp[] }>
> = {
  'a changed amount': {
    damage: async (store) =>
      replace(store, entryKey(GUILD, PERIOD, 3), (text) => text.replace('"cost":70', '"cost":71')),
    says: [
      /^entry 3 has another SHA-256 than the one that entry 4 carries on$/,
      /^the head's settled is 120, not 121$/,
    ],
  },
  'a changed last entry': {
    damage: async (store) =>
      replace(store, entryKey(GUILD, PERIOD, 16), (text) => text.replace('as a test wants', 'as a thief wants')),
    says: [/^entry 16 has another SHA-256 than the one that the head carries on$/],
  },
  'a missing entry': {
    damage: async (store) => store.remove([entryKey(GUILD, PERIOD, 5)]),
    says: [/^entry 5 is missing$/],
  },
  'missing entries at the end': {
    damage: async (store) => store.remove([15, 16].map((seq) => entryKey(GUILD, PERIOD, seq))),
    says: [/^entries 15 to 16 are missing$/],
  },
  'a changed total': {
    damage: async (store) =>
      replace(store, headKey(GUILD, PERIOD), (text) => text.replace('"settled":120', '"settled":20')),
    says: [/^the head's settled is 20, not 120$/],
  },
  'an older head that was put back': {
    damage: async (store) => replace(store, headKey(GUILD, PERIOD), (text) => text.replace('"seq":16', '"seq":15')),
    says: [/^entry 16 is there, and the head ends with entry 15$/],
  },
  'a head that points into the void': {
    damage: async (store) =>
      replace(store, headKey(GUILD, PERIOD), (text) => text.replace('"seq":16', '"seq":90000016')),
    says: [/^entries 501 to 90000016 are missing$/],
  },
  'a missing head': {
    damage: async (store) => store.remove([headKey(GUILD, PERIOD)]),
    says: [/^the head is missing$/],
  },
  'a changed transfer': {
    damage: async (store, [posted = '']) =>
      replace(store, transferKey(GUILD, posted), (text) => text.replace('"post"', '"void"')),
    says: [/^transfer \d+ says: type is "void", not "post"$/],
  },
  'a missing transfer': {
    damage: async (store, [posted = '']) => store.remove([transferKey(GUILD, posted)]),
    says: [/^transfer \d+ is missing$/],
  },
  "a changed member's part": {
    damage: async (store) =>
      replace(store, memberKey(GUILD, PERIOD, 'mira'), (text) => text.replace('"settled":120', '"settled":0')),
    says: [/^member mira says: settled is 0, not 120$/],
  },
};

function describeDamages({ name, skip, open }: StoreOfTools): void {
  describe(`verify on ${name}`, { skip }, () => {
    it('finds nothing where nothing is wrong', async (test) => {
      const stage = ledgerOn(await open(test));
      await fill(stage);
      assert.deepEqual((await verifyAccount(stage.store, account)).findings, []);
    });
    for (const [what, { damage, says }] of Object.entries(damages)) {
      it(`finds ${what}`, async (test) => {
        const stage = ledgerOn(await open(test));
        await damage(stage.store, await fill(stage));
        const { findings } = await verifyAccount(stage.store, account);
        for (const saying of says)
          assert.ok(
            findings.some((finding) => saying.test(finding)),
            findings.join('\n'),
          );
      });
    }
  });
}

for (const store of stores) describeDamages(store);

describe('verify', () => {
  it('finds every byte that is flipped in what is stored, and names the entry', async (test) => {
    const directory = await makeDirectory(test);
    const stage = await openLedgerOnStage(test, directory);
    await fill(stage);
    const database = new DatabaseSync(join(directory, 'easel.sqlite'), { timeout: 5_000 });
    test.after(() => database.close());
    const read = database.prepare('SELECT value FROM keyv WHERE key = ?');
    const write = database.prepare('UPDATE keyv SET value = ? WHERE key = ?');
    const key = entryKey(GUILD, PERIOD, 3);
    const text = String(read.get(key)?.['value']);
    // Around the entry stands Keyv's own wrapping, which says nothing about money.
    const begin = text.indexOf('{"v":1');
    for (let position = begin; position < text.lastIndexOf('}'); position += 1) {
      const flipped = String.fromCharCode(text.charCodeAt(position) ^ 1);
      write.run(text.slice(0, position) + flipped + text.slice(position + 1), key);
      const { findings } = await verifyAccount(stage.store, account);
      assert.ok(
        findings.some((finding) => /^entry 3 (has another SHA-256|cannot be read)/.test(finding)),
        `the byte at ${position} was ${text[position]} and is ${flipped}, and nobody noticed: ${findings.join('; ')}`,
      );
    }
    write.run(text, key);
    assert.deepEqual((await verifyAccount(stage.store, account)).findings, []);
  });

  it('takes nothing for damage that a living bot has written meanwhile', async (test) => {
    const stage = await openLedgerOnStage(test, await makeDirectory(test));
    await fill(stage);
    let number = 100;
    const moving: Store = {
      ...stage.store,
      // Whenever a page is read, somebody is faster.
      async readMany<Value>(keys: readonly string[]) {
        if (number < 105) await book(stage, { at: NOVEMBER, number: (number += 1), ending: 'posted' });
        return stage.store.readMany<Value>(keys);
      },
    };
    const { findings, head } = await verifyAccount(moving, account);
    assert.deepEqual(findings, []);
    assert.ok((head?.seq ?? 0) > 16, 'nothing has moved, so nothing was shown');
  });

  it('agrees with whatever random processes and crashes leave behind', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now());
    await fc.assert(
      fc.asyncProperty(scenarios(['before', 'after']), async (scenario) => {
        const { database } = await play(scenario, { atomic: true });
        for (const guild of GUILDS) {
          const { findings } = await verifyAccount(database.connect(), { guild, period: PERIOD });
          assert.deepEqual(findings, []);
        }
      }),
      { seed, numRuns: 20 },
    );
  });

  it('prints one line for each account and ends with 1 on any finding', async (test) => {
    const stage = await openLedgerOnStage(test, await makeDirectory(test));
    await fill(stage);
    await book(stage, { guild: OTHER_GUILD, at: Date.UTC(2026, 8, 1), number: 1, ending: 'posted' });
    const before = await stage.run(ledgerTool, 'verify');
    assert.equal(before.exitCode, 0);
    assert.match(before.lines.join('\n'), new RegExp(`^2026-09  guild ${OTHER_GUILD}  3 entries .* in order$`, 'm'));
    assert.equal(before.lines.at(-1), '2 accounts, 19 entries, 0 findings');

    await stage.store.remove([entryKey(GUILD, PERIOD, 5)]);
    const after = await stage.run(ledgerTool, 'verify');
    assert.equal(after.exitCode, 1);
    assert.ok(after.lines.includes('  entry 5 is missing'), after.lines.join('\n'));
    assert.equal((await stage.run(ledgerTool, 'verify', '--guild', OTHER_GUILD)).exitCode, 0);
    assert.equal((await stage.run(ledgerTool, 'verify', '--month', '2026-09')).exitCode, 0);
  });
});
