import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountHead, Entry } from '../../src/billing/guild-account.ts';
import { entryKey, headKey } from '../../src/billing/ledger-keys.ts';
import { exportLines } from '../../src/services/usage/ledger-export.ts';
import { adjustCall } from '../../src/tools/call-corrections.ts';
import { ToolRefusal, UsageError } from '../../src/tools/command-line.ts';
import { findCall } from '../../src/tools/find-call.ts';
import { ledgerTool } from '../../src/tools/ledger-tool.ts';
import { reconcileTool } from '../../src/tools/reconcile-tool.ts';
import { verifyAccount } from '../../src/tools/verification.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import type { LedgerOnStage } from './ledger-fixture.ts';
import { AUGUST, book, GUILD, ledgerOn, makeDirectory, NOVEMBER, OTHER_GUILD, REQUEST_COST } from './ledger-fixture.ts';
import type { StoreOfTools } from './tool-stores.ts';
import { stores } from './tool-stores.ts';

const PERIOD = '202611';
const WHY = ['--reason', 'the bill shows it', '--by', 'ada'];
const decision = { reason: 'the bill shows it', by: 'operator ada' };

const openStage = (): LedgerOnStage => ledgerOn(createMemoryDatabase().connect());

async function adjust(stage: LedgerOnStage, transfer: string, usd: string, ...more: readonly string[]) {
  const { exitCode, lines } = await stage.run(reconcileTool, 'adjust', transfer, '--usd', usd, ...WHY, ...more);
  assert.equal(exitCode, 0);
  return lines;
}

async function entriesOf({ ledger }: LedgerOnStage): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const page of ledger.entries(GUILD, PERIOD)) entries.push(...page);
  return entries;
}

/** What the exact integers of both exports add up to, in nano-dollars. */
async function sumsOfExports({ ledger }: LedgerOnStage): Promise<readonly [csv: number, jsonl: number]> {
  let csvSum = 0;
  let jsonlSum = 0;
  for await (const { csv, jsonl } of exportLines(ledger, GUILD, PERIOD)) {
    const cells = csv.split(',');
    if (cells[1] === 'post' || cells[1] === 'adjust') csvSum += Number(cells[14]);
    const entry: Entry = JSON.parse(jsonl);
    if (entry.type === 'post') jsonlSum += entry.charge.cost;
    if (entry.type === 'adjust') jsonlSum += entry.amount;
  }
  return [csvSum, jsonlSum];
}

/** The account and its member's part say the same, the journal gives both, and the exports add up to them. */
async function assertSettled(stage: LedgerOnStage, settled: number): Promise<void> {
  const head = await stage.ledger.head(GUILD, PERIOD);
  const member = await stage.ledger.member(GUILD, PERIOD, 'mira');
  assert.deepEqual([head.settled, member.settled], [settled, settled]);
  assert.deepEqual((await verifyAccount(stage.store, { guild: GUILD, period: PERIOD })).findings, []);
  assert.deepEqual(await sumsOfExports(stage), [settled, settled]);
}

function describeAdjusting({ name, skip, open }: StoreOfTools): void {
  describe(`adjust on ${name}`, { skip }, () => {
    it('books the difference in either direction, with who and why, and nothing where there is none', async (test) => {
      const stage = ledgerOn(await open(test));
      const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'posted' });
      await book(stage, { at: NOVEMBER, number: 2, ending: 'posted' });

      const dearer = await adjust(stage, transfer, '0.0421');
      assert.equal(dearer[0], `adjusted  transfer ${transfer}  guild ${GUILD}  $0.000000070 before, $0.042100 now`);
      await assertSettled(stage, 42_100_000 + REQUEST_COST);
      const cheaper = await adjust(stage, transfer, '0.0321');
      assert.deepEqual(cheaper, [
        `adjusted  transfer ${transfer}  guild ${GUILD}  $0.042100 before, $0.032100 now`,
        "  $0.010000 less counts against the budget of 2026-11, and against its member's limit; " +
          'now $0.032100070 of the guild, $0.032100070 of member mira',
      ]);
      await assertSettled(stage, 32_100_000 + REQUEST_COST);

      const [unchanged, ...others] = await adjust(stage, transfer, '0.0321');
      assert.match(unchanged ?? '', /^unchanged .* booked at \$0\.032100 already, so nothing is to be changed$/);
      assert.deepEqual(others, []);
      const corrections = (await entriesOf(stage)).filter(({ type }) => type === 'adjust');
      assert.deepEqual(
        corrections.map(
          ({ transfer: of, ...entry }) => entry.type === 'adjust' && [of, entry.amount, entry.by, entry.reason],
        ),
        [
          [transfer, 42_100_000 - REQUEST_COST, decision.by, decision.reason],
          [transfer, -10_000_000, decision.by, decision.reason],
        ],
      );
    });

    it('corrects once where two people have read the same cost', async (test) => {
      const stage = ledgerOn(await open(test));
      const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'posted' });
      const read = await findCall(stage, transfer, undefined);
      await adjustCall(stage.ledger, read, 50, decision);
      await assert.rejects(adjustCall(stage.ledger, read, 50, decision), /corrected meanwhile/);
      await assertSettled(stage, 50);
    });
  });
}

