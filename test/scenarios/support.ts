import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import { isFinal } from '../../sandbox/final-message.ts';
import type { Stage, StageOptions } from '../../sandbox/stage.ts';
import { createStage } from '../../sandbox/stage.ts';

/**
 * Sets a stage that is taken down when the test ends, whose every request is held to Discord's rules, and to Discord's
 * own description where it is.
 */
export async function setStage(test: TestContext, options: StageOptions = {}): Promise<Stage> {
  const openApiPath = process.env['DISCORD_OPENAPI'];
  const stage = await createStage({
    ...options,
    discord: { ...(openApiPath ? { openApiPath } : {}), ...options.discord },
  });
  test.after(async () => {
    try {
      assert.deepEqual(stage.discord.violations, []);
    } finally {
      await stage.close();
    }
  });
  return stage;
}

const FINAL_WAIT_MS_MAX = 30_000;

/** The message that ends a job, with news on the way to it passed over. */
export async function finalMessage(interaction: InteractionHandle): Promise<EmulatedMessage> {
  return interaction.finalMessage({ timeoutMs: FINAL_WAIT_MS_MAX, where: isFinal });
}
