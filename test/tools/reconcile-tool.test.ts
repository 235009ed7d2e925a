import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Entry } from '../../src/billing/guild-account.ts';
import { ToolRefusal, UsageError } from '../../src/tools/command-line.ts';
import { ledgerTool } from '../../src/tools/ledger-tool.ts';
import { reconcileTool } from '../../src/tools/reconcile-tool.ts';
import { readDifference, reconcileDays } from '../../src/tools/reconciliation.ts';
import { verifyAccount } from '../../src/tools/verification.ts';
import { createMemoryDatabase } from '../billing/memory-store.ts';
import type { LedgerOnStage } from './ledger-fixture.ts';
import { book, GUILD, ledgerOn, makeDirectory, NOVEMBER, OTHER_GUILD } from './ledger-fixture.ts';

const DAY_MS = 86_400_000;
const WHY = ['--reason', 'the dashboard shows nothing', '--by', 'ada'];

const openStage = (): LedgerOnStage => ledgerOn(createMemoryDatabase().connect());

async function lastEntry({ ledger }: LedgerOnStage, guild: string): Promise<Entry | undefined> {
  let last: Entry | undefined;
  for await (const page of ledger.entries(guild, '202611')) last = page.at(-1);
  return last;
}

/** A day that costs this much in nano-dollars, beside 70 posted and as much unknown as is said. */
function readingOf(provider: number, unknown: number): string {
  const [day] = reconcileDays(
    [
      { ...call, state: 'posted', posted: 1_000_000 },
      ...(unknown === 0 ? [] : [{ ...call, state: 'unknown' as const, ceiling: unknown }]),
    ],
    new Map([['2026-11-20', provider]]),
  );
  return day ? readDifference(day) : assert.fail('the day is not there');
}

const call = {
  guild: GUILD,
  transfer: '1',
  details: { member: 'mira', model: 'm', size: 's', quality: 'q', count: 1, promptSha256: '' },
  dispatchedAt: NOVEMBER,
  state: 'posted' as const,
  ceiling: 0,
  posted: 0,
  hasArrived: false,
};

describe('the difference of a day', () => {
  it('says what it means for the unknown', () => {
    assert.equal(readingOf(1_000_000, 0), 'agrees');
    assert.equal(readingOf(1_000_000, 500_000), 'nothing was charged for the unknown');
    assert.equal(readingOf(1_400_000, 500_000), 'the unknown explain it');
    assert.equal(readingOf(1_600_000, 500_000), 'more was charged than is known here');
    assert.equal(readingOf(900_000, 500_000), 'less was charged than is posted');
  });
});

