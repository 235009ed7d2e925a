import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Stage } from '../../sandbox/stage.ts';
import type { Entry } from '../../src/billing/guild-account.ts';
import { replayJournal } from '../audit.ts';
import { runToolProcess } from '../tools/tool-process.ts';
import { accountOf, ask, billsFor, courseOf, entriesOf, isFor, shownUsd, theBillFor } from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';

const NANO_USD_PER_USD = 1e9;
const WHY = ['--reason', 'looked up in the dashboard', '--by', 'ada'];

/** Without the bot's own secrets: the tools need none of them. */
function toolEnvironment({ dataDirectory, provider }: Stage): Record<string, string> {
  return { DATA_DIR: dataDirectory, OPENAI_ADMIN_KEY: provider.adminKey, OPENAI_ADMIN_URL: provider.baseUrl };
}

/** The amounts of the comparison's last line, in nano-dollars. */
async function readTotals(stage: Stage, ...costs: readonly string[]) {
  const month = new Date().toISOString().slice(0, 'YYYY-MM'.length);
  const { exitCode, output, errors } = await runToolProcess(
    'reconcile',
    ['--month', month, ...costs],
    toolEnvironment(stage),
  );
  assert.equal(exitCode, 0, errors);
  const total = output.split('\n').find((line) => line.startsWith('total')) ?? assert.fail(output);
  const [posted, unknown, provider, difference] = total
    .split(/ {2,}/)
    .slice(1)
    .map((cell) => Math.round(Number(cell.replace('$', '')) * NANO_USD_PER_USD));
  return { output, posted, unknown, provider, difference };
}

function toMicroUsd(nanoUsd: number): number {
  return Math.floor((nanoUsd + 500) / 1_000) * 1_000;
}

describe('Reconciling beside a living bot', () => {
  const shared = shareStage({ provider: plainPictures });

  it("shows the provider's own bills by day, and ends each unknown by a new entry", async () => {
    const { stage } = shared();
    const { provider } = stage;
    const server = addServer(stage);
    provider.faults.add({ kind: 'bill-then-drop', when: isFor('charged and lost') });
    provider.faults.add({ kind: 'reset', when: isFor('never made') });
    await ask(stage, server, 'imagine', { prompt: 'all is well', quality: 'low' });
    const lost = await ask(stage, server, 'imagine', { prompt: 'charged and lost', quality: 'low' });
    const never = await ask(stage, server, 'imagine', { prompt: 'never made', quality: 'low' });
    const sumOf = (prompt: string) => billsFor(stage, prompt).reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
    const [well, charged] = [sumOf('all is well'), sumOf('charged and lost')];
    assert.ok(well > 0 && charged > 0 && sumOf('never made') === 0);

    const before = await readTotals(stage, '--from-api');
    assert.equal(before.posted, toMicroUsd(well));
    assert.equal(before.provider, toMicroUsd(well + charged));
    assert.equal(before.difference, toMicroUsd(charged));
    assert.equal(before.unknown, toMicroUsd(accountOf(stage, server).exposure));
    assert.match(before.output, /2 calls of unknown outcome/);
    assert.match(before.output, new RegExp(`transfer ${lost.interaction.id} .* connection-lost`));
    assert.match(before.output, /the unknown explain it/);

    const day = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
    const file = join(stage.dataDirectory, 'costs.csv');
    await writeFile(file, `date,usd\n${day},${(well + charged) / NANO_USD_PER_USD}\n`);
    assert.equal((await readTotals(stage, '--costs', file)).difference, before.difference);
    await rm(file);

    const usd = String(charged / NANO_USD_PER_USD);
    const environment = toolEnvironment(stage);
    const posting = ['post', lost.interaction.id, '--usd', usd, ...WHY];
    assert.equal((await runToolProcess('reconcile', posting, environment)).exitCode, 0);
    const releasing = ['release', never.interaction.id, ...WHY];
    assert.equal((await runToolProcess('reconcile', releasing, environment)).exitCode, 0);

    assert.equal(courseOf(stage, lost.interaction), 'reserve dispatch unknown post');
    assert.equal(courseOf(stage, never.interaction), 'reserve dispatch unknown release');
    const { settled, held, exposure } = accountOf(stage, server);
    assert.deepEqual({ settled, held, exposure }, { settled: well + charged, held: 0, exposure: 0 });
    const after = await readTotals(stage, '--from-api');
    assert.deepEqual([after.posted, after.difference], [toMicroUsd(well + charged), 0]);
    assert.match(after.output, / agrees$/m);
    assert.equal((await runToolProcess('ledger', ['verify'], environment)).exitCode, 0);
  });

  it('says what is missing, and never shows the key', async () => {
    const { stage } = shared();
    const wrongKey = { ...toolEnvironment(stage), OPENAI_ADMIN_KEY: stage.provider.apiKey };
    const { exitCode, output, errors } = await runToolProcess('reconcile', ['--from-api'], wrongKey);
    assert.equal(exitCode, 1);
    assert.match(errors, /403: You have insufficient permissions/);
    assert.ok(!`${output}${errors}`.includes(stage.provider.apiKey));
    const usage = await runToolProcess('ledger', ['bless'], toolEnvironment(stage));
    assert.equal(usage.exitCode, 64);
    assert.match(usage.errors, /npm run ledger -- verify/);
    const unset = await runToolProcess('ledger', ['verify'], { STORE_URL: 'nonsense', DATA_DIR: stage.dataDirectory });
    assert.equal(unset.exitCode, 78);
    assert.match(unset.errors, /STORE_URL: /);
    const away = { STORE_URL: 'redis://127.0.0.1:1', DATA_DIR: stage.dataDirectory };
    const unreachable = await runToolProcess('ledger', ['verify'], away);
    assert.equal(unreachable.exitCode, 69, unreachable.errors);
  });
});

