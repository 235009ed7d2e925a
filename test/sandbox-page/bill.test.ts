import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { compareBill } from '../../sandbox/page/bill.ts';
import { readAccounts } from '../../sandbox/page/journal.ts';
import type { BillView } from '../../sandbox/page/view.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { isFinal } from '../../sandbox/final-message.ts';
import type { ServedPage } from './page-fixture.ts';
import { servePage } from './page-fixture.ts';
import { runToolProcess } from '../tools/tool-process.ts';

const ANSWER_WAIT_MS_MAX = 20_000;

function billOf({ discord, provider, dataDirectory, guild }: Stage): BillView {
  return compareBill({
    guild,
    atMs: discord.clock.now(),
    bills: provider.bills,
    accounts: readAccounts(dataDirectory),
  });
}

/** @returns the interaction's id, by which the ledger knows the request */
async function imagine({ stage }: ServedPage, prompt: string): Promise<string> {
  const { discord, member, channel } = stage;
  const interaction = discord.invoke({ command: 'imagine', member, channel, options: { prompt } });
  await interaction.finalMessage({ timeoutMs: ANSWER_WAIT_MS_MAX, where: isFinal });
  return interaction.id;
}

/** Changes the text that is stored under the keys that fit. */
function tamper({ dataDirectory }: Stage, pattern: string, change: (text: string) => string): void {
  const database = new DatabaseSync(join(dataDirectory, 'easel.sqlite'));
  const rows = database.prepare('SELECT key, value FROM keyv WHERE key LIKE ?').all(pattern);
  assert.ok(rows.length > 0);
  for (const row of rows) {
    const changed = change(String(row['value']));
    assert.notEqual(changed, row['value']);
    database.prepare('UPDATE keyv SET value = ? WHERE key = ?').run(changed, String(row['key']));
  }
  database.close();
}

function isBooked(data: unknown): boolean {
  return z.object({ ledgerNanoUsd: z.number() }).parse(data).ledgerNanoUsd > 0;
}

describe('the bill beside the channel', () => {
  it('is the provider’s and the journal’s, to the nano-dollar', async (t) => {
    const page = await servePage(t);
    await page.bot.start();
    await imagine(page, 'a fox');
    await imagine(page, 'a whale');
    const bill = billOf(page.stage);
    const billed = page.stage.provider.bills.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
    assert.ok(billed > 0);
    assert.equal(bill.providerNanoUsd, billed);
    assert.equal(bill.ledgerNanoUsd, billed);
    assert.equal(bill.rows.length, 2);
    assert.equal(bill.isEqual, true);
  });

  it('shows a lost answer as unknown and on no ledger', async (t) => {
    const page = await servePage(t);
    await page.bot.start();
    assert.equal((await page.post('/api/fault', { id: 'cut-off', mode: 'next' })).status, 200);
    await imagine(page, 'a fox');
    const bill = billOf(page.stage);
    assert.equal(bill.ledgerNanoUsd, 0);
    assert.ok(bill.unknownNanoUsd > 0);
    assert.deepEqual(
      bill.unbooked.map(({ providerNanoUsd }) => providerNanoUsd),
      page.stage.provider.bills.map(({ costNanoUsd }) => costNanoUsd),
    );
  });

  it('finds a ledger that says anything else', async (t) => {
    const page = await servePage(t);
    await page.bot.start();
    await imagine(page, 'a fox');
    await page.bot.kill();
    const { stage } = page;
    // An entry's price alone breaks the chain, and the sum with it.
    tamper(stage, 'entry:%3', (text) =>
      text.replace(/"cost":(\d+)/, (_cost, digits) => `"cost":${Number(digits) + 1}`),
    );
    const bill = billOf(stage);
    assert.equal(bill.isEqual, false);
    assert.match(bill.journalFault ?? '', /does not add up/);
    const [row] = bill.rows;
    assert.equal(row?.ledgerNanoUsd, (row?.providerNanoUsd ?? 0) + 1);
  });

  it('counts what corrected a call towards that call', async (t) => {
    const page = await servePage(t);
    await page.bot.start();
    const transfer = await imagine(page, 'a fox');
    await page.bot.kill();
    const correcting = ['adjust', transfer, '--usd', '0.5', '--reason', 'the price was another'];
    const { exitCode, errors } = await runToolProcess('reconcile', correcting, {
      DATA_DIR: page.stage.dataDirectory,
    });
    assert.equal(exitCode, 0, errors);
    const bill = billOf(page.stage);
    assert.equal(bill.journalFault, null);
    assert.deepEqual(
      bill.rows.map(({ ledgerNanoUsd }) => ledgerNanoUsd),
      [bill.ledgerNanoUsd],
    );
    assert.equal(bill.ledgerNanoUsd, 500_000_000);
  });

  it('finds an entry that was taken out', async (t) => {
    const page = await servePage(t);
    await page.bot.start();
    await imagine(page, 'a fox');
    await page.bot.kill();
    const database = new DatabaseSync(join(page.stage.dataDirectory, 'easel.sqlite'));
    database.exec("DELETE FROM keyv WHERE key LIKE 'entry:%2'");
    database.close();
    assert.match(billOf(page.stage).journalFault ?? '', /entry 2 is missing/);
  });

  it('is that of the month in which the clock stands', async (t) => {
    const page = await servePage(t);
    await page.bot.start();
    await imagine(page, 'a fox');
    const { stage, people } = page;
    const watched = await page.watch(people[0]?.user.id ?? '', stage.channel.id);
    const first = z.object({ month: z.string() }).parse(await watched.find('bill', isBooked));
    assert.equal((await page.post('/api/clock', { jump: 'next month' })).status, 200);
    const isNext = (data: unknown): boolean => z.object({ month: z.string() }).parse(data).month > first.month;
    const next = z
      .object({ ledgerNanoUsd: z.number(), isEqual: z.boolean() })
      .parse(await watched.find('bill', isNext));
    assert.deepEqual(next, { ledgerNanoUsd: 0, isEqual: true });
  });
});