describe('reconcile', () => {
  it('lists what is unknown and compares day by day', async (test) => {
    const stage = openStage();
    const costs = join(await makeDirectory(test), 'costs.csv');
    await book(stage, { at: NOVEMBER - DAY_MS, number: 1, ending: 'adjusted' });
    await book(stage, { guild: OTHER_GUILD, at: NOVEMBER, number: 2, ending: 'posted' });
    const unknown = await book(stage, { guild: OTHER_GUILD, at: NOVEMBER, number: 3, ending: 'unknown' });
    await book(stage, { at: NOVEMBER, number: 4, ending: 'void' });
    await book(stage, { at: NOVEMBER, number: 5, ending: 'released' });
    await writeFile(costs, '2026-11-19,0.00000005\n2026-11-20,0.00000015\n2026-10-31,5\n2026-11-07,0.25\n');

    const { exitCode, lines } = await stage.run(reconcileTool, '--month', '2026-11', '--costs', costs);
    assert.equal(exitCode, 0);
    const cells = lines.map((line) => line.trim().split(/ {2,}/));
    assert.deepEqual(cells[1], [
      `transfer ${unknown}`,
      `guild ${OTHER_GUILD}`,
      'member mira',
      'gpt-image-2 1024x1024 medium ×1',
      '2026-11-20T12:00:00.000Z',
      'at most $0.000000',
      'timeout',
      'req_3',
    ]);
    assert.deepEqual(
      cells.slice(3).map(([day]) => day),
      ['day', '2026-11-07', '2026-11-19', '2026-11-20', 'total'],
    );
    assert.equal(cells[4]?.[4], '$0.250000');
    assert.equal(cells[4]?.[5], 'more was charged than is known here');
  });

  it('counts a call for the day on which it went out, and not for the month of its request', async () => {
    const stage = openStage();
    const at = Date.UTC(2026, 9, 31, 23, 59, 50);
    await book(stage, { at, dispatchedAt: at + 20_000, number: 1, ending: 'unknown' });
    const lines = async (month: string) => (await stage.run(reconcileTool, '--month', month)).lines.join('\n');
    assert.match(await lines('2026-10'), /0 calls of unknown outcome/);
    assert.match(await lines('2026-11'), /1 calls of unknown outcome/);
  });

  it('says where calls may be missing because the month of their requests was pruned', async (test) => {
    const stage = openStage();
    const directory = await makeDirectory(test);
    const costs = join(directory, 'costs.csv');
    const SEPTEMBER = Date.UTC(2026, 8, 1);
    await book(stage, { at: SEPTEMBER - 10_000, dispatchedAt: SEPTEMBER + 10_000, number: 1, ending: 'posted' });
    await book(stage, { guild: OTHER_GUILD, at: SEPTEMBER, number: 2, ending: 'posted' });
    await book(stage, { guild: OTHER_GUILD, at: SEPTEMBER + DAY_MS, number: 3, ending: 'posted' });
    await writeFile(costs, '2026-09-01,0.00000014\n2026-09-02,0.00000007\n');
    const compare = async (...more: readonly string[]) =>
      (await stage.run(reconcileTool, '--month', '2026-09', ...more)).lines;

    const before = await compare('--costs', costs);
    assert.match(before.find((line) => line.startsWith('2026-09-01')) ?? '', / agrees$/);
    assert.doesNotMatch(before.join('\n'), /2026-08/);
    await stage.run(ledgerTool, 'prune', '--month', '2026-08', '--archive', join(directory, 'archive'), '--yes');

    const after = await compare('--costs', costs);
    assert.match(after.find((line) => line.startsWith('2026-09-01')) ?? '', / \(without 2026-08, see below\)$/);
    assert.match(after.find((line) => line.startsWith('2026-09-02')) ?? '', / agrees$/);
    assert.match(after.at(-1) ?? '', /^2026-08 was pruned: .* went out on 2026-09-01 is in its archive/);
    assert.match((await compare()).at(-1) ?? '', /^2026-08 was pruned/);
    assert.doesNotMatch((await compare('--guild', OTHER_GUILD)).join('\n'), /2026-08/);
  });

  it('releases one unknown as a new entry that says who and why', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'unknown' });
    await stage.run(reconcileTool, 'release', transfer, ...WHY);
    const entry = await lastEntry(stage, GUILD);
    assert.deepEqual(
      entry?.type === 'release' && { by: entry.by, reason: entry.reason, transfer: entry.transfer, seq: entry.seq },
      { by: 'operator ada', reason: 'the dashboard shows nothing', transfer, seq: 4 },
    );
    const { exposure, settled } = await stage.ledger.head(GUILD, '202611');
    assert.deepEqual({ exposure, settled }, { exposure: 0, settled: 0 });
    await assert.rejects(stage.run(reconcileTool, 'release', transfer, ...WHY), ToolRefusal);
  });

  it('posts one unknown as a new entry with who, why, and the price that a person found', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'unknown' });
    await stage.run(reconcileTool, 'post', transfer, '--usd', '0.0421', ...WHY);
    const entry = await lastEntry(stage, GUILD);
    assert.deepEqual(entry?.type === 'post' && entry.charge, {
      cost: 42_100_000,
      usage: null,
      priceVersion: 'reconcile-1',
      rule: 'reconciled',
      requestId: 'req_1',
      reconciled: { by: 'operator ada', reason: 'the dashboard shows nothing' },
    });
    const { exposure, settled } = await stage.ledger.head(GUILD, '202611');
    assert.deepEqual({ exposure, settled }, { exposure: 0, settled: 42_100_000 });
    assert.deepEqual((await verifyAccount(stage.store, { guild: GUILD, period: '202611' })).findings, []);
    await assert.rejects(stage.run(reconcileTool, 'post', transfer, '--usd', '1', ...WHY), /is posted/);
  });

  it('posts what was given up too early', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'released' });
    await stage.run(reconcileTool, 'post', transfer, '--usd', '0.01', ...WHY);
    assert.equal((await stage.ledger.head(GUILD, '202611')).settled, 10_000_000);
  });

  for (const ending of ['held', 'posted', 'void'] as const) {
    it(`leaves a request alone that is ${ending}`, async () => {
      const stage = openStage();
      const transfer = await book(stage, { at: NOVEMBER, number: 1, ending });
      const before = await stage.ledger.head(GUILD, '202611');
      await assert.rejects(stage.run(reconcileTool, 'release', transfer, ...WHY), ToolRefusal);
      await assert.rejects(stage.run(reconcileTool, 'post', transfer, '--usd', '1', ...WHY), ToolRefusal);
      assert.deepEqual(await stage.ledger.head(GUILD, '202611'), before);
    });
  }

  it('asks for the guild where two have the transfer', async () => {
    const stage = openStage();
    const transfer = await book(stage, { at: NOVEMBER, number: 1, ending: 'unknown' });
    await book(stage, { guild: OTHER_GUILD, at: NOVEMBER, number: 1, ending: 'unknown' });
    await assert.rejects(stage.run(reconcileTool, 'release', transfer, ...WHY), /name one with --guild/);
    await stage.run(reconcileTool, 'release', transfer, '--guild', OTHER_GUILD, ...WHY);
    assert.equal((await stage.ledger.head(GUILD, '202611')).exposure, 100);
    assert.equal((await stage.ledger.head(OTHER_GUILD, '202611')).exposure, 0);
    await assert.rejects(stage.run(reconcileTool, 'release', '4242', ...WHY), /no guild has a transfer/);
  });

  it('releases by rule only what is old enough, and only with --yes', async () => {
    const stage = openStage();
    const old = await book(stage, { at: NOVEMBER - 2 * DAY_MS, number: 1, ending: 'unknown' });
    const fresh = await book(stage, { at: NOVEMBER, number: 2, ending: 'unknown' });
    const elsewhere = await book(stage, {
      guild: OTHER_GUILD,
      at: NOVEMBER - 60 * DAY_MS,
      number: 3,
      ending: 'unknown',
    });
    const rule = ['release-all', '--before', '2026-11-20', ...WHY];

    const trial = await stage.run(reconcileTool, ...rule);
    assert.equal(trial.lines.at(-1), '2 would be released. Nothing was changed; with --yes it is done.');
    assert.equal((await stage.ledger.head(GUILD, '202611')).exposure, 200);

    const done = await stage.run(reconcileTool, ...rule, '--yes');
    assert.equal(done.lines.at(-1), '2 released');
    const stateOf = async (guild: string, transfer: string) => (await stage.ledger.transfer({ guild, transfer }))?.type;
    assert.deepEqual(
      [await stateOf(GUILD, old), await stateOf(GUILD, fresh), await stateOf(OTHER_GUILD, elsewhere)],
      ['release', 'unknown', 'release'],
    );
  });

  it('never releases by rule what was certainly charged', async () => {
    const stage = openStage();
    await book(stage, { at: NOVEMBER - 2 * DAY_MS, number: 1, ending: 'arrived' });
    const { lines } = await stage.run(reconcileTool, 'release-all', '--before', '2026-11-20', ...WHY, '--yes');
    assert.match(lines.join('\n'), /^left alone .* its images arrived/m);
    assert.equal((await stage.ledger.head(GUILD, '202611')).exposure, 100);
  });

  for (const [what, commandLine] of [
    ['without a reason', ['release', '1']],
    ['without an amount', ['post', '1', ...WHY]],
    ['with an amount that is none', ['post', '1', '--usd', 'much', ...WHY]],
    ['without a day', ['release-all', ...WHY]],
    ['with a day that is none', ['release-all', '--before', '2026-02-30', ...WHY]],
    ['with a month that is none', ['--month', '2026-13']],
    ['with two sources of costs', ['--costs', 'a.csv', '--from-api']],
    ['of another name', ['forget', '1']],
  ] as const) {
    it(`refuses a command ${what}`, async () => {
      await assert.rejects(openStage().run(reconcileTool, ...commandLine), UsageError);
    });
  }

  it('does not guess costs that it cannot get', async () => {
    await assert.rejects(openStage().run(reconcileTool, '--from-api'), /set OPENAI_ADMIN_KEY/);
    await assert.rejects(openStage().run(reconcileTool, '--costs', '/nowhere/costs.csv'), /cannot be read/);
  });
});
