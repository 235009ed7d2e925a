import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { press, pressThrough } from './conversation.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD, judge, newsOf } from './judgement.ts';
import {
  accountOf,
  answered,
  billsFor,
  courseOf,
  endReasonOf,
  imagine,
  isFor,
  shownUsd,
  theBillFor,
} from './requests.ts';
import type { Server } from './shared-stage.ts';
import { addServer, plainPictures, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

/** News comes after two seconds, and a bot that starts takes a few more. */
const WAIT_MS_MAX = 20_000;
const SHORT_PAUSE_SECONDS = 1;
const LONG_PAUSE_SECONDS = 60;
/** Long enough for news to come and a button to be pressed. */
const CALL_MS = 6_000;

/** Has the provider refuse every call for this prompt, and ask for a pause. */
function limitRate({ provider }: Stage, prompt: string, retryAfterSeconds: number): void {
  provider.faults.add({ kind: 'refuse', refusal: 'rate_limit_exceeded', retryAfterSeconds, when: isFor(prompt) });
}

// Most of the time is spent waiting.
describe('A cancelled job', { concurrency: 3 }, () => {
  describe('of a living bot', { concurrency: true }, () => {
    const shared = shareStage({ provider: plainPictures, auditedBudget: DEFAULT_BUDGET_NANO_USD });

    it('does not wait for the end of a pause that the provider asked for, and is not tried again', async (t) => {
      // A pause is one for all calls.
      const stage = await setStage(t);
      await stage.startBot();
      const prompt = 'called off in a pause';
      limitRate(stage, prompt, LONG_PAUSE_SECONDS);
      const interaction = imagine(stage, stage, prompt);
      await newsOf(stage, interaction, /^The provider is busy;/m);
      await cancel(stage, stage, interaction);
      assert.match((await answered(interaction)).text, /Cancelled before anything was made\. You were not charged\./);
      assert.equal(courseOf(stage, interaction), 'reserve dispatch void');
      assert.equal(endReasonOf(stage, interaction), 'cancelled');
      await atRest(stage);
      assert.equal(callsFor(stage, prompt).length, 1);
      assert.equal(judge(stage).posted, 0);
    });

    it('that was out when it was cancelled is not tried again where provably nothing was made', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const prompt = 'called off before it was refused';
      stage.provider.faults.add({ kind: 'delay', delayMs: CALL_MS, at: 'start', when: isFor(prompt) });
      limitRate(stage, prompt, SHORT_PAUSE_SECONDS);
      const interaction = imagine(stage, server, prompt);
      await newsOf(stage, interaction, /^The provider is at work;/m);
      await cancel(stage, server, interaction);
      await newsOf(stage, interaction, /^Cancelled\. The provider had already started/m);
      assert.match((await answered(interaction)).text, /Cancelled before anything was made\. You were not charged\./);
      await atRest(stage, { interaction });
      assert.equal(callsFor(stage, prompt).length, 1);
      assert.equal(courseOf(stage, interaction), 'reserve dispatch void');
      assertNothingHeld(stage, server, 0);
    });

    it('that is cancelled many times at once is booked once, by the bill of the provider', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const prompt = 'called off in a hurry';
      const gate = stage.provider.holdAnswers({ when: isFor(prompt) });
      const interaction = imagine(stage, server, prompt);
      await gate.arrived(1);
      await newsOf(stage, interaction, /^The provider is at work;/m);
      await Promise.all(Array.from({ length: 5 }, async () => cancel(stage, server, interaction)));
      gate.release();
      const { text } = await answered(interaction);
      const { costNanoUsd } = theBillFor(stage, prompt);
      assert.ok(text.includes(shownUsd(costNanoUsd)), text);
      await stage.discord.waitFor(() => courseOf(stage, interaction) === 'reserve dispatch post', WAIT_MS_MAX);
      assertNothingHeld(stage, server, costNanoUsd);
    });

    it('that has ended meanwhile has nothing to cancel', async (t) => {
      const stage = await setStage(t);
      await stage.startBot();
      const gate = stage.provider.holdAnswers();
      const interaction = imagine(stage, stage, 'done before it was called off');
      await gate.arrived(1);
      await newsOf(stage, interaction, /^The provider is at work;/m);
      // The result is on its way, and the news with its button still stands.
      const fault = stage.discord.faults.add({ kind: 'delay', delayMs: 3_000, route: 'PATCH original' });
      gate.release();
      await stage.discord.waitFor(() => fault.spoiled() > 0, WAIT_MS_MAX);
      const late = await pressThrough(stage, originalOf(interaction), 'Cancel', stage.member);
      assert.match(late.text, /nothing to cancel any more/);
      const { message } = await answered(interaction);
      assert.equal(message.shownAttachments.length, 1);
      await atRest(stage);
      assert.equal(judge(stage).posted, 1);
    });
  });

  describe('whose bot is killed', { concurrency: true }, () => {
    it('was still in line: it ends as cancelled, and for nothing', async (t) => {
      const stage = await setStage(t, { environment: { PROVIDER_CONCURRENCY: '1' } });
      const bot = await stage.startBot();
      const gate = stage.provider.holdAnswers();
      const working = imagine(stage, stage, 'at work');
      await gate.arrived(1);
      const waiting = imagine(stage, stage, 'in line');
      await newsOf(stage, waiting, /^In line/m);
      stage.discord.faults.add({ kind: 'hang', route: 'PATCH original', times: Infinity });
      await cancel(stage, stage, waiting);
      await stage.discord.waitFor(() => courseOf(stage, waiting) === 'reserve void', WAIT_MS_MAX);
      await bot.kill();
      stage.discord.faults.clear();
      gate.release();

      await stage.startBot();
      assert.match((await answered(waiting)).text, /Cancelled before anything was made\. You were not charged\./);
      assert.match((await answered(working)).text, /its answer is lost/);
      await atRest(stage);
      const { voided, unknown } = judge(stage);
      assert.deepEqual({ voided, unknown }, { voided: 1, unknown: 1 });
      assert.equal(callsFor(stage, 'in line').length, 0);
    });

    for (const isAnswered of [false, true]) {
      it(`was at the provider, whose answer ${isAnswered ? 'had come' : 'is lost'}`, async (t) => {
        const stage = await setStage(t);
        const bot = await stage.startBot();
        const prompt = 'called off and forgotten';
        const gate = stage.provider.holdAnswers();
        const interaction = imagine(stage, stage, prompt);
        await gate.arrived(1);
        await newsOf(stage, interaction, /^The provider is at work;/m);
        await cancel(stage, stage, interaction);
        await newsOf(stage, interaction, /^Cancelled\. The provider had already started/m);
        stage.discord.faults.add({ kind: 'hang', route: 'PATCH original', times: Infinity });
        if (isAnswered) {
          gate.release();
          await stage.discord.waitFor(() => courseOf(stage, interaction).endsWith('post'), WAIT_MS_MAX);
        }
        await bot.kill();
        stage.discord.faults.clear();
        gate.release();

        await stage.startBot();
        const { text, message } = await answered(interaction);
        assert.match(text, isAnswered ? /made all the same and cost/ : /its answer is lost/);
        assert.equal(message.shownAttachments.length, 0, 'nobody wanted to see it any more');
        await stage.discord.waitFor(() => /(post|unknown)$/.test(courseOf(stage, interaction)), WAIT_MS_MAX);
        assert.equal(billsFor(stage, prompt).length, 1);
        const { posted, unknown } = judge(stage);
        assert.deepEqual({ posted, unknown }, isAnswered ? { posted: 1, unknown: 0 } : { posted: 0, unknown: 1 });
      });
    }
  });
});

function originalOf(interaction: InteractionHandle) {
  return interaction.original() ?? assert.fail('the reply is gone');
}

/** Presses the button under the news of a job. */
async function cancel(stage: Stage, { member }: Pick<Server, 'member'>, interaction: InteractionHandle): Promise<void> {
  await press(stage, originalOf(interaction), 'Cancel', member);
}

/** The books of a server have nothing open, and what was billed is what was paid. */
function assertNothingHeld(stage: Stage, server: Server, paidNanoUsd: number): void {
  const { settled, held, exposure } = accountOf(stage, server);
  assert.deepEqual({ settled, held, exposure }, { settled: paidNanoUsd, held: 0, exposure: 0 });
}
