import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import * as z from 'zod';
import { MESSAGE_FLAG } from '../../sandbox/discord/message-schema.ts';
import type { OptionValues } from '../../sandbox/discord/option-values.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { EmulatedMember } from '../../sandbox/discord/world.ts';
import type { Bill } from '../../sandbox/provider/billing-log.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { photograph } from '../fixtures/pictures.ts';
import { DEFAULT_BUDGET_NANO_USD } from './judgement.ts';
import type { Answered } from './requests.ts';
import { accountOf, ask, billsFor, isFor, shownUsd } from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const MEBIBYTE = 1024 * 1024;

/** Fields that no description of the API has yet, and that must come out of the export as they went in. */
const usageExtras = { batch: null, cache: { hits: [1, 2.5, 'three'], 'a "quoted", key': true } };

/** A month of a server: two members, two models, a picture made from another, a refusal and a lost answer. */
type Month = {
  readonly server: Server;
  readonly other: EmulatedMember;
  readonly bills: readonly Bill[];
  readonly billsOfOther: readonly Bill[];
};

describe('/usage and /quota', () => {
  const shared = shareStage({ provider: { ...plainPictures, usageExtras }, auditedBudget: DEFAULT_BUDGET_NANO_USD });

  it('says what the provider billed: in all, by member, by model, by kind of token', async () => {
    const { stage } = shared();
    const { server, other, bills, billsOfOther } = await spendAMonth(stage);
    const { text, message } = await askAsAdministrator(stage, server);

    const { exposure, settled } = accountOf(stage, server);
    assert.equal(settled, sumOf(bills), 'the account is what was billed');
    assert.ok(text.includes(`**${shownUsd(settled)}** of $10.00 spent · 5 images`), text);
    assert.ok(text.includes(`Unknown whether charged, at most: ${shownUsd(exposure)}`), text);
    assert.ok(text.includes(`Remaining: **${shownUsd(DEFAULT_BUDGET_NANO_USD - settled - exposure)}**`), text);
    assert.match(text, /without charge: 1 request$/m);
    assert.ok(text.includes(`<@${other.user.id}>: ${shownUsd(sumOf(billsOfOther))}`), text);
    for (const model of new Set(bills.map((bill) => bill.model))) {
      const ofModel = bills.filter((bill) => bill.model === model);
      assert.ok(text.includes(`\`${model}\`: ${shownUsd(sumOf(ofModel))}`), text);
    }
    const tokens = (count: (bill: Bill) => number): string =>
      bills.reduce((sum, bill) => sum + count(bill), 0).toLocaleString('en-US');
    assert.ok(text.includes(`${tokens(({ usage }) => usage.input_tokens_details.text_tokens)} text in`), text);
    assert.ok(text.includes(`${tokens(({ usage }) => usage.input_tokens_details.image_tokens)} image in`), text);
    assert.ok(text.includes(`${tokens(({ usage }) => usage.output_tokens)} image out`), text);
    assert.equal(message.visibleTo, server.administrator.user.id);
    assert.ok((message.flags & MESSAGE_FLAG.ephemeral) !== 0, 'it is for the administrator alone');
  });

  it('exports entries that add up to the totals exactly, raw usage included', async () => {
    const { stage } = shared();
    const { server, bills } = await spendAMonth(stage);
    const { message } = await askAsAdministrator(stage, server, { export: true });

    const csv = replayCsv(fileEndingWith(message, '.csv'));
    const jsonl = fileEndingWith(message, '.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => exportedEntry.parse(JSON.parse(line)));
    const { settled, held, exposure } = accountOf(stage, server);
    assert.deepEqual(csv, { settled, held, exposure });
    assert.deepEqual(replayEntries(jsonl), { settled, held, exposure });

    const usageByRequest = new Map(
      jsonl.flatMap(({ charge }) => (charge ? [[charge.requestId, charge.usage] as const] : [])),
    );
    assert.equal(usageByRequest.size, bills.length);
    for (const { requestId, usage } of bills) assert.deepEqual(usageByRequest.get(requestId), usage);
    const [anyUsage] = usageByRequest.values();
    assert.deepEqual(pick(anyUsage, Object.keys(usageExtras)), usageExtras);
  });

  it('counts one member alone where one is asked for, in words and in the export', async () => {
    const { stage } = shared();
    const { server, other, billsOfOther } = await spendAMonth(stage);
    const { text, message } = await askAsAdministrator(stage, server, { member: other.user, export: true });

    assert.ok(text.includes(`**${shownUsd(sumOf(billsOfOther))}** · 1 image`), text);
    assert.ok(!text.includes(`<@${server.member.user.id}>`), text);
    assert.deepEqual(replayCsv(fileEndingWith(message, '.csv')), {
      settled: sumOf(billsOfOther),
      held: 0,
      exposure: 0,
    });
  });

  it('counts pictures that were made, and not those that were only asked for', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const prompt = `of four, two (${server.guild.id})`;
    stage.provider.faults.add({ kind: 'fewer-images', imageCount: 2, when: isFor(prompt) });
    await ask(stage, server, 'imagine', { prompt, quality: 'low', count: 4 });

    assert.match((await askAsAdministrator(stage, server)).text, /spent · 2 images/);
  });

  it('looks at the month that is asked for, and knows what is no month', async () => {
    const { stage } = shared();
    const { server } = await spendAMonth(stage);
    const thisMonth = new Date(stage.discord.clock.now()).toISOString().slice(0, 7);

    const now = await askAsAdministrator(stage, server, { month: thisMonth });
    assert.match(now.text, new RegExp(`Usage in ${monthName(stage)}[^]*spent · 5 images`));
    const longAgo = await askAsAdministrator(stage, server, { month: '2025-02' });
    assert.match(longAgo.text, /Usage in February 2025[^]*\*\*\$0\.0000\*\* of \$10\.00 spent · 0 images/);
    const never = await askAsAdministrator(stage, server, { month: '2026-13' });
    assert.match(never.text, /That is not a month\. Write it like `2026-11`\./);
    const empty = await askAsAdministrator(stage, server, { month: '2025-02', export: true });
    assert.deepEqual(replayCsv(fileEndingWith(empty.message, '.csv')), { settled: 0, held: 0, exposure: 0 });
  });

  it('draws the month, and says in words what the picture shows', async () => {
    const { stage } = shared();
    const { server, other, bills, billsOfOther } = await spendAMonth(stage);
    const { message } = await askAsAdministrator(stage, server, { export: true });

    const [picture, ...files] = message.shownAttachments;
    assert.ok(picture);
    const { format, width, height } = await sharp(picture.bytes).metadata();
    assert.equal(format, 'png');
    assert.ok(width === 1_280 && height > 600, `${width}×${height}`);
    const { description = '' } = picture;
    assert.ok(description.includes(`${monthName(stage)}: ${shownUsd(sumOf(bills))} of $10.00 in all`), description);
    for (const model of new Set(bills.map((bill) => bill.model))) assert.ok(description.includes(model), description);
    assert.ok(!/<@|mira|otto/.test(description), 'it names nobody');
    assert.deepEqual(
      files.map(({ filename }) => filename.replace(/.*\./, '')),
      ['csv', 'jsonl'],
    );

    const ofOther = await askAsAdministrator(stage, server, { member: other.user });
    const [pictureOfOther] = ofOther.message.shownAttachments;
    assert.ok(pictureOfOther);
    assert.ok(pictureOfOther.description?.includes(`: ${shownUsd(sumOf(billsOfOther))} in all`));
    assert.notDeepEqual(pictureOfOther.bytes, picture.bytes);
  });

  it('says how many requests are unknown', async () => {
    const { stage } = shared();
    const { server } = await spendAMonth(stage);
    const { text } = await askAsAdministrator(stage, server);
    assert.match(text, /Unknown whether charged, at most: \$\d+\.\d{4} \(1 request\)$/m);
  });

  it('keeps up with what is spent between two looks', async () => {
    const { stage } = shared();
    const { server, bills } = await spendAMonth(stage);
    await askAsAdministrator(stage, server);
    const prompt = `one more (${server.guild.id})`;
    await ask(stage, server, 'imagine', { prompt, quality: 'low' });

    const { text } = await askAsAdministrator(stage, server);
    assert.ok(text.includes(`**${shownUsd(sumOf(bills) + sumOf(billsFor(stage, prompt)))}** of $10.00`), text);
    assert.match(text, /spent · 6 images/);
  });

  it('is for administrators, also where the command was shown to everybody', async () => {
    const { stage } = shared();
    const { server } = await spendAMonth(stage);
    const { member, channel } = server;
    assert.throws(() => stage.discord.invoke({ command: 'usage', member, channel }), /hidden/);

    const invoked = stage.discord.invoke({ command: 'usage', member, channel, permissionsLifted: true });
    const text = renderMessage(await invoked.finalMessage());
    assert.match(text, /Only members who may manage this server/);
    assert.doesNotMatch(text, /\$/);
  });

  it('/quota tells a member alone of that member alone', async () => {
    const { stage } = shared();
    const { server, other, billsOfOther } = await spendAMonth(stage);
    const { text, message } = await ask(stage, server, 'quota', {}, other);

    assert.ok(text.includes(`You have made 1 image for ${shownUsd(sumOf(billsOfOther))}.`), text);
    assert.doesNotMatch(text, /may have been charged/, 'the lost answer was not theirs');
    const { settled, exposure } = accountOf(stage, server);
    assert.ok(
      text.includes(`This server can spend ${shownUsd(DEFAULT_BUDGET_NANO_USD - settled - exposure)} more`),
      text,
    );
    assert.equal(message.visibleTo, other.user.id);

    const mine = await ask(stage, server, 'quota');
    assert.ok(mine.text.includes(`Up to ${shownUsd(exposure)} more may have been charged`), mine.text);
  });

  // This one comes last, because it moves the time that all of them share.
  it('suggests the months that have entries, back to the first, and still knows what they cost', async () => {
    const { stage } = shared();
    const { server, bills } = await spendAMonth(stage);
    const first = monthName(stage);
    const firstMonth = new Date(stage.discord.clock.now()).toISOString().slice(0, 7);
    assert.deepEqual(await suggestMonths(stage, server), [{ name: first, value: firstMonth }]);

    stage.discord.clock.advance(TWO_MONTHS_MS);
    const prompt = `two months later (${server.guild.id})`;
    await ask(stage, server, 'imagine', { prompt, quality: 'low' });
    const later = monthName(stage);
    const suggested = await suggestMonths(stage, server);
    assert.deepEqual(
      suggested.map(({ name }) => name),
      [later, first],
      'the month between has no entries',
    );
    assert.deepEqual(await suggestMonths(stage, server, first.slice(0, 4).toLowerCase()), [
      { name: first, value: firstMonth },
    ]);
    assert.deepEqual(await suggestMonths(stage, addServer(stage)), []);

    const { text } = await askAsAdministrator(stage, server, { month: firstMonth });
    assert.ok(text.includes(`## Usage in ${first}`), text);
    assert.ok(text.includes(`**${shownUsd(sumOf(bills))}** of $10.00 spent · 5 images`), text);
    const now = await askAsAdministrator(stage, server);
    assert.ok(now.text.includes(`**${shownUsd(sumOf(billsFor(stage, prompt)))}** of $10.00 spent · 1 image`), now.text);
  });
});

