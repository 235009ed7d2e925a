import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { BotProcess } from '../../sandbox/bot-process.ts';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import { renderMessage } from '../../sandbox/discord/render.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { readBooks } from '../audit.ts';
import { atRest, callsFor, judge, onlyPost, textOf } from './judgement.ts';
import { answered, imagine, isFor } from './requests.ts';
import { addServer } from './shared-stage.ts';
import { setStage } from './support.ts';

/** The time to drain is longer than a call may take, so that those in line can still have their turn. */
const SHORT_CALLS = { PROVIDER_TIMEOUT_MS: '60000' };
/** Recovery every second instead of every minute. */
const HASTY_RECOVERY = { RECOVERY_SECONDS: '1' };
const WAIT_MS_MAX = 30_000;
const HTTP_OK = 200;
const EXIT_FAILURE = 1;
const EXIT_TERMINATED = 143;
const STUCK_STORE = fileURLToPath(new URL('./stuck-store.ts', import.meta.url));

function imagineSeveral(stage: Stage, prefix: string, count: number): InteractionHandle[] {
  return Array.from({ length: count }, (_, index) => imagine(stage, stage, `${prefix} ${index}`));
}

/** Resolves when money is held for every one of them, so that all are under way or in line. */
async function untilHeld({ discord, dataDirectory }: Stage, interactions: readonly InteractionHandle[]): Promise<void> {
  await discord.waitFor(() => {
    const { transfers } = readBooks(dataDirectory);
    return interactions.every(({ id }) => transfers.has(id));
  }, WAIT_MS_MAX);
}

async function untilLogged({ discord }: Stage, bot: BotProcess, message: string): Promise<void> {
  await discord.waitFor(() => bot.logLines.some(({ msg }) => msg === message), WAIT_MS_MAX);
}

/** The files of the spool that have something in them, without records, of which nothing but blanks may be left. */
function picturesLeftIn({ dataDirectory }: Stage): string[] {
  const spool = join(dataDirectory, 'spool');
  const files = readdirSync(spool, { recursive: true, encoding: 'utf8' }).filter((file) => !file.endsWith('.json'));
  return files.filter((file) => statSync(join(spool, file)).isFile() && statSync(join(spool, file)).size > 0);
}

describe('how a bot ends', { concurrency: true }, () => {
  test('asked to stop under load, it takes nothing more, finishes everything and ends well', async (t) => {
    const stage = await setStage(t, { environment: { PROVIDER_CONCURRENCY: '2', ...SHORT_CALLS } });
    const bot = await stage.startBot();
    const gate = stage.provider.holdAnswers();
    const interactions = imagineSeveral(stage, 'a last wish', 5);
    await gate.arrived(2);
    await untilHeld(stage, interactions);

    bot.signal('SIGTERM');
    await untilLogged(stage, bot, 'stopping');
    await stage.discord.waitFor(() => stage.discord.gateway.connectedSessions().length === 0, WAIT_MS_MAX);
    gate.release();
    await bot.ended();
    assert.deepEqual(bot.exit, { code: 0, signal: null });
    for (const interaction of interactions) await onlyPost(stage, interaction, stage.member);
    assert.equal(stage.provider.bills.length, 5);
    assert.equal(judge(stage).posted, 5);
    assert.deepEqual(picturesLeftIn(stage), [], 'what was posted is not kept');
  });

  test('where a call may take longer than it has, it begins none, and tells those who wait that they pay nothing', async (t) => {
    const stage = await setStage(t, { environment: { PROVIDER_CONCURRENCY: '2' } });
    const { discord, provider } = stage;
    const bot = await stage.startBot();
    const gate = provider.holdAnswers();
    const out = imagine(stage, stage, 'already out');
    await gate.arrived(1);
    const retryAfterSeconds = 60;
    const when = isFor('to be tried again');
    provider.faults.add({ kind: 'refuse', refusal: 'rate_limit_exceeded', retryAfterSeconds, when });
    const pausing = imagine(stage, stage, 'to be tried again');
    await discord.waitFor(() => /The provider is busy/.test(textOf(pausing)), WAIT_MS_MAX);
    const inLine = imagine(stage, stage, 'in line');
    await untilHeld(stage, [out, pausing, inLine]);

    bot.signal('SIGTERM');
    for (const interaction of [pausing, inLine]) {
      assert.match((await answered(interaction)).text, /Easel is restarting.*You were not charged/);
    }
    gate.release();
    await bot.ended();
    assert.deepEqual(bot.exit, { code: 0, signal: null });
    await onlyPost(stage, out, stage.member);
    assert.equal(callsFor(stage, 'in line').length, 0);
    assert.equal(callsFor(stage, 'to be tried again').length, 1);
    const { posted, voided, unknown } = judge(stage);
    assert.deepEqual({ posted, voided, unknown }, { posted: 1, voided: 2, unknown: 0 });
  });

  test('asked to stop when a budget is nearly used, it warns of that first', async (t) => {
    const stage = await setStage(t);
    const { discord } = stage;
    const bot = await stage.startBot();
    const { administrator, channel, member } = addServer(stage);
    for (const [command, options] of [
      ['settings budget', { usd: '0.10', warning_percent: 1 }],
      ['settings log', { channel }],
    ] as const) {
      await answered(discord.invoke({ command, member: administrator, channel, options }));
    }
    discord.faults.add({ route: 'channel message', kind: 'status', status: 500, times: 2 });
    const prompt = 'the last of the budget';
    await answered(discord.invoke({ command: 'imagine', member, channel, options: { prompt, quality: 'low' } }));
    await untilLogged(stage, bot, 'the log channel did not take a message');
    bot.signal('SIGTERM');
    await bot.ended();
    assert.equal(bot.exit?.code, 0);
    assert.match(discord.channelMessages(channel).map(renderMessage).join('\n'), /Budget (warning|reached)/);
  });

  test('asked twice, it ends at once, and its successor tells everybody the truth', async (t) => {
    const stage = await setStage(t, { environment: { PROVIDER_CONCURRENCY: '2', ...SHORT_CALLS } });
    const bot = await stage.startBot();
    const gate = stage.provider.holdAnswers();
    const interactions = imagineSeveral(stage, 'cut short', 3);
    await gate.arrived(2);
    await untilHeld(stage, interactions);
    bot.signal('SIGTERM');
    await untilLogged(stage, bot, 'stopping');
    bot.signal('SIGTERM');
    await bot.ended();
    assert.equal(bot.exit?.code, EXIT_TERMINATED);
    gate.release();

    await stage.startBot();
    const texts = await Promise.all(interactions.map(async (interaction) => (await answered(interaction)).text));
    await atRest(stage);
    assert.equal(
      texts.filter((text) => /restarted while the provider was at work.*not known whether this was charged/.test(text))
        .length,
      2,
    );
    assert.equal(texts.filter((text) => /before your request went out.*You were not charged/.test(text)).length, 1);
    for (const interaction of interactions) assert.equal(interaction.messages().length, 1);
    const { unknown, voided, posted } = judge(stage);
    assert.deepEqual({ unknown, voided, posted }, { unknown: 2, voided: 1, posted: 0 });
    assert.equal(stage.provider.bills.length, 2);
  });

  test('asked to stop when something cannot be closed, it says what, and ends', async (t) => {
    const stage = await setStage(t);
    const bot = await stage.startBot({ preload: [STUCK_STORE] });
    bot.signal('SIGTERM');
    await bot.ended();
    assert.deepEqual(bot.exit, { code: EXIT_FAILURE, signal: null });
    assert.match(bot.output, /the disk is gone[^]*not everything could be finished or closed/);
  });

  test('a time to drain that is over ends it, too', async (t) => {
    const stage = await setStage(t, { environment: { DRAIN_SECONDS: '0' } });
    const bot = await stage.startBot();
    const gate = stage.provider.holdAnswers();
    imagine(stage, stage, 'too slow for this');
    await gate.arrived(1);
    bot.signal('SIGINT');
    await bot.ended();
    assert.equal(bot.exit?.code, EXIT_TERMINATED);
    assert.match(bot.output, /the time to drain is over/);
  });
});