for (const store of stores) describeAdjusting(store);

describe('adjust', () => {
  it('goes on from what was corrected before, down to nothing', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'adjusted' });
    const [line] = await adjust(stage, transfer, '0');
    assert.match(line ?? '', / \$0\.000000050 before, \$0\.000000 now$/);
    await assertSettled(stage, 0);
  });

  it('corrects what a person has posted', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'unknown' });
    await stage.run(reconcileTool, 'post', transfer, '--usd', '0.05', ...WHY);
    await adjust(stage, transfer, '0.04');
    await assertSettled(stage, 40_000_000);
  });

  for (const [ending, advice] of [
    ['unknown', /is unknown, and not posted; end it by post, .* or by release/],
    ['arrived', /is unknown, and not posted; end it by post, .* or by release/],
    ['released', /is released, and not posted; if it was charged after all, book that by post/],
    ['void', /has made no call/],
    ['held', /is open, and not posted; it is still under way/],
  ] as const) {
    it(`leaves a request alone that is ${ending}, and says what helps`, async () => {
      const stage = openStage();
      const transfer = await book(stage, { at: NOVEMBER, number: 1, ending });
      const before = await stage.ledger.head(GUILD, PERIOD);
      const refusal = stage.run(reconcileTool, 'adjust', transfer, '--usd', '1', ...WHY);
      await assert.rejects(refusal, (error) => error instanceof ToolRefusal && advice.test(error.message));
      assert.deepEqual(await stage.ledger.head(GUILD, PERIOD), before);
    });
  }

  it('leaves a call alone that the provider has refused', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'unknown' });
    await stage.ledger.void({ guild: GUILD, transfer }, 'refused');
    await assert.rejects(adjust(stage, transfer, '1'), /is void, and not posted; .* no cost to correct/);
  });

  it('sends whoever wants to post or release what is posted to it', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'posted' });
    const post = stage.run(reconcileTool, 'post', transfer, '--usd', '1', ...WHY);
    await assert.rejects(post, /is posted, and not unknown; its cost is corrected by adjust/);
  });

  it('leaves a month alone that was pruned', async (test) => {
    const stage = openStage();
    const archive = await makeDirectory(test);
    const transfer = await book(stage, { at: AUGUST, number: 1, ending: 'posted' });
    await stage.run(ledgerTool, 'prune', '--month', '2026-08', '--archive', archive, '--yes');
    const head = await stage.ledger.head(GUILD, '202608');
    assert.ok(head.pruned);
    await assert.rejects(
      adjust(stage, transfer, '1'),
      /no guild has .*; 2026-08 was pruned, so it may be in an archive/,
    );
    await assert.rejects(
      adjust(stage, transfer, '1', '--guild', GUILD),
      /^ToolRefusal: 2026-08 of guild \d+ was pruned/,
    );
    assert.deepEqual(await stage.ledger.head(GUILD, '202608'), head);
    assert.deepEqual(await stage.store.readMany([entryKey(GUILD, '202608', head.seq + 1)]), [undefined]);
  });

  it('leaves a month alone whose pruning was cut short, while its entries are still there', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: AUGUST, number: 1, ending: 'posted' });
    const key = headKey(GUILD, '202608');
    const stored = await stage.store.read<AccountHead>(key);
    const next = { ...stored?.value, pruned: { manifestSha256: '0'.repeat(64), at: NOVEMBER } };
    assert.ok(await stage.store.commit({ guard: { key, expected: stored?.version, next }, writes: [] }));
    await assert.rejects(adjust(stage, transfer, '1'), /2026-08 of guild \d+ was pruned/);
    assert.equal((await stage.ledger.head(GUILD, '202608')).settled, REQUEST_COST);
  });

  it('asks for the guild where two have the transfer', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'posted' });
    await book(stage, { guild: OTHER_GUILD, at: NOVEMBER, number: 1, ending: 'posted' });
    await assert.rejects(adjust(stage, transfer, '1'), /2 guilds have a transfer .* name one with --guild/);
    await adjust(stage, transfer, '1', '--guild', OTHER_GUILD);
    assert.equal((await stage.ledger.head(GUILD, PERIOD)).settled, REQUEST_COST);
    assert.equal((await stage.ledger.head(OTHER_GUILD, PERIOD)).settled, 1_000_000_000);
    await assert.rejects(adjust(stage, '4242', '1'), /no guild has a transfer 4242$/);
  });

  for (const [what, commandLine] of [
    ['without a transfer', ['--usd', '1', ...WHY]],
    ['with two transfers', ['1', '2', '--usd', '1', ...WHY]],
    ['without a reason', ['1', '--usd', '1']],
    ['with a reason of nothing', ['1', '--usd', '1', '--reason', ' ']],
    ['without an amount', ['1', ...WHY]],
    ...['much', '-1', '1e3', '0,04', '$1', '0.0000000001', '1000000', 'NaN', ' '].map(
      (usd) => [`with the amount "${usd}"`, ['1', `--usd=${usd}`, ...WHY]] as const,
    ),
  ] as const) {
    it(`refuses a command ${what}`, async () => {
      await assert.rejects(openStage().run(reconcileTool, 'adjust', ...commandLine), UsageError);
    });
  }
});
