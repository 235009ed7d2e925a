import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Stage } from '../../sandbox/stage.ts';
import { runToolProcess } from '../tools/tool-process.ts';
import { accountOf, ask, billsFor, courseOf, isFor } from './requests.ts';
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