describe('/usage with an export that is larger than one request to Discord may be', () => {
  it('brings what fits into that, although each of its files may be larger in this server', async (t) => {
    const stage = await setStage(t);
    await stage.startBot();
    const server = addServer(stage, { attachmentSizeLimitBytes: 100 * MEBIBYTE });
    await ask(stage, server, 'imagine', { prompt: 'a fox', quality: 'low' });
    padUsage(stage, 30 * MEBIBYTE);
    const { message, text } = await askAsAdministrator(stage, server, { export: true });
    assert.deepEqual(endingsOf(message), ['png', 'csv', 'gz']);
    assert.doesNotMatch(text, /too large/i);
  });

  it('says what to do instead where Discord finds it too large after all', async (t) => {
    const stage = await setStage(t);
    await stage.startBot();
    const server = addServer(stage);
    const body = { message: 'Request entity too large', code: 40_005 };
    stage.discord.faults.add({ kind: 'status', status: 413, body, route: 'PATCH original', onlyUploads: true });
    const { message, text } = await askAsAdministrator(stage, server, { export: true });
    assert.deepEqual(endingsOf(message), []);
    assert.match(
      text,
      /^## Usage in [^]*too large after all: `\S+\.csv` and `\S+\.jsonl`\. Export one member at a time/m,
    );
  });
});

