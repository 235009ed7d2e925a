import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { renderMessage } from '../../sandbox/discord/render.ts';
import { addServer } from './shared-stage.ts';
import { setStage } from './support.ts';

/** Twenty times as quick as usual. */
const HURRIED_PAUSES = fileURLToPath(new URL('./hurried-pauses.ts', import.meta.url));
/** So often is tried within seconds. */
const HURRIED_ATTEMPTS = 6;
const LATE_WITHIN_MS = 20_000;
const STOPPED_WITHIN_MS = 5_000;

/** A bot that was asked for a quota, in a Discord that takes no answers for a while. */
async function askWhileAnswersFail(t: TestContext, failures: number) {
  const stage = await setStage(t);
  const bot = await stage.startBot({ preload: [HURRIED_PAUSES] });
  const { discord } = stage;
  const away = discord.faults.add({ route: 'PATCH original', kind: 'status', status: 503, times: failures });
  const { channel, member } = addServer(stage);
  const interaction = discord.invoke({ command: 'quota', member, channel });
  const attempts = () => discord.requests.filter(({ route }) => route === 'PATCH original').length;
  return { stage, bot, away, interaction, attempts };
}

describe('an answer that Discord does not take', { concurrency: true }, () => {
  test('comes when Discord is there again', async (t) => {
    const { away, interaction, attempts } = await askWhileAnswersFail(t, HURRIED_ATTEMPTS + 2);
    const message = await interaction.finalMessage({ timeoutMs: LATE_WITHIN_MS });
    assert.match(renderMessage(message), /You have made 0 images/);
    assert.equal(away.spoiled(), HURRIED_ATTEMPTS + 2);
    assert.equal(attempts(), HURRIED_ATTEMPTS + 3);
  });

  test('does not keep a process from stopping, neither between two attempts nor in one', async (t) => {
    for (const isHanging of [false, true]) {
      const { stage, bot, attempts } = await askWhileAnswersFail(t, HURRIED_ATTEMPTS);
      if (isHanging) stage.discord.faults.add({ route: 'PATCH original', kind: 'hang', times: Infinity });
      else stage.discord.faults.add({ route: 'PATCH original', kind: 'status', status: 503, times: Infinity });
      await stage.discord.waitFor(() => attempts() === HURRIED_ATTEMPTS + 1, LATE_WITHIN_MS);
      const askedAt = Date.now();
      await bot.stop();
      assert.deepEqual(bot.exit, { code: 0, signal: null });
      assert.ok(Date.now() - askedAt < STOPPED_WITHIN_MS);
      assert.equal(attempts(), HURRIED_ATTEMPTS + 1);
    }
  });
});