test('of two bots on one data directory, neither touches what the other is at work on until it is dead', async (t) => {
  const stage = await setStage(t);
  const { discord, provider } = stage;
  const gate = provider.holdAnswers();
  const older = await stage.startBot();
  const first = imagine(stage, stage, 'of the older');
  await gate.arrived(1);
  const doomed = await stage.startBot();
  const second = imagine(stage, stage, 'of the doomed');
  await gate.arrived(2);
  const newer = await stage.startBot({ environment: HASTY_RECOVERY });

  await doomed.kill();
  assert.match((await answered(second)).text, /restarted while the provider was at work/);
  // The newer one has swept, and left alone what belongs to the living.
  assert.deepEqual(
    newer.logLines.filter(({ msg }) => msg === 'job recovered').map(({ job }) => job),
    [second.id],
  );
  gate.release(1);
  await onlyPost(stage, first, stage.member);

  const third = imagine(stage, stage, 'of the newer');
  await gate.arrived(3);
  older.signal('SIGTERM');
  await older.ended();
  assert.equal(older.exit?.code, 0);
  gate.release();
  await onlyPost(stage, third, stage.member);
  for (const prompt of ['of the older', 'of the doomed', 'of the newer']) {
    assert.equal(callsFor(stage, prompt).length, 1, prompt);
  }
  assert.doesNotMatch(textOf(first), /restarted/);
  assert.equal(discord.channelMessages(stage.channel).length, 3);
  const { posted, unknown } = judge(stage);
  assert.deepEqual({ posted, unknown }, { posted: 2, unknown: 1 });
});

test('a bot tries its store once, however many ask at once whether it is ready', async (t) => {
  const stage = await setStage(t);
  const { httpPort } = await stage.startBot();
  const ask = async (): Promise<number> => (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).status;
  const database = new DatabaseSync(join(stage.dataDirectory, 'easel.sqlite'), { readOnly: true });
  t.after(() => database.close());
  const probe = (): unknown => database.prepare("SELECT value FROM keyv WHERE key LIKE '%probe'").get()?.['value'];
  const [first = assert.fail(), ...others] = Array.from({ length: 20 }, ask);
  assert.equal(await first, HTTP_OK);
  const written = probe();
  assert.ok(written);
  for (const status of await Promise.all(others)) assert.equal(status, HTTP_OK);
  assert.equal(probe(), written);
});