function endingsOf({ shownAttachments }: Answered['message']): readonly string[] {
  return shownAttachments.map(({ filename }) => filename.replace(/.*\./, ''));
}

/** Has the one charge in the books tell more of its usage, as thousands of them would together. */
function padUsage({ dataDirectory }: Stage, sizeBytes: number): void {
  const database = new DatabaseSync(join(dataDirectory, 'easel.sqlite'));
  try {
    const { changes } = database
      .prepare(
        `UPDATE keyv SET value = json_set(value, '$.value.charge.usage.padding', ?)
         WHERE key LIKE '%entry:%' AND json_extract(value, '$.value.type') = 'post'`,
      )
      .run('x'.repeat(sizeBytes));
    assert.equal(changes, 1);
  } finally {
    database.close();
  }
}

const TWO_MONTHS_MS = 62 * 86_400_000;

/** What is suggested for the month to somebody who may manage the server. Others are shown nothing. */
async function suggestMonths({ discord }: Stage, server: Server, text = '') {
  const { administrator, member, channel } = server;
  const typing = { command: 'usage', channel, focused: { name: 'month', text } };
  const ofOthers = await discord.autocomplete({ ...typing, member, permissionsLifted: true });
  assert.deepEqual(ofOthers, []);
  return discord.autocomplete({ ...typing, member: administrator });
}

