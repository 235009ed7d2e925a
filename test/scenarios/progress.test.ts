import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { MessageVersion } from '../../sandbox/discord/message.ts';
import { collectText } from '../../sandbox/discord/component-tree.ts';
import { atRest, callsFor, DEFAULT_BUDGET_NANO_USD, judge } from './judgement.ts';
import { accountOf, courseOf, answered, ask, decide, imagine, isFor } from './requests.ts';
import { addServer, shareStage } from './shared-stage.ts';
import { setStage } from './support.ts';

const LOW = { quality: 'low' };
const EDIT_INTERVAL_MS = 2_000;
const WAIT_MS_MAX = 15_000;
const MINUTE_MS = 60_000;
/** A turn is told to the second, and counted from a moment before its call arrives. */
const TURN_SLACK_MS = 5_000;

describe('news of a job', { concurrency: true }, () => {
  describe('of one after the other', { concurrency: 1 }, () => {
    const shared = shareStage({ auditedBudget: DEFAULT_BUDGET_NANO_USD });

    it('tells of a provider that is busy', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const when = isFor('a patient fox');
      stage.provider.faults.add({
        kind: 'refuse',
        refusal: 'rate_limit_exceeded',
        retryAfterSeconds: 4,
        times: 1,
        when,
      });
      const interaction = imagine(stage, server, 'a patient fox', LOW);
      await answered(interaction);
      assert.match(newsOf(interaction)[0]?.text ?? '', /^The provider is busy; the next try is in \d seconds\.$/);
    });

    it('does not keep a result back for long that is there before Discord has taken the last of it', async () => {
      const { stage } = shared();
      const server = addServer(stage);
      const prompt = 'a fox that is waited for';
      const gate = stage.provider.holdAnswers({ when: isFor(prompt) });
      const hanging = stage.discord.faults.add({ route: 'PATCH original', kind: 'hang' });
      const interaction = imagine(stage, server, prompt, LOW);
      await gate.arrived(1);
      await stage.discord.waitFor(() => hanging.spoiled() > 0, WAIT_MS_MAX);
      gate.release();
      await stage.discord.waitFor(() => interaction.original()?.shownAttachments.length === 1, WAIT_MS_MAX);
      assert.equal(courseOf(stage, interaction), 'reserve dispatch post');
      assert.equal(accountOf(stage, server).held, 0);
    });

    it('shows a picture before it is finished, where the server has that on', async () => {
      const { stage } = shared();
      const { discord } = stage;
      const server = addServer(stage);
      await decide(stage, server, 'previews', { on: true });
      const prompt = 'a fox in the making';
      stage.provider.faults.add({ kind: 'delay', at: 'after-partial-image', delayMs: 4_000, when: isFor(prompt) });
      const interaction = imagine(stage, server, prompt, LOW);
      await discord.waitFor(() => (interaction.original()?.shownAttachments.length ?? 0) > 0, WAIT_MS_MAX);
      const [preview] = interaction.original()?.shownAttachments ?? [];
      assert.equal(preview?.filename, 'preview.png');
      assert.equal(preview?.width, 1024);
      assert.match(newsOf(interaction).at(-1)?.text ?? '', /^The provider is at work/);
      const { message } = await answered(interaction);
      assert.deepEqual(
        message.attachments.map(({ filename }) => filename),
        [`${interaction.id}-1.png`],
      );
    });
  });

  it('comes at most every two seconds, however much there is, and never after the result', async (t) => {
    const stage = await setStage(t, { environment: { PROVIDER_CONCURRENCY: '1', MEMBER_REQUESTS_PER_MINUTE: '0' } });
    await stage.startBot();
    const server = addServer(stage);
    const gate = stage.provider.holdAnswers();
    const members = Array.from({ length: 12 }, () => stage.discord.world.addMember(server.guild));
    const interactions = members.map((member, index) => imagine(stage, { ...server, member }, `fox ${index}`, LOW));
    await gate.arrived(1);
    const last = interactions.at(-1) ?? assert.fail('nothing was asked');
    await stage.discord.waitFor(() => /\d+ requests are before/.test(newsOf(last).at(-1)?.text ?? ''), WAIT_MS_MAX);
    // Everybody's place changes twice a second.
    for (let turn = 1; turn < interactions.length; turn += 1) {
      gate.release(1);
      await gate.arrived(turn + 1);
      await sleep(500);
    }
    gate.release();

    let count = 0;
    for (const interaction of interactions) {
      const { message } = await answered(interaction);
      assert.equal(message.shownAttachments.length, 1);
      assert.equal(interaction.history.at(-1)?.attachments.length, 1, 'the result stands');
      const news = newsOf(interaction);
      count += news.length;
      for (const [index, { atMs }] of news.entries()) {
        const previous = news[index - 1];
        if (previous) assert.ok(atMs - previous.atMs >= EDIT_INTERVAL_MS, `${atMs - previous.atMs} ms apart`);
      }
    }
    assert.ok(count > interactions.length, 'there was news to count');
    assert.ok(newsOf(last).some(({ text }) => /Its turn should come <t:\d+:R>\./.test(text)));
    assert.equal(judge(stage).posted, interactions.length);
  });

  it('tells when a request comes that goes beyond what the provider may be asked for in a minute', async (t) => {
    const stage = await setStage(t, { environment: { PROVIDER_IMAGES_PER_MINUTE: '1' } });
    await stage.startBot();
    const server = addServer(stage);
    await ask(stage, server, 'imagine', { prompt: 'the fox of this minute', quality: 'low' });
    const [{ at } = assert.fail('it was not made')] = callsFor(stage, 'the fox of this minute');
    const second = imagine(stage, server, 'the fox of the next minute', LOW);
    await stage.discord.waitFor(() => newsOf(second).length > 0, WAIT_MS_MAX);
    const turn = /^In line[^]*Its turn should come <t:(\d+):R>\./.exec(newsOf(second)[0]?.text ?? '')?.[1];
    const waitMs = Number(turn) * 1_000 - at;
    assert.ok(Math.abs(waitMs - MINUTE_MS) < TURN_SLACK_MS, `its turn comes ${waitMs} ms after the first`);
    assert.deepEqual(callsFor(stage, 'the fox of the next minute'), []);
  });

  it('lets no news stand over a result that Discord has carried out behind it', async (t) => {
    const stage = await setStage(t);
    await stage.startBot();
    const gate = stage.provider.holdAnswers();
    const slow = stage.discord.faults.add({ route: 'PATCH original', kind: 'delay', delayMs: 9_000 });
    const interaction = imagine(stage, addServer(stage), 'a fox that is covered', LOW);
    await gate.arrived(1);
    await stage.discord.waitFor(() => slow.spoiled() > 0, WAIT_MS_MAX);
    gate.release();
    const shown = (): readonly string[] =>
      interaction.history.map((version) => (version.attachments.length === 1 ? 'result' : collectText(version)));
    await stage.discord.waitFor(() => shown().filter((what) => what === 'result').length === 2, 2 * WAIT_MS_MAX);
    const [first, news, ...rest] = shown().slice(shown().indexOf('result'));
    assert.equal(first, 'result', 'it is not kept back until Discord is done');
    assert.match(news ?? '', /^The provider is at work/);
    assert.deepEqual(rest, ['result']);
    assert.equal(interaction.original()?.shownAttachments.length, 1);
    await atRest(stage);
    assert.equal(judge(stage).posted, 1);
  });
});

/** What stood in the place of the reply before the result did, from the first news on. */
function newsOf({ history }: InteractionHandle): readonly (MessageVersion & { readonly text: string })[] {
  return history
    .map((version) => ({ ...version, text: collectText(version) }))
    .filter(({ text }) => /^(In line|The provider)/.test(text));
}