describe('Correcting what is posted, by a bill that shows another price', () => {
  // A relay that charges by the piece, and an operator who has not written its prices down: tokens are booked.
  const NANO_USD_PER_IMAGE = 41_000_000;
  const MODEL = 'gpt-image-2';
  const shared = shareStage({ provider: { ...plainPictures, nanoUsdPerImage: { [MODEL]: NANO_USD_PER_IMAGE } } });

  it('changes every sum that anybody is shown, once', async () => {
    const { stage } = shared();
    const server = addServer(stage);
    const options = { model: MODEL, quality: 'low' };
    const asked = await ask(stage, server, 'imagine', { prompt: 'to be corrected', ...options });
    await ask(stage, server, 'imagine', { prompt: 'left as it is', ...options }, server.administrator);
    const booked = accountOf(stage, server).settled;
    const [before, left] = [costOf(stage, asked.interaction), booked - costOf(stage, asked.interaction)];
    const { costNanoUsd: charged } = theBillFor(stage, 'to be corrected');
    assert.deepEqual([charged, before > 0 && before < charged], [NANO_USD_PER_IMAGE, true]);
    // Reports go on from what was added up for the last one.
    const usage = async () => (await ask(stage, server, 'usage', {}, server.administrator)).text;
    assert.ok((await usage()).includes(`**${shownUsd(booked)}** of $10.00 spent · 2 images`));

    const environment = toolEnvironment(stage);
    const adjusting = ['adjust', asked.interaction.id, '--usd', String(charged / NANO_USD_PER_USD), ...WHY];
    const adjusted = await runToolProcess('reconcile', adjusting, environment);
    assert.equal(adjusted.exitCode, 0, adjusted.errors);
    assert.match(adjusted.output, /^adjusted .* \$0\.\d+ before, \$0\.041000 now$/m);
    assert.match(adjusted.output, /more counts against the budget of \d{4}-\d{2}/);
    const again = await runToolProcess('reconcile', adjusting, environment);
    assert.match(again.output, /^unchanged .* nothing is to be changed$/m);

    assert.equal(courseOf(stage, asked.interaction), 'reserve dispatch post adjust');
    assert.equal(accountOf(stage, server).settled, charged + left);
    const text = await usage();
    assert.ok(text.includes(`**${shownUsd(charged + left)}** of $10.00 spent · 2 images`), text);
    assert.ok(text.includes(`<@${server.member.user.id}>: ${shownUsd(charged)}`), text);
    assert.ok(text.includes(`<@${server.administrator.user.id}>: ${shownUsd(left)}`), text);
    const quota = await ask(stage, server, 'quota');
    assert.ok(quota.text.includes(`You have made 1 image for ${shownUsd(charged)}.`), quota.text);
    assert.equal((await readTotals(stage)).posted, toMicroUsd(charged + left));
    assert.equal((await runToolProcess('ledger', ['verify'], environment)).exitCode, 0);
    assert.deepEqual(await sumsOfExport(stage, server), { csv: charged + left, jsonl: charged + left });
  });
});

function costOf(stage: Stage, interaction: { readonly id: string }): number {
  const entry = entriesOf(stage, interaction).find(({ type }) => type === 'post');
  return entry?.type === 'post' ? entry.charge.cost : assert.fail('it is not posted');
}

/** What the two files of an export add up to, each by its own rules. */
async function sumsOfExport(
  stage: Stage,
  { guild }: Server,
): Promise<{ readonly csv: number; readonly jsonl: number }> {
  const out = join(stage.dataDirectory, 'books');
  const { exitCode, errors } = await runToolProcess('ledger', ['export', '--out', out], toolEnvironment(stage));
  assert.equal(exitCode, 0, errors);
  const files = await readdir(out, { recursive: true });
  const read = async (ending: string): Promise<readonly string[]> => {
    const file = files.find((name) => name.includes(guild.id) && name.endsWith(ending));
    return (await readFile(join(out, file ?? assert.fail(files.join())), 'utf8')).trimEnd().split(/\r?\n/);
  };
  const [header = '', ...rows] = await read('.csv');
  const columns = header.split(',');
  const cell = (row: string, column: string): string => row.split(',')[columns.indexOf(column)] ?? '';
  const charges = rows.filter((row) => ['post', 'adjust'].includes(cell(row, 'type')));
  const entries = (await read('.jsonl')).map((line): Entry => JSON.parse(line));
  await rm(out, { recursive: true });
  return {
    csv: charges.reduce((sum, row) => sum + Number(cell(row, 'cost_nano_usd')), 0),
    jsonl: replayJournal(entries, Infinity).settled,
  };
}