/** The month of the emulated clock by its name. */
function monthName({ discord }: Stage): string {
  return new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(discord.clock.now());
}

async function askAsAdministrator(stage: Stage, server: Server, options: OptionValues = {}): Promise<Answered> {
  return ask(stage, server, 'usage', options, server.administrator);
}

async function spendAMonth(stage: Stage): Promise<Month> {
  const server = addServer(stage);
  const other = stage.discord.world.addMember(server.guild, { username: 'otto' });
  const at = (words: string): string => `${words} (${server.guild.id})`;
  const [refused, lost, ofOther] = [at('a forbidden thing'), at('a lost thing'), at('by otto')];
  stage.provider.faults.add({ kind: 'bill-then-drop', when: isFor(lost) });
  const bytes = await photograph({ width: 320, height: 200 }).png().toBuffer();
  const reference = stage.discord.uploadAttachment({ bytes, filename: 'reference.png' });
  const mine = [
    { prompt: at('first'), quality: 'low', count: 2 },
    { prompt: at('second'), quality: 'high', reference },
    { prompt: at('third'), quality: 'low', model: 'gpt-image-2' },
    { prompt: refused },
    { prompt: lost },
  ];
  await Promise.all([
    ...mine.map(async (options) => ask(stage, server, 'imagine', options)),
    ask(stage, server, 'imagine', { prompt: ofOther, quality: 'medium' }, other),
  ]);
  const billsOfOther = billsFor(stage, ofOther);
  const bills = mine.filter(({ prompt }) => prompt !== lost).flatMap(({ prompt }) => billsFor(stage, prompt));
  assert.equal(bills.length, 3);
  assert.equal(billsOfOther.length, 1);
  return { server, other, bills: [...bills, ...billsOfOther], billsOfOther };
}

function sumOf(bills: readonly Bill[]): number {
  return bills.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
}

function fileEndingWith({ shownAttachments }: Answered['message'], ending: string): string {
  const file = shownAttachments.find(({ filename }) => filename.endsWith(ending));
  return (file ?? assert.fail(`no file ends with ${ending}`)).bytes.toString('utf8');
}

/** What a reader of the export needs of each line, whatever else stands there. */
const exportedEntry = z.looseObject({
  type: z.string(),
  transfer: z.string(),
  held: z.number(),
  charge: z.looseObject({ cost: z.number(), requestId: z.string(), usage: z.unknown() }).optional(),
});

type Totals = { settled: number; held: number; exposure: number };
type Line = { readonly type: string; readonly transfer: string; readonly nanoUsd: number };

/** Adds a table up as an accountant would who knows nothing of the program but what its lines are called. */
function replayCsv(csv: string): Totals {
  const [header = '', ...rows] = csv.trimEnd().split('\r\n');
  const columns = header.split(',');
  const cell = (row: string, column: string): string => row.split(',')[columns.indexOf(column)] ?? '';
  return replay(
    rows.map((row) => {
      const nanoUsd = Number(cell(row, 'cost_nano_usd'));
      assert.equal(cell(row, 'cost_usd'), (nanoUsd / 1e9).toFixed(6), 'both amounts are the same');
      return { type: cell(row, 'type'), transfer: cell(row, 'transfer'), nanoUsd };
    }),
  );
}

function replayEntries(entries: readonly z.infer<typeof exportedEntry>[]): Totals {
  return replay(
    entries.map(({ type, transfer, held, charge }) => ({ type, transfer, nanoUsd: charge ? charge.cost : held })),
  );
}

function replay(lines: readonly Line[]): Totals {
  const totals = { settled: 0, held: 0, exposure: 0 };
  const heldByTransfer = new Map<string, number>();
  for (const { type, transfer, nanoUsd } of lines) {
    const held = heldByTransfer.get(transfer) ?? 0;
    if (type === 'reserve') {
      heldByTransfer.set(transfer, nanoUsd);
      totals.held += nanoUsd;
    } else if (type !== 'dispatch') {
      totals.held -= held;
      if (type === 'post') totals.settled += nanoUsd;
      if (type === 'unknown') totals.exposure += nanoUsd;
    }
  }
  return totals;
}

function pick(value: unknown, keys: readonly string[]): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null);
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}
